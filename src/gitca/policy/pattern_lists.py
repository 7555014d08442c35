"""Allow and deny lists, compiled once and kept, with what is wrong with their entries."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec, SanRules
from gitca.documents.other_name_rules import SpiffeRules
from gitca.findings import Finding, Severity
from gitca.policy.patterns import Pattern, PatternError, PatternKind, Values, compile_pattern
from gitca.x509.general_names import UPN_OID

# The values of these types of other name are addresses, and their patterns those of addresses.
_ADDRESS_TYPES = frozenset({UPN_OID})


@dataclass(frozen=True, slots=True)
class PatternList:
    """The entries that compile, as (text, pattern), and the others, as (index, what is wrong)."""

    entries: tuple[tuple[str, Pattern], ...]
    problems: tuple[tuple[int, str], ...]

    def admits(self, value: str) -> bool:
        """Whether an entry of an allow-list allows the value; an empty list allows nothing."""
        return any(pattern.admits(value) for _, pattern in self.entries)

    def forbidding(self, value: str) -> str | None:
        """Return the first entry of a deny-list that denies the value."""
        return next((text for text, pattern in self.entries if pattern.forbids(value)), None)


@functools.lru_cache(maxsize=4096)
def pattern_list(kind: PatternKind, texts: tuple[str, ...], values: Values = ()) -> PatternList:
    """Return the compiled list; an identity template without a value matches nothing."""
    entries: list[tuple[str, Pattern]] = []
    problems: list[tuple[int, str]] = []
    for index, text in enumerate(texts):
        try:
            used = tuple(value for value in values if f"{{{value[0]}}}" in text)
            entries.append((text, compile_pattern(kind, text, used)))
        except PatternError as error:
            problems.append((index, str(error)))
    return PatternList(tuple(entries), tuple(problems))


def examine_patterns(policy: Document[IssuancePolicySpec]) -> Iterator[Finding]:
    """Yield a finding, at its place in the policy, for every pattern that means nothing.

    A list that was not understood whole must not be judged by, for an entry of a deny-list may be
    what is missing.
    """
    for pointer, kind, texts in listed_patterns(policy.spec):
        for index, problem in pattern_list(kind, texts).problems:
            yield Finding(
                rule="policy.pattern",
                severity=Severity.ERROR,
                message=f"pattern {problem}",
                location=policy.at("spec", *pointer, index),
                remedy="write * for one label or segment and ** for one or more",
                policy=policy.name,
            )


_Lists = Iterator[tuple[tuple[str | int, ...], PatternKind, tuple[str, ...]]]


def listed_patterns(spec: IssuancePolicySpec) -> _Lists:
    """Yield every list of patterns of a policy with its pointer from the spec and its kind."""
    yield ("selector", "paths"), "path", spec.selector.paths
    for label, pattern in spec.selector.labels.items():
        yield ("selector", "labels", label), "value", (pattern,)
    if spec.selector.requesters:
        yield ("selector", "requesters", "authors"), "email", spec.selector.requesters.authors or ()
        committers = spec.selector.requesters.committers or ()
        yield ("selector", "requesters", "committers"), "email", committers
    for type_name, rule in spec.subject.items():
        yield ("subject", type_name, "allow"), "value", rule.allow or ()
        yield ("subject", type_name, "deny"), "value", rule.deny
    yield from _san_lists(spec.sans)
    yield from _rare_san_lists(spec.sans)


def _san_lists(sans: SanRules) -> _Lists:
    if sans.dns:
        yield ("sans", "dns", "allow"), "dns", sans.dns.allow
        yield ("sans", "dns", "deny"), "dns", sans.dns.deny
        if not isinstance(sans.dns.wildcards, bool):
            yield ("sans", "dns", "wildcards"), "dns", sans.dns.wildcards
    if sans.ip:
        yield ("sans", "ip", "allow"), "ip", sans.ip.allow
        yield ("sans", "ip", "deny"), "ip", sans.ip.deny
    if sans.uri:
        yield ("sans", "uri", "allow"), "uri", sans.uri.allow
        yield ("sans", "uri", "deny"), "uri", sans.uri.deny
        if sans.uri.spiffe:
            yield ("sans", "uri", "spiffe", "paths"), "uri", spiffe_patterns(sans.uri.spiffe)
    if sans.email:
        yield ("sans", "email", "allow"), "email", sans.email.allow
        yield ("sans", "email", "deny"), "email", sans.email.deny


def _rare_san_lists(sans: SanRules) -> _Lists:
    for oid, rules in sans.other_name.items():
        kind = other_name_kind(oid)
        yield ("sans", "otherName", oid, "allow"), kind, rules.allow
        yield ("sans", "otherName", oid, "deny"), kind, rules.deny
    if sans.registered_id:
        yield ("sans", "registeredID", "allow"), "oid", sans.registered_id.allow
        yield ("sans", "registeredID", "deny"), "oid", sans.registered_id.deny
    if sans.directory_name:
        lists = (("allow", sans.directory_name.allow), ("deny", sans.directory_name.deny))
        for side, patterns in lists:
            for index, pattern in enumerate(patterns):
                for type_name, texts in pattern.items():
                    yield ("sans", "directoryName", side, index, type_name), "value", texts


def other_name_kind(type_id: str) -> PatternKind:
    """Return the kind of the patterns that speak of other names of a type."""
    return "email" if type_id in _ADDRESS_TYPES else "value"


@functools.lru_cache(maxsize=1024)
def spiffe_patterns(rules: SpiffeRules) -> tuple[str, ...]:
    """Return the URI patterns of the SPIFFE IDs that a policy allows."""
    return tuple(f"spiffe://{rules.trust_domain}/{path}" for path in rules.paths)
