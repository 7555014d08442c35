"""The kind IssuancePolicy: what may be issued, to whom, by which CA."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from gitca.documents.authority_rules import AuthorityRules
from gitca.documents.document import CheckedModel, Envelope
from gitca.documents.expression_rules import MAX_RULES, ExpressionRule, repeated
from gitca.documents.extensions import ExtensionRules
from gitca.documents.fields import (
    Contradiction,
    Items,
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
from gitca.documents.lifecycle_rules import (
    Limits,
    OnDelete,
    OnDeleteRule,
    OnReplace,
    OnReplaceRule,
    Renewal,
)
from gitca.documents.lint_rules import LintRules
from gitca.documents.name_rules import (
    AttributeRule,
    DnsRules,
    EmailRules,
    IpRules,
    SanRules,
    UriRules,
)
from gitca.documents.request_schema import check_request_schema
from gitca.documents.selection_rules import Selector
from gitca.documents.subject import AttributeType
from gitca.documents.validity_rules import ValidityRules

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
    subject: Table[AttributeType, AttributeRule] = Field(
        default_factory=no_entries,
        description="Attributes of the subject, by name or OID, to their rules. An attribute that"
        " is not mentioned may not appear.",
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
    ca: AuthorityRules | None = Field(
        None,
        description="Which CA certificates requests may ask for. Without it, none.",
        examples=[
            {
                "pathLength": {"max": 0},
                "nameConstraints": {"permitted": {"dns": ["example.internal"]}},
            }
        ],
    )
    extensions: ExtensionRules = Field(
        default_factory=ExtensionRules,
        description="Extensions beyond those that gitca writes itself. Without it, certificates"
        " have none and requests may state none.",
        examples=[{"certificatePolicies": [{"oid": "1.3.6.1.4.1.99999.1.1"}]}],
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
    rules: Annotated[Items[ExpressionRule], Field(max_length=MAX_RULES)] = Field(
        (),
        description="Rules in CEL over request, certificate, policy and now, for what no other key"
        " can say. Each must be true.",
        examples=[
            [
                {
                    "name": "short-names",
                    "expression": "size(request.name) < 40",
                    "message": "names have at most 40 characters",
                }
            ]
        ],
    )
    lint: LintRules = Field(
        default_factory=LintRules,
        description="From which level on the linter's results stop a certificate, and which are"
        " ignored until when. Without it, errors stop it and none is ignored.",
        examples=[{"level": "error"}],
    )
    limits: Limits = Field(
        default_factory=Limits,
        description="How many certificates there may be. Without it, any number.",
        examples=[{"livePerRequest": 2, "issuedPerDay": 100}],
    )
    on_replace: OnReplaceRule = Field(
        OnReplace(action="keep"),
        description="What happens to a certificate once the one that replaces it was signed: keep"
        " or revoke, or {action, reason}. Whoever uses the old one must have the new one by then.",
        examples=["keep", {"action": "revoke", "reason": "superseded"}],
    )
    on_delete: OnDeleteRule = Field(
        OnDelete(action="keep"),
        description="What happens to a standing certificate when its request is deleted: keep it"
        " until it expires (and say so in plan and status), or revoke it; or {action, reason}.",
        examples=["keep", {"action": "revoke", "reason": "cessationOfOperation"}],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where a certificate would be renewed from its first moment on."""
        yield from repeated(self.rules)
        lead = self.renewal.lead(self.validity.default)
        lasting = self.validity.default - self.validity.backdate
        yield from self.key.conflicts(lasting, is_renewed=self.renewal.automatic)
        if lead is not None and lead >= lasting:
            yield Contradiction(
                "policy.renewal.before",
                f"renewal.before {duration_text(lead)} is not below validity.default less"
                f" backdate, {duration_text(lasting)}: every run would renew",
                "shorten before or lengthen validity.default",
                ("renewal", "before"),
            )
        if self.renewal.automatic and self.limits.live_per_request == 1:
            yield Contradiction(
                "policy.limits.renewal",
                "livePerRequest is 1, which leaves a renewal no room beside what it replaces",
                "write 2, or remove renewal.automatic",
                ("limits", "livePerRequest"),
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
