"""The kind Waiver: one request may break one named rule until a date."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gitca.documents.document import Envelope, Model
from gitca.documents.fields import PathName, Text, Timestamp, refuse, shown

WAIVERS_FOLDER = "waivers/"
"""Where waivers lie in `policies/`: for CODEOWNERS, and so that no other document is one."""

NEVER_WAIVED: Mapping[str, str] = MappingProxyType(
    {
        "csr": "the CSR proves that its holder has the key, and must not belie what was reviewed",
        "key.refused": "the key was reported as compromised, or is on a blocklist",
        "key.weakKeys": "the key is known to be breakable",
        "key.csrHashes": "the CSR's signature proves nothing",
        "key.authority": "the key is a CA's own",
        "ca": "which CAs may be asked for is in a policy, where everyone sees it",
        "subject.issuer": "whoever is named as a CA can pass for it",
        "extensions": "what gitca manages is nobody else's; the rest is in a policy",
        "keyUsage.key-type": "verifiers reject usages that do not fit the key",
        "keyUsage.key-agreement": "verifiers reject usages that do not fit each other",
        "issuer": "the CA that answers is the one whose policy was named",
        "authority": "what the CA itself may do is in its own certificate",
        "nameConstraints": "verifiers reject what the CA's own certificate excludes",
        "leafBeyondIssuer": "verifiers reject what outlives its CA",
        "validity.beyondIssuer": "verifiers reject what outlives its CA",
        "validity.backdate": "the certificate would be born expired",
        "renewal": "every run would renew the certificate, or none would",
        "namesFrom": "names come from one place, or nobody knows which were reviewed",
        "names": "a certificate without names, or with thousands, serves nobody",
        "limits": "a limit is raised in its policy, where everyone sees it",
        "lint": "a lint is ignored in the policy's lint.ignore",
        "template": "what is built is what was judged",
        "policy": "a policy is mended, not waived",
        "waiver": "a waiver waives no waiver's finding",
    }
)
"""The rules that no waiver waives, each with all below it (`csr` means `csr.subject` too), and why.

Beside these, only what a policy's own field says can be waived: what holds under every policy, and
what could not be written into a certificate at all, never is.
"""

_RULE = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9][A-Za-z0-9-]*){0,12}")


def why_never(rule: str) -> str | None:
    """Return why a rule is never waived; None for one that may be."""
    parts = rule.split(".")
    prefixes = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return next((NEVER_WAIVED[prefix] for prefix in prefixes if prefix in NEVER_WAIVED), None)


def _check_rule(value: str) -> str:
    if _RULE.fullmatch(value) is None:
        remedy = "write one rule as its finding names it, as in validity.max; there are no patterns"
        raise refuse("waiver.rule", f"{shown(value)} is not the name of a rule", remedy)
    reason = why_never(value)
    if reason is not None:
        remedy = "change the request, or what the rule protects"
        raise refuse("waiver.rule", f"{value} is never waived: {reason}", remedy)
    return value


class WaiverSpec(Model):
    """Which request may break which rule, until when, and why."""

    request: PathName = Field(
        description="The request: its path below requests/ without .yaml. The waiver holds for"
        " whatever this request says, so that its folder wants an owner, too.",
        examples=["payments/api"],
    )
    rule: Annotated[str, AfterValidator(_check_rule)] = Field(
        description="The one rule that it may break, by the name that its finding shows.",
        examples=["validity.max"],
    )
    until: Timestamp = Field(
        description="When the waiver ends. No certificate that needs it lasts longer.",
        examples=["2027-01-01T00:00:00Z"],
    )
    reason: Text = Field(
        description="Why, for whoever reviews and audits it.",
        examples=["the appliance takes no certificate shorter than a year; INC-42"],
    )
    approved_by: Text | None = Field(
        None, description="Who answers for it.", examples=["security@example.com"]
    )


class Waiver(Envelope):
    """One request may break one rule until a date: policies/waivers/<name>.yaml."""

    kind: Literal["Waiver"] = Field(description="The kind of document.", examples=["Waiver"])
    spec: WaiverSpec = Field(
        description="Which request, which rule, until when, and why.",
        examples=[
            {
                "request": "payments/api",
                "rule": "validity.max",
                "until": "2027-01-01T00:00:00Z",
                "reason": "the appliance takes no certificate shorter than a year; INC-42",
            }
        ],
    )
