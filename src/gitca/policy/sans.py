"""Subject alternative names, type by type (RFC 5280 section 4.2.1.6)."""

from __future__ import annotations

from collections.abc import Iterator

from gitca.documents.issuance_policy import DnsRules, EmailRules, IpRules, SanRules, UriRules
from gitca.findings import Finding, Location
from gitca.policy.case import Case, objection
from gitca.policy.pattern_lists import pattern_list
from gitca.policy.proposal import Proposal, StatedName
from gitca.policy.propose import NAME_KINDS, stated_names
from gitca.policy.wording import KIND_WORDS, allowed
from gitca.x509.names import is_wildcard
from gitca.x509.refusal import quoted
from gitca.x509.template import GeneralNameKind

_Rules = DnsRules | IpRules | UriRules | EmailRules


def check_types_mentioned(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`sans`: a type that the policy does not mention may not appear."""
    mentioned = [kind for kind in NAME_KINDS if _rules(case.policy.spec.sans, kind)]
    for part in proposal.sans:
        kind = part.name.kind
        if kind not in mentioned:
            yield case.denial(
                f"sans.{kind}",
                f"{_shown(part)} is of a type that the policy does not mention;"
                f" {allowed(mentioned, quote=False)}",
                part.at,
                remedy="remove it or change the policy",
            )


def check_names_allowed(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`sans.*.allow`: a name matches a pattern; an empty list allows nothing."""
    for part, rules in _ruled(case, proposal):
        kind = part.name.kind
        if not pattern_list(kind, rules.allow).admits(part.value):
            yield case.denial(
                f"sans.{kind}.allow",
                f"{_shown(part)} is not allowed; {allowed(rules.allow)}",
                part.at,
                remedy="change the name or the policy",
            )


def check_names_denied(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`sans.*.deny`: no name matches, nor is a wildcard that covers one which does."""
    for part, rules in _ruled(case, proposal):
        kind = part.name.kind
        denying = pattern_list(kind, rules.deny).forbidding(part.value)
        if denying is not None:
            yield case.denial(
                f"sans.{kind}.deny",
                f"{_shown(part)} is denied by {quoted(denying)}; deny goes before allow",
                part.at,
                remedy="remove the name or change the policy",
            )


def check_wildcards(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`sans.dns.wildcards`: a wildcard name needs the policy's word."""
    for part, rules in _ruled(case, proposal):
        if isinstance(rules, DnsRules) and is_wildcard(part.value) and not rules.wildcards:
            yield case.denial(
                "sans.dns.wildcards",
                f"{_shown(part)} is a wildcard; allowed are names without (wildcards: false)",
                part.at,
                remedy="list the names themselves or change the policy",
            )


def check_counts(case: Case, _: Proposal) -> Iterator[Finding]:
    """`sans.*.required` and `sans.*.max`: at least one name of a type, and not too many."""
    for kind in NAME_KINDS:
        rules = _rules(case.policy.spec.sans, kind)
        if rules is None:
            continue
        count = len(stated_names(case, kind))
        at = _place(case, kind)
        if rules.required and not count:
            message = f"no {KIND_WORDS[kind]} is stated and at least one is required"
            yield case.denial(f"sans.{kind}.required", message, at, remedy="state one")
        if rules.max is not None and count > rules.max:
            message = f"{count} names of type {kind}; allowed are {rules.max}"
            remedy = "part them over several requests or change the policy"
            yield case.denial(f"sans.{kind}.max", message, at, remedy=remedy)


def check_duplicates(_: Case, proposal: Proposal) -> Iterator[Finding]:
    """`sans.duplicate`: no name stands twice, compared in its canonical form."""
    first: dict[tuple[str, str], StatedName] = {}
    for part in proposal.sans:
        earlier = first.setdefault((part.name.kind, part.value), part)
        if earlier is not part:
            yield objection(
                "sans.duplicate",
                f"{_shown(part)} stands already at {earlier.at}; allowed is once",
                part.at,
                remedy="remove one of them",
            )


def check_any_name(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`names.none`: subject or alternative names say who it is (RFC 5280 section 4.1.2.6)."""
    if not proposal.subject and not proposal.sans and not proposal.findings:
        yield objection(
            "names.none",
            "the certificate would carry no name at all; at least one is required",
            case.request.at("spec"),
            remedy="state sans or a subject",
        )


def _rules(sans: SanRules, kind: GeneralNameKind) -> _Rules | None:
    by_kind: dict[GeneralNameKind, _Rules | None] = {
        "dns": sans.dns,
        "ip": sans.ip,
        "uri": sans.uri,
        "email": sans.email,
    }
    return by_kind[kind]


def _ruled(case: Case, proposal: Proposal) -> Iterator[tuple[StatedName, _Rules]]:
    for part in proposal.sans:
        rules = _rules(case.policy.spec.sans, part.name.kind)
        if rules is not None:
            yield part, rules


def _place(case: Case, kind: GeneralNameKind) -> Location:
    return (
        case.csr_at
        if case.policy.spec.names_from == "csr"
        else case.request.at("spec", "sans", kind)
    )


def _shown(part: StatedName) -> str:
    return f"{KIND_WORDS[part.name.kind]} {quoted(part.value)}"
