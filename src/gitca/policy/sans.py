"""Subject alternative names, type by type (RFC 5280 section 4.2.1.6)."""

from __future__ import annotations

from collections.abc import Iterator

from gitca.documents.issuance_policy import DnsRules
from gitca.findings import Finding, Location
from gitca.policy.case import Case, objection
from gitca.policy.dns_rules import allows_wildcard, unsaid
from gitca.policy.names import stated_names
from gitca.policy.proposal import Proposal, StatedName
from gitca.policy.san_lists import SanField, field_of, san_fields, type_path
from gitca.policy.spiffe import is_judged_as_spiffe
from gitca.policy.wording import KIND_WORDS, allowed, name_words
from gitca.x509.names import is_wildcard
from gitca.x509.refusal import quoted
from gitca.x509.template import GeneralName

_SPECIAL_WORDS = {
    "localhost": "names the machine that it is read on",
    "singleLabel": "has no dot, so that every network has one of its own",
    "publicSuffix": "is of a public suffix, below which anybody can have a name",
}


def check_types_mentioned(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`sans`: a type that the policy does not mention may not appear."""
    mentioned = [field.path for field in san_fields(case.policy.spec.sans)]
    for part in proposal.sans:
        path = type_path(part.name.kind, part.name.type_id)
        if path not in mentioned:
            yield case.denial(
                f"sans.{path}",
                f"{name_words(part.name)} is of a type that the policy does not mention;"
                f" {allowed(mentioned, quote=False)}",
                part.at,
                remedy="remove it or change the policy",
            )


def check_names_allowed(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`sans.*.allow`: a name matches a pattern; an empty list allows nothing."""
    for part, field in _ruled(case, proposal):
        if is_judged_as_spiffe(case, part.name) or field.admits(part.name, case.request):
            continue
        yield case.denial(
            f"sans.{field.path}.allow",
            f"{name_words(part.name)} is not allowed; {allowed(field.allowed)}",
            part.at,
            remedy="change the name or the policy",
        )


def check_names_denied(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`sans.*.deny`: no name matches, nor is a wildcard that covers one which does."""
    for part, field in _ruled(case, proposal):
        denying = field.forbidding(part.name)
        if denying is not None:
            yield case.denial(
                f"sans.{field.path}.deny",
                f"{name_words(part.name)} is denied by {quoted(denying)}; deny goes before allow",
                part.at,
                remedy="remove the name or change the policy",
            )


def check_wildcards(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`sans.dns.wildcards`: a wildcard name needs the policy's word."""
    for part, rules in _dns_names(case, proposal):
        if is_wildcard(part.value) and not allows_wildcard(rules, part.value, case.request):
            patterns = () if isinstance(rules.wildcards, bool) else rules.wildcards
            also = f", and wildcards {', '.join(map(quoted, patterns))}" if patterns else ""
            yield case.denial(
                "sans.dns.wildcards",
                f"{name_words(part.name)} is a wildcard; allowed are names without"
                f"{also or ' (wildcards: false)'}",
                part.at,
                remedy="list the names themselves or change the policy",
            )


def check_special(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`sans.dns.special`: no star allows a name that more software trusts than its author means."""
    for part, rules in _dns_names(case, proposal):
        for kind in unsaid(rules, part.value, case.request):
            yield case.denial(
                "sans.dns.special",
                f"{name_words(part.name)} {_SPECIAL_WORDS[kind]} ({kind});"
                f" {allowed(rules.special, quote=False)}, and what a pattern without stars says",
                part.at,
                remedy=f"change the name, or list it or {kind} in the policy",
            )


def check_counts(case: Case, _: Proposal) -> Iterator[Finding]:
    """`sans.*.required` and `sans.*.max`: at least one name of a type, and not too many."""
    names = stated_names(case)
    for field in san_fields(case.policy.spec.sans):
        count, rules = sum(map(field.covers, names)), field.rules
        at = _place(case, field)
        if rules.required and not count:
            message = f"no {_type_words(field)} is stated and at least one is required"
            rule = f"sans.{field.path}.required"
            yield case.denial(rule, message, at, remedy="state one")
        if rules.max is not None and count > rules.max:
            message = f"{count} names of type {field.path}; allowed are {rules.max}"
            remedy = "part them over several requests or change the policy"
            yield case.denial(f"sans.{field.path}.max", message, at, remedy=remedy)


def check_total(case: Case, _: Proposal) -> Iterator[Finding]:
    """`sans.min` and `sans.max`: names of all types together, neither too few nor too many."""
    count, rules = len(stated_names(case)), case.policy.spec.sans
    from_csr = case.policy.spec.names_from == "csr"
    at = case.csr_at if from_csr else case.request.at("spec", "sans")
    if rules.min is not None and count < rules.min:
        message = f"{count} alternative names are stated; at least {rules.min} are required"
        yield case.denial("sans.min", message, at, remedy="state more or change the policy")
    if rules.max is not None and count > rules.max:
        message = f"{count} alternative names are stated; allowed are {rules.max}"
        remedy = "part them over several requests or change the policy"
        yield case.denial("sans.max", message, at, remedy=remedy)


def check_duplicates(_: Case, proposal: Proposal) -> Iterator[Finding]:
    """`sans.duplicate`: no name stands twice, compared in its canonical form."""
    first: dict[GeneralName, StatedName] = {}
    for part in proposal.sans:
        earlier = first.setdefault(part.name, part)
        if earlier is not part:
            yield objection(
                "sans.duplicate",
                f"{name_words(part.name)} stands already at {earlier.at}; allowed is once",
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


def _ruled(case: Case, proposal: Proposal) -> Iterator[tuple[StatedName, SanField]]:
    for part in proposal.sans:
        field = field_of(case.policy.spec.sans, part.name)
        if field is not None:
            yield part, field


def _dns_names(case: Case, proposal: Proposal) -> Iterator[tuple[StatedName, DnsRules]]:
    for part, field in _ruled(case, proposal):
        if isinstance(field.rules, DnsRules):
            yield part, field.rules


def _type_words(field: SanField) -> str:
    return f"{KIND_WORDS[field.kind]} {field.type_id}".rstrip()


def _place(case: Case, field: SanField) -> Location:
    if case.policy.spec.names_from == "csr":
        return case.csr_at
    return case.request.at("spec", "sans", field.kind)
