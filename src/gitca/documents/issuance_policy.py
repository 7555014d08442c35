"""The kind IssuancePolicy: what may be issued, to whom, by which CA."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from gitca.documents.document import Envelope, Model
from gitca.documents.fields import (
    Count,
    Duration,
    Items,
    ObjectIdentifier,
    SegmentName,
    Table,
    duration_text,
    refuse,
)
from gitca.documents.patterns import (
    DnsPattern,
    EmailPattern,
    IpRange,
    PathPattern,
    TextPattern,
    UriPattern,
)
from gitca.documents.request_schema import check_request_schema
from gitca.documents.subject import AttributeName
from gitca.documents.usages import ExtendedKeyUsage, KeyUsage

_Value = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class Selector(Model):
    """Which requests may name this policy."""

    paths: Items[PathPattern] = Field(
        ("**",),
        description="Patterns for the names of requests: * is one folder or name, ** any number.",
        examples=[["payments/**"]],
    )


class AttributeRule(Model):
    """What one attribute of the subject may say."""

    allow: Items[TextPattern] | None = Field(
        None,
        description="Patterns of allowed values: * is one part between dots, ** one or more. An"
        " empty list allows nothing.",
        examples=[["**.example.internal"]],
    )
    required: bool = Field(
        False, description="Whether a request must have the attribute.", examples=[True]
    )
    default: _Value | None = Field(
        None,
        description="The value for requests that do not give the attribute.",
        examples=["Example"],
    )
    fixed: _Value | None = Field(
        None,
        description="The only value, given to every certificate; a request may repeat it.",
        examples=["Example"],
    )
    must_be_in_sans: bool = Field(
        False,
        description="Whether the value must also be one of the alternative names.",
        examples=[True],
    )

    @model_validator(mode="after")
    def _fixed_alone(self) -> Self:
        if self.fixed is not None and (self.allow is not None or self.default is not None):
            raise refuse(
                "policy.subject.fixed",
                "fixed is given together with allow or default, which it leaves no room for",
                "write fixed alone, or allow and default without it",
            )
        return self


class NameRules(Model):
    """What every type of alternative name shares."""

    required: bool = Field(
        False,
        description="Whether a request must have at least one name of this type.",
        examples=[True],
    )
    max: Count | None = Field(
        None, description="How many names of this type a request may have.", examples=[10]
    )


class DnsRules(NameRules):
    """DNS names that a request may ask for."""

    allow: Items[DnsPattern] = Field(
        (),
        description="Patterns of allowed names: * is one label, ** one or more. An empty list"
        " allows nothing.",
        examples=[["**.example.internal"]],
    )
    deny: Items[DnsPattern] = Field(
        (),
        description="Patterns of refused names, whatever allow says.",
        examples=[["vault.example.internal"]],
    )
    wildcards: bool = Field(
        False,
        description="Whether names that begin with *. may be asked for. allow and deny judge them"
        " too.",
        examples=[False],
    )


class IpRules(NameRules):
    """IP addresses that a request may ask for."""

    allow: Items[IpRange] = Field(
        (),
        description="Allowed addresses and networks. An empty list allows nothing.",
        examples=[["10.0.0.0/8"]],
    )
    deny: Items[IpRange] = Field(
        (),
        description="Refused addresses and networks, whatever allow says.",
        examples=[["10.0.0.1"]],
    )


class UriRules(NameRules):
    """URIs that a request may ask for."""

    allow: Items[UriPattern] = Field(
        (),
        description="Patterns of allowed URIs: * is one label or path segment, ** one or more. An"
        " empty list allows nothing.",
        examples=[["spiffe://example.internal/payments/*"]],
    )
    deny: Items[UriPattern] = Field(
        (),
        description="Patterns of refused URIs, whatever allow says.",
        examples=[["spiffe://example.internal/admin/**"]],
    )


class EmailRules(NameRules):
    """Mail addresses that a request may ask for."""

    allow: Items[EmailPattern] = Field(
        (),
        description="Patterns of allowed addresses: *@example.internal. An empty list allows"
        " nothing.",
        examples=[["*@example.internal"]],
    )
    deny: Items[EmailPattern] = Field(
        (),
        description="Patterns of refused addresses, whatever allow says.",
        examples=[["root@example.internal"]],
    )


class SanRules(Model):
    """Alternative names by type; a type that is not mentioned may not appear."""

    dns: DnsRules | None = Field(
        None, description="DNS names.", examples=[{"allow": ["**.example.internal"]}]
    )
    ip: IpRules | None = Field(
        None, description="IP addresses.", examples=[{"allow": ["10.0.0.0/8"]}]
    )
    uri: UriRules | None = Field(
        None, description="URIs.", examples=[{"allow": ["spiffe://example.internal/**"]}]
    )
    email: EmailRules | None = Field(
        None, description="Mail addresses.", examples=[{"allow": ["*@example.internal"]}]
    )


_RsaBits = Annotated[int, Field(ge=2048, le=16384)]


class RsaKeys(Model):
    """RSA keys by size."""

    type: Literal["rsa"] = Field(description="RSA keys.", examples=["rsa"])
    min_bits: _RsaBits = Field(
        2048, description="The shortest modulus in bits; never below 2048.", examples=[3072]
    )
    max_bits: _RsaBits | None = Field(
        None, description="The longest modulus in bits.", examples=[4096]
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_bits is not None and self.max_bits < self.min_bits:
            raise refuse(
                "policy.key.bits",
                f"maxBits {self.max_bits} is below minBits {self.min_bits}",
                "raise maxBits or lower minBits",
            )
        return self


class EcdsaKeys(Model):
    """Elliptic curve keys by curve."""

    type: Literal["ecdsa"] = Field(description="Elliptic curve keys.", examples=["ecdsa"])
    curves: Items[Literal["P-256", "P-384", "P-521"]] = Field(
        description="The allowed curves.", examples=[["P-256", "P-384"]]
    )


class Ed25519Keys(Model):
    """Ed25519 keys."""

    type: Literal["ed25519"] = Field(description="Ed25519 keys.", examples=["ed25519"])


class MlDsaKeys(Model):
    """ML-DSA keys (FIPS 204) by parameter set."""

    type: Literal["ml-dsa"] = Field(description="ML-DSA keys (FIPS 204).", examples=["ml-dsa"])
    parameter_sets: Items[Literal["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]] = Field(
        description="The allowed parameter sets.", examples=[["ML-DSA-65"]]
    )


KeyAlgorithm = Annotated[
    RsaKeys | EcdsaKeys | Ed25519Keys | MlDsaKeys, Field(discriminator="type")
]


class KeyRules(Model):
    """Which keys a certificate may be issued on."""

    algorithms: Items[KeyAlgorithm] = Field(
        description="The allowed algorithms with their sizes. An empty list allows nothing.",
        examples=[[{"type": "ecdsa", "curves": ["P-256"]}, {"type": "rsa", "minBits": 3072}]],
    )


class ValidityRules(Model):
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

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        shortest = self.default if self.min is None else self.min
        ladder = (("backdate", self.backdate), ("min", shortest), ("default", self.default))
        for (low, smaller), (high, larger) in (
            (ladder[1], ladder[2]),
            (ladder[2], ("max", self.max)),
        ):
            if smaller > larger:
                raise refuse(
                    "policy.validity.order",
                    f"{low} {duration_text(smaller)} is above {high} {duration_text(larger)}",
                    f"lower {low} or raise {high}",
                )
        if self.backdate >= shortest:
            raise refuse(
                "policy.validity.backdate",
                f"backdate {duration_text(self.backdate)} is not below the shortest validity"
                f" {duration_text(shortest)}: certificates would be born expired",
                "shorten backdate",
            )
        return self


class KeyUsageRules(Model):
    """Key usages (RFC 5280 section 4.2.1.3)."""

    default: Items[KeyUsage] = Field(
        (),
        description="The usages for requests that ask for none.",
        examples=[["digitalSignature"]],
    )
    allow: Items[KeyUsage] | None = Field(
        None,
        description="The usages that a request may ask for. Without it, those of default.",
        examples=[["digitalSignature", "keyEncipherment"]],
    )


class ExtendedKeyUsageRules(Model):
    """Extended key usages (RFC 5280 section 4.2.1.12)."""

    default: Items[ExtendedKeyUsage] = Field(
        (), description="The usages for requests that ask for none.", examples=[["serverAuth"]]
    )
    allow: Items[ExtendedKeyUsage] | None = Field(
        None,
        description="The usages that a request may ask for. Without it, those of default.",
        examples=[["serverAuth", "clientAuth"]],
    )


class Renewal(Model):
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


class IssuancePolicySpec(Model):
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
        default_factory=dict,
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
        description="How long certificates are valid.", examples=[{"default": "30d", "max": "90d"}]
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
            description="A JSON Schema (draft 2020-12) that the metadata of every request must"
            " satisfy, for an organisation's own labels and annotations. Without recursion and"
            " without references to other documents.",
            examples=[{"required": ["owner"]}],
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


class IssuancePolicy(Envelope):
    """What may be issued, to whom, by which CA: policies/<name>.yaml."""

    kind: Literal["IssuancePolicy"] = Field(
        description="The kind of document.", examples=["IssuancePolicy"]
    )
    spec: IssuancePolicySpec = Field(
        description="What may be issued; whatever is not mentioned is denied.",
        examples=[{"issuer": "issuing"}],
    )
