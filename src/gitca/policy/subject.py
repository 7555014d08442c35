"""The subject: every attribute is one that the policy mentions, with a value that it allows."""

from __future__ import annotations

from collections.abc import Iterator

from gitca.documents.issuance_policy import AttributeRule
from gitca.findings import Finding
from gitca.policy.case import Case, objection
from gitca.policy.dns_rules import allows_wildcard
from gitca.policy.identity import allow_list
from gitca.policy.names import stated_names
from gitca.policy.pattern_lists import pattern_list
from gitca.policy.proposal import Proposal, StatedAttribute
from gitca.policy.wording import allowed
from gitca.x509.names import is_wildcard
from gitca.x509.refusal import quoted
from gitca.x509.template import CONSTRAINED_KINDS


def check_attributes_mentioned(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`subject`: an attribute that the policy does not mention may not appear."""
    rules = case.policy.spec.subject
    for part in proposal.subject:
        if part.type not in rules:
            yield case.denial(
                f"subject.{part.type}",
                f"subject {part.type} {quoted(part.value)} is not mentioned by the policy;"
                f" {allowed(rules, quote=False)}",
                part.at,
                remedy=f"remove {part.type} or change the policy",
            )


def check_values_allowed(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`subject.*.allow`: a value matches a pattern, or is the default."""
    for part, rule in _ruled(case, proposal):
        if rule.fixed is not None or part.value == rule.default:
            continue
        patterns = rule.allow or ()
        if not _admits(case, part, patterns):
            also = () if rule.default is None else (rule.default,)
            yield case.denial(
                f"subject.{part.type}.allow",
                f"subject {part.type} {quoted(part.value)} is not allowed;"
                f" {allowed((*patterns, *also))}",
                part.at,
                remedy="change the value or the policy",
            )


def check_values_denied(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`subject.*.deny`: no value matches, whoever supplied it."""
    for part, rule in _ruled(case, proposal):
        denying = _denying(part, rule)
        if denying is not None:
            yield case.denial(
                f"subject.{part.type}.deny",
                f"subject {part.type} {quoted(part.value)} is denied by {quoted(denying)}; deny"
                " goes before allow",
                part.at,
                remedy="change the value or the policy",
            )


def check_values_counted(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`subject.*.max`: the attribute has not too many values."""
    values: dict[str, list[StatedAttribute]] = {}
    for part, rule in _ruled(case, proposal):
        stated = values.setdefault(part.type, [])
        stated.append(part)
        if rule.max is not None and len(stated) == rule.max + 1:
            yield case.denial(
                f"subject.{part.type}.max",
                f"subject {part.type} {quoted(part.value)} is value {len(stated)} of its attribute;"
                f" allowed are {rule.max}",
                part.at,
                remedy="remove it or change the policy",
            )


def check_values_fixed(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`subject.*.fixed`: a request that states the attribute states the fixed value."""
    for part, rule in _ruled(case, proposal):
        if rule.fixed is not None and part.value != rule.fixed:
            yield case.denial(
                f"subject.{part.type}.fixed",
                f"subject {part.type} {quoted(part.value)} is not allowed; {allowed([rule.fixed])}",
                part.at,
                remedy=f"remove {part.type}: the policy supplies it",
            )


def check_required(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`subject.*.required`: the attribute is there."""
    # What is stated and unsound is a finding of its own, and not missing.
    stated = {part.type for part in proposal.subject} | set(case.request.spec.subject)
    for type_name, rule in case.policy.spec.subject.items():
        if rule.required and type_name not in stated:
            yield case.denial(
                f"subject.{type_name}.required",
                f"subject {type_name} is missing and required",
                case.request.at("spec", "subject"),
                remedy=f"state a {type_name}",
            )


def check_values_in_sans(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`subject.*.mustBeInSans`: the value is also one of the alternative names."""
    names = {part.value for part in proposal.sans if part.name.kind in CONSTRAINED_KINDS}
    names.update(name.value for name in stated_names(case) if name.kind in CONSTRAINED_KINDS)
    folded = {part.value for part in proposal.sans if part.name.kind == "dns"}
    for part, rule in _ruled(case, proposal):
        if rule.must_be_in_sans and part.value not in names and part.value.lower() not in folded:
            yield case.denial(
                f"subject.{part.type}.mustBeInSans",
                f"subject {part.type} {quoted(part.value)} is none of the alternative names;"
                f" {allowed(sorted(names))}",
                part.at,
                remedy="list it under sans too, or use one of these",
            )


def check_duplicates(_: Case, proposal: Proposal) -> Iterator[Finding]:
    """`subject.duplicate`: no attribute stands twice with one value, and commonName only once.

    Software that knows one common name alone reads the first or the last.
    """
    first: dict[tuple[str, str], StatedAttribute] = {}
    for part in proposal.subject:
        key = (part.type, "" if part.type == "commonName" else part.value)
        earlier = first.setdefault(key, part)
        if earlier is not part:
            yield objection(
                "subject.duplicate",
                f"subject {part.type} {quoted(part.value)} follows {quoted(earlier.value)} of"
                f" {earlier.at}; allowed is one",
                part.at,
                remedy="remove one of them",
            )


def _ruled(case: Case, proposal: Proposal) -> Iterator[tuple[StatedAttribute, AttributeRule]]:
    rules: dict[str, AttributeRule] = dict(case.policy.spec.subject.items())
    for part in proposal.subject:
        rule = rules.get(part.type)
        if rule is not None:
            yield part, rule


def _admits(case: Case, part: StatedAttribute, patterns: tuple[str, ...]) -> bool:
    # No star of a value pattern stands for a star. A common name that is a wildcard is read as the
    # DNS name that it is to clients, and only where the wildcard may be asked for at all.
    dns = case.policy.spec.sans.dns
    if _is_wildcard_name(part) and dns and allows_wildcard(dns, part.value, case.request):
        return allow_list("dns", patterns, case.request).admits(part.value)
    return allow_list("value", patterns, case.request).admits(part.value)


def _denying(part: StatedAttribute, rule: AttributeRule) -> str | None:
    denying = pattern_list("value", rule.deny).forbidding(part.value)
    if denying is None and _is_wildcard_name(part):
        return pattern_list("dns", rule.deny).forbidding(part.value.lower())
    return denying


def _is_wildcard_name(part: StatedAttribute) -> bool:
    return part.type == "commonName" and is_wildcard(part.value)
