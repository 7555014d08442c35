"""What an issuance policy says of keys and of what they may be used for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic.json_schema import WithJsonSchema

from gitca.documents.document import CheckedModel, Model
from gitca.documents.fields import Contradiction, Duration, Items, duration_text, refuse
from gitca.documents.usages import ExtendedKeyUsage, KeyUsage, extended_key_usage_oid

_RsaBits = Annotated[int, Field(ge=2048, le=16384)]
LEAST_EXPONENT = 65537  # FIPS 186-5 section 5.4: above 2^16; small ones have a history of attacks


def _exponent(value: int) -> int:
    if value < LEAST_EXPONENT or not value & 1:
        raise refuse(
            "policy.key.exponent",
            f"exponent {value} is not an odd number from {LEAST_EXPONENT} on"
            " (FIPS 186-5 section 5.4)",
            "write 65537, which every tool uses",
        )
    return value


_Exponent = Annotated[
    int,
    AfterValidator(_exponent),
    WithJsonSchema({"type": "integer", "minimum": LEAST_EXPONENT, "not": {"multipleOf": 2}}),
]


class RsaKeys(CheckedModel):
    """RSA keys by size."""

    type: Literal["rsa"] = Field(
        description="The algorithm: RSA with a modulus between the bounds.", examples=["rsa"]
    )
    min_bits: _RsaBits = Field(
        2048, description="The shortest modulus in bits; never below 2048.", examples=[3072]
    )
    max_bits: _RsaBits | None = Field(
        None, description="The longest modulus in bits.", examples=[4096]
    )
    exponents: Items[_Exponent] = Field(
        (LEAST_EXPONENT,),
        description="The allowed public exponents: odd, from 65537 on, of 18 digits at most."
        " Without it, 65537 alone.",
        examples=[[65537]],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where no size lies between the bounds."""
        if self.max_bits is not None and self.max_bits < self.min_bits:
            message = f"maxBits {self.max_bits} is below minBits {self.min_bits}"
            remedy = "raise maxBits or lower minBits"
            yield Contradiction("policy.key.bits", message, remedy, ("maxBits",))


class EcdsaKeys(Model):
    """Elliptic curve keys by curve."""

    type: Literal["ecdsa"] = Field(
        description="The algorithm: ECDSA on one of the curves listed.", examples=["ecdsa"]
    )
    curves: Items[Literal["P-256", "P-384", "P-521"]] = Field(
        description="The allowed curves.", examples=[["P-256", "P-384"]]
    )


class Ed25519Keys(Model):
    """Ed25519 keys."""

    type: Literal["ed25519"] = Field(
        description="The algorithm: Ed25519 (RFC 8410), which has one size.", examples=["ed25519"]
    )


class MlDsaKeys(Model):
    """ML-DSA keys (FIPS 204) by parameter set."""

    type: Literal["ml-dsa"] = Field(
        description="The algorithm: ML-DSA (FIPS 204) with one of the parameter sets listed.",
        examples=["ml-dsa"],
    )
    parameter_sets: Items[Literal["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]] = Field(
        description="The allowed parameter sets.", examples=[["ML-DSA-65"]]
    )


KeyAlgorithm = Annotated[RsaKeys | EcdsaKeys | Ed25519Keys | MlDsaKeys, Field(discriminator="type")]


CsrHash = Literal["sha256", "sha384", "sha512", "sha512-256", "sha3-256", "sha3-384", "sha3-512"]
"""The hashes that a CSR's signature may be allowed to use; those that are broken are not here."""


class KeyRules(Model):
    """Which keys a certificate may be issued on."""

    algorithms: Items[KeyAlgorithm] = Field(
        description="The allowed algorithms with their sizes. An empty list allows nothing.",
        examples=[[{"type": "ecdsa", "curves": ["P-256"]}, {"type": "rsa", "minBits": 3072}]],
    )
    csr_hashes: Items[CsrHash] = Field(
        ("sha256", "sha384", "sha512"),
        description="The hashes that a CSR may be signed with. Ed25519 and ML-DSA have none of"
        " their own to choose. Without it, the SHA-2 family from SHA-256 on.",
        examples=[["sha256", "sha384", "sha512"]],
    )
    weak_keys: Literal["reject", "ignore"] = Field(
        "reject",
        description="reject: RSA keys that can be factored, or that show the mark of a broken"
        " generator (ROCA, close primes, small factors, shared primes, patterns), are refused."
        " ignore: they are not looked for.",
        examples=["reject"],
    )
    reuse: Literal["forbid", "sameRequest", "allow"] = Field(
        "sameRequest",
        description="Which keys may be certified again, over all requests and CAs. forbid: none,"
        " every certificate needs a new key. sameRequest: a request may keep its key, and no other"
        " request may have it. allow: several requests may share a key.",
        examples=["sameRequest"],
    )
    max_age: Duration | None = Field(
        None,
        description="How long a key may be in use, from its first order on: no certificate may end"
        " later than that. Without it, for ever.",
        examples=["1y"],
    )

    def conflicts(self, lasting: timedelta, *, is_renewed: bool) -> Iterator[Contradiction]:
        """Yield what lets no certificate come about, or no renewal.

        `lasting` is how long certificates usually last, `is_renewed` whether they are renewed on
        their key without a person.
        """
        if self.reuse == "forbid" and is_renewed:
            yield Contradiction(
                "policy.key.reuse",
                "reuse is forbid and renewal is automatic, which keeps the key: every renewal would"
                " be denied",
                "write sameRequest, or remove renewal.automatic",
                ("key", "reuse"),
            )
        if self.max_age is not None and self.max_age < lasting:
            yield Contradiction(
                "policy.key.maxAge",
                f"maxAge {duration_text(self.max_age)} is below validity.default less backdate,"
                f" {duration_text(lasting)}: no key is young enough",
                "lengthen maxAge or shorten validity.default",
                ("key", "maxAge"),
            )


def _not_allowed(
    field: str, usages: tuple[str, ...], allow: tuple[str, ...] | None
) -> Iterator[Contradiction]:
    """Yield a contradiction for each usage of a field that a given allow-list leaves out."""
    if allow is None:
        return
    oids = {extended_key_usage_oid(usage) for usage in allow}
    for index, usage in enumerate(usages):
        if extended_key_usage_oid(usage) not in oids:
            message = f"{field} {usage} is not in allow ({', '.join(allow) or 'empty'})"
            remedy = f"add it to allow or remove it from {field}"
            yield Contradiction(f"policy.usage.{field}", message, remedy, (field, index))


def _usages_left_out(rules: KeyUsageRules | ExtendedKeyUsageRules) -> Iterator[Contradiction]:
    yield from _not_allowed("default", rules.default, rules.allow)
    # Without an allow-list the defaults are all that a certificate can have.
    allow = rules.default if rules.allow is None else rules.allow
    yield from _not_allowed("required", rules.required, allow)


class KeyUsageRules(CheckedModel):
    """Key usages (RFC 5280 section 4.2.1.3)."""

    default: Items[KeyUsage] = Field(
        (),
        description="The usages for requests that state none. Without it, and where allow lists"
        " some, a request must state its own.",
        examples=[["digitalSignature"]],
    )
    allow: Items[KeyUsage] | None = Field(
        None,
        description="The usages that a request may ask for. Without it, those of default.",
        examples=[["digitalSignature", "keyEncipherment"]],
    )
    required: Items[KeyUsage] = Field(
        (),
        description="Usages without which no certificate is issued.",
        examples=[["digitalSignature"]],
    )
    critical: bool = Field(
        True,
        description="Whether verifiers that do not know the extension must refuse the certificate."
        " RFC 5280 section 4.2.1.3 asks for true; a CA's key usage is critical always.",
        examples=[True],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield the defaults and required usages that allow leaves out."""
        yield from _usages_left_out(self)


class ExtendedKeyUsageRules(CheckedModel):
    """Extended key usages (RFC 5280 section 4.2.1.12)."""

    default: Items[ExtendedKeyUsage] = Field(
        (),
        description="The usages for requests that state none. Without it, and where allow lists"
        " some, a request must state its own: a certificate without any serves every purpose.",
        examples=[["serverAuth"]],
    )
    allow: Items[ExtendedKeyUsage] | None = Field(
        None,
        description="The usages that a request may ask for. Without it, those of default.",
        examples=[["serverAuth", "clientAuth"]],
    )
    required: Items[ExtendedKeyUsage] = Field(
        (),
        description="Usages without which no certificate is issued.",
        examples=[["serverAuth"]],
    )
    critical: bool = Field(
        False,
        description="Whether verifiers that do not know the extension must refuse the certificate;"
        " RFC 3161 section 2.3 asks for true with timeStamping.",
        examples=[False],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield the defaults and required usages that allow leaves out."""
        yield from _usages_left_out(self)
