"""The kind PolicyTests: requests that a policy must allow, and requests that it must deny."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, create_model
from pydantic.json_schema import WithJsonSchema

from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import CheckedModel, Envelope, Metadata, Model
from gitca.documents.fields import Contradiction, Items, PathName, Text, Timestamp, refuse, shown

ALLOW = "allow"


class RsaCaseKey(Model):
    """An RSA key that is made for a case and thrown away."""

    type: Literal["rsa"] = Field(
        description="The algorithm: RSA with a modulus of these bits.", examples=["rsa"]
    )
    bits: Literal[1024, 2048, 3072, 4096] = Field(
        2048, description="The length of the modulus in bits.", examples=[3072]
    )
    exponent: Literal[3, 65537] = Field(65537, description="The public exponent.", examples=[65537])


class EcdsaCaseKey(Model):
    """An elliptic curve key that is made for a case and thrown away."""

    type: Literal["ecdsa"] = Field(
        description="The algorithm: ECDSA on this curve.", examples=["ecdsa"]
    )
    curve: Literal["P-256", "P-384", "P-521"] = Field(
        "P-256", description="The curve of the key.", examples=["P-384"]
    )


class Ed25519CaseKey(Model):
    """An Ed25519 key that is made for a case and thrown away."""

    type: Literal["ed25519"] = Field(description="The algorithm: Ed25519.", examples=["ed25519"])


class MlDsaCaseKey(Model):
    """An ML-DSA key that is made for a case and thrown away."""

    type: Literal["ml-dsa"] = Field(
        description="The algorithm: ML-DSA with this parameter set.", examples=["ml-dsa"]
    )
    parameter_set: Literal["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"] = Field(
        "ML-DSA-65", description="The parameter set of the key.", examples=["ML-DSA-65"]
    )


CaseKey = Annotated[
    RsaCaseKey | EcdsaCaseKey | Ed25519CaseKey | MlDsaCaseKey, Field(discriminator="type")
]


class FragmentKey(CheckedModel):
    """The key of a case's request: a CSR, or what kind of key to make one on."""

    csr: Annotated[str, StringConstraints(min_length=1)] | None = Field(
        None,
        description="A PKCS #10 request in PEM, in a block scalar (`csr: |`). Write either csr or"
        " key, or neither for a key that the policy allows.",
        examples=["-----BEGIN CERTIFICATE REQUEST-----\n…\n-----END CERTIFICATE REQUEST-----\n"],
    )
    key: CaseKey | None = Field(
        None,
        description="The kind of key to judge: one is made for the tests, and a CSR without names"
        " on it. Without it, the first kind that the policy allows.",
        examples=[{"type": "ecdsa", "curve": "P-256"}],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where both a CSR and a kind of key are given."""
        if self.csr is not None and self.key is not None:
            message = "both csr and key are given, where at most one is allowed"
            yield Contradiction("tests.csr.both", message, "remove one of them", ("key",))


# What else a request may say, a case may say: new fields of requests need no line here. The policy
# is the one that is tested, and no file lies beside a case.
_NOT_IN_CASES = frozenset({"policy", "csr", "csr_file"})

if TYPE_CHECKING:
    RequestFragment = FragmentKey
else:
    RequestFragment = create_model(
        "RequestFragment",
        __base__=FragmentKey,
        __module__=__name__,
        __doc__="What a case's request says, as the spec of a CertificateRequest does.",
        **{
            name: (field.annotation, field)
            for name, field in CertificateRequestSpec.model_fields.items()
            if name not in _NOT_IN_CASES
        },
    )

_Address = Annotated[str, StringConstraints(min_length=1, max_length=320)]


class CaseRequester(Model):
    """Whose commit a case's request would come from."""

    author: _Address = Field(
        description="The e-mail address of the commit's author.",
        examples=["alice@example.com"],
    )
    committer: _Address | None = Field(
        None,
        description="The e-mail address of the commit's committer. Without it, the author's.",
        examples=["alice@example.com"],
    )


class CaseRequest(Model):
    """A request as a case states it: whatever it leaves out is not asked for."""

    name: PathName = Field(
        "example",
        description="The request's name: its path below requests/ without .yaml.",
        examples=["payments/api"],
    )
    metadata: Metadata = Field(
        default_factory=Metadata,
        description="Owner, labels and what else a request's metadata may have.",
        examples=[{"labels": {"team": "payments"}}],
    )
    requester: CaseRequester | None = Field(
        None,
        description="Whose commit the request would come from.",
        examples=[{"author": "alice@example.com"}],
    )
    spec: RequestFragment = Field(
        default_factory=RequestFragment,
        description="What the request asks for: the spec of a CertificateRequest without policy,"
        " with key in place of csr where it does not matter which.",
        examples=[{"sans": {"dns": ["api.example.internal"]}}],
    )


def _expectation(value: object) -> object:
    if value == ALLOW:
        return ()
    remedy = "write allow, or the rules that speak, as in [sans.dns.allow]"
    if isinstance(value, str):
        raise refuse("tests.expect", f"expect is {shown(value)}; allowed are allow and a list of"
                     " the names of rules", remedy)  # fmt: skip
    if isinstance(value, list) and not value:
        raise refuse("tests.expect", "expect is an empty list, which says nothing", remedy)
    return value


_RULE = r"[A-Za-z][^\s\[\],]{0,255}"

Expectation = Annotated[
    Items[Annotated[str, StringConstraints(pattern=f"^{_RULE}$")]],
    BeforeValidator(_expectation),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": ALLOW},
                {
                    "type": "array",
                    "items": {"type": "string", "pattern": f"^{_RULE}$"},
                    "minItems": 1,
                },
            ]
        }
    ),
]
"""The names of the rules that deny a request; none of them where it is allowed."""


class PolicyCase(Model):
    """One request, and what the policy must say of it."""

    name: Text = Field(
        description="What the case shows, in words.", examples=["another domain is denied"]
    )
    request: CaseRequest = Field(
        default_factory=CaseRequest,
        description="The request that is judged.",
        examples=[{"spec": {"sans": {"dns": ["api.example.internal"]}}}],
    )
    now: Timestamp | None = Field(
        None,
        description="The moment at which the request is judged, for policies that have dates or"
        " hours. Without it, the moment of the test.",
        examples=["2026-12-01T10:00:00Z"],
    )
    expect: Expectation = Field(
        description="allow, or the names of the rules that deny the request: exactly these.",
        examples=["allow", ["sans.dns.allow"]],
    )


class PolicyTestsSpec(CheckedModel):
    """A policy, and the cases that show what it allows and denies."""

    policy: PathName = Field(
        description="The policy that is tested: a path below policies/ without .yaml.",
        examples=["internal-server"],
    )
    cases: Annotated[Items[PolicyCase], Field(min_length=1, max_length=1000)] = Field(
        description="The cases. Each is judged as a request in requests/ would be.",
        examples=[[{"name": "no names, no certificate", "expect": ["names.none"]}]],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield the cases that bear the name of an earlier one."""
        seen: set[str] = set()
        for index, case in enumerate(self.cases):
            if case.name in seen:
                message = f"the name {shown(case.name)} is that of an earlier case"
                at: tuple[str | int, ...] = ("cases", index, "name")
                yield Contradiction("tests.name.taken", message, "give it another name", at)
            seen.add(case.name)


class PolicyTests(Envelope):
    """Requests that a policy must allow or deny: policies/<policy>.tests.yaml."""

    kind: Literal["PolicyTests"] = Field(
        description="The kind of document.", examples=["PolicyTests"]
    )
    spec: PolicyTestsSpec = Field(
        description="The policy, and the cases.",
        examples=[
            {
                "policy": "internal-server",
                "cases": [
                    {
                        "name": "another domain is denied",
                        "request": {"spec": {"sans": {"dns": ["www.example.com"]}}},
                        "expect": ["sans.dns.allow"],
                    }
                ],
            }
        ],
    )
