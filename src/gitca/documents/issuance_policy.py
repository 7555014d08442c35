"""The kind IssuancePolicy: what may be issued, to whom, by which CA."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from gitca.documents.document import CheckedModel, Envelope, Model
from gitca.documents.fields import (
    Contradiction,
    Duration,
    Items,
    ObjectIdentifier,
    SegmentName,
    Table,
    duration_text,
    no_entries,
)
from gitca.documents.key_rules import (
    EcdsaKeys,
    Ed25519Keys,
    ExtendedKeyUsageRules,
    KeyAlgorithm,
    KeyRules,
    KeyUsageRules,
    MlDsaKeys,
    RsaKeys,
)
from gitca.documents.name_rules import (
    AttributeRule,
    DnsRules,
    EmailRules,
    IpRules,
    SanRules,
    UriRules,
)
from gitca.documents.patterns import PathPattern
from gitca.documents.request_schema import check_request_schema
from gitca.documents.subject import AttributeName

__all__ = [
    "AttributeRule",
    "DnsRules",
    "EcdsaKeys",
    "Ed25519Keys",
    "EmailRules",
    "ExtendedKeyUsageRules",
    "IpRules",
    "IssuancePolicy",
    "IssuancePolicySpec",
    "KeyAlgorithm",
    "KeyRules",
    "KeyUsageRules",
    "MlDsaKeys",
    "Renewal",
    "RsaKeys",
    "SanRules",
    "Selector",
    "UriRules",
    "ValidityRules",
]


class Selector(Model):
    """Which requests may name this policy."""

    paths: Items[PathPattern] = Field(
        ("**",),
        description="Patterns for the names of requests: * stands within one folder or name, **"
        " for one or more of them.",
        examples=[["payments/**"]],
    )


class ValidityRules(CheckedModel):
    """How long certificates are valid."""

    default: Duration = Field(
        description="The validity for requests that do not give one.", examples=["30d"]
    )
    max: Duration = Field(description="The longest validity.", examples=["90d"])
    min: Duration | None = Field(None, description="The shortest validity.", examples=["1d"])
    backdate: Duration = Field(
        timedelta(0),
        description="How far notBefore lies before the moment of issuance, for clocks that are"
        " slow. It counts towards the validity. Without it, nothing.",
        examples=["5m"],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong unless backdate < min <= default <= max."""
        if self.default > self.max:
            yield self._above("default", self.default, "max", self.max)
        if self.min is not None and self.min > self.default:
            yield self._above("min", self.min, "default", self.default)
        shortest = self.default if self.min is None else self.min
        if self.backdate >= shortest:
            yield Contradiction(
                "policy.validity.backdate",
                f"backdate {duration_text(self.backdate)} is not below the shortest validity"
                f" {duration_text(shortest)}, so that certificates would be born expired",
                "shorten backdate",
                ("backdate",),
            )

    @staticmethod
    def _above(low: str, smaller: timedelta, high: str, larger: timedelta) -> Contradiction:
        message = f"{low} {duration_text(smaller)} is above {high} {duration_text(larger)}"
        remedy = f"shorten {low} or lengthen {high}"
        return Contradiction("policy.validity.order", message, remedy, (low,))


class Renewal(CheckedModel):
    """Whether and when a certificate is renewed on its present key."""

    automatic: bool = Field(
        False,
        description="Whether gitca renews certificates on the same key. Without it, a renewal needs"
        " a new CSR.",
        examples=[True],
    )
    before: Duration | None = Field(
        None,
        description="How long before notAfter the certificate is renewed; needed with automatic.",
        examples=["10d"],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where a renewal has no moment."""
        if self.automatic and self.before is None:
            message = "renewal is automatic, and nothing says how long before notAfter"
            remedy = "add before, as in 10d"
            yield Contradiction("policy.renewal.before", message, remedy, ("automatic",))


class IssuancePolicySpec(CheckedModel):
    """What may be issued; whatever is not mentioned is denied."""

    issuer: SegmentName = Field(
        description="The CA that issues under this policy: a file in ca/ without .yaml.",
        examples=["issuing"],
    )
    selector: Selector = Field(
        default_factory=Selector,
        description="Which requests may name this policy. Without it, all.",
        examples=[{"paths": ["payments/**"]}],
    )
    subject: Table[AttributeName, AttributeRule] = Field(
        default_factory=no_entries,
        description="Attributes of the subject to their rules. An attribute that is not mentioned"
        " may not appear.",
        examples=[{"commonName": {"allow": ["**.example.internal"], "mustBeInSans": True}}],
    )
    sans: SanRules = Field(
        default_factory=SanRules,
        description="Alternative names by type. A type that is not mentioned may not appear.",
        examples=[{"dns": {"allow": ["**.example.internal"]}}],
    )
    key: KeyRules = Field(
        description="Which keys certificates may be issued on.",
        examples=[{"algorithms": [{"type": "ecdsa", "curves": ["P-256"]}]}],
    )
    validity: ValidityRules = Field(
        description="The longest, shortest and usual validity, and the backdating.",
        examples=[{"default": "30d", "max": "90d"}],
    )
    key_usage: KeyUsageRules = Field(
        default_factory=KeyUsageRules,
        description="Key usages. Without it, certificates have none and requests may ask for none.",
        examples=[{"default": ["digitalSignature"]}],
    )
    extended_key_usage: ExtendedKeyUsageRules = Field(
        default_factory=ExtendedKeyUsageRules,
        description="Extended key usages. Without it, certificates have none and requests may ask"
        " for none.",
        examples=[{"default": ["serverAuth"], "allow": ["serverAuth"]}],
    )
    certificate_policies: Items[ObjectIdentifier] = Field(
        (),
        description="OIDs for the certificatePolicies extension of every certificate.",
        examples=[["1.3.6.1.4.1.99999.1.1"]],
    )
    names_from: Literal["request", "csr"] = Field(
        "request",
        description="Where names come from. request: the YAML that a reviewer reads; a CSR that"
        " states names must state the same. csr: the CSR, each name judged.",
        examples=["request"],
    )
    request_schema: Annotated[Mapping[str, Any], AfterValidator(check_request_schema)] | None = (
        Field(
            None,
            description="A JSON Schema (draft 2020-12) that the whole document of every request"
            " must satisfy, for an organisation's own labels and annotations. Without recursion and"
            " without references to other documents.",
            examples=[
                {
                    "required": ["metadata"],
                    "properties": {"metadata": {"required": ["owner"]}},
                }
            ],
        )
    )
    renewal: Renewal = Field(
        default_factory=Renewal,
        description="Whether and when certificates are renewed. Without it, never by themselves.",
        examples=[{"automatic": True, "before": "10d"}],
    )
    on_delete: Literal["keep", "revoke"] = Field(
        "keep",
        description="What happens to a standing certificate when its request is deleted: keep it"
        " until it expires (and say so in plan and status), or revoke it.",
        examples=["keep"],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where a certificate would be renewed from its first moment on."""
        before = self.renewal.before
        lasting = self.validity.default - self.validity.backdate
        if before is not None and before >= lasting:
            yield Contradiction(
                "policy.renewal.before",
                f"renewal.before {duration_text(before)} is not below validity.default less"
                f" backdate, {duration_text(lasting)}: every run would renew",
                "shorten before or lengthen validity.default",
                ("renewal", "before"),
            )


class IssuancePolicy(Envelope):
    """What may be issued, to whom, by which CA: policies/<name>.yaml."""

    kind: Literal["IssuancePolicy"] = Field(
        description="The kind of document.", examples=["IssuancePolicy"]
    )
    spec: IssuancePolicySpec = Field(
        description="Issuer, names, keys, validity and usages that this policy allows.",
        examples=[
            {
                "issuer": "issuing",
                "sans": {"dns": {"allow": ["**.example.internal"]}},
                "key": {"algorithms": [{"type": "ecdsa", "curves": ["P-256"]}]},
                "validity": {"default": "30d", "max": "90d"},
            }
        ],
    )
