"""Allow and deny lists, compiled once and kept, with what is wrong with their entries."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.findings import Finding, Severity
from gitca.policy.patterns import Pattern, PatternError, PatternKind, compile_pattern


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


@functools.lru_cache(maxsize=1024)
def pattern_list(kind: PatternKind, texts: tuple[str, ...]) -> PatternList:
    """Return the compiled list."""
    entries: list[tuple[str, Pattern]] = []
    problems: list[tuple[int, str]] = []
    for index, text in enumerate(texts):
        try:
            entries.append((text, compile_pattern(kind, text)))
        except PatternError as error:
            problems.append((index, str(error)))
    return PatternList(tuple(entries), tuple(problems))


def examine_patterns(policy: Document[IssuancePolicySpec]) -> Iterator[Finding]:
    """Yield a finding, at its place in the policy, for every pattern that means nothing.

    A list that was not understood whole must not be judged by, for an entry of a deny-list may be
    what is missing.
    """
    for pointer, kind, texts in _lists(policy.spec):
        for index, problem in pattern_list(kind, texts).problems:
            yield Finding(
                rule="policy.pattern",
                severity=Severity.ERROR,
                message=f"pattern {problem}",
                location=policy.at("spec", *pointer, index),
                remedy="write * for one label or segment and ** for one or more",
                policy=policy.name,
            )


_Lists = Iterator[tuple[tuple[str, ...], PatternKind, tuple[str, ...]]]


def _lists(spec: IssuancePolicySpec) -> _Lists:
    yield ("selector", "paths"), "path", spec.selector.paths
    for label, pattern in spec.selector.labels.items():
        yield ("selector", "labels", label), "value", (pattern,)
    if spec.selector.requesters:
        yield ("selector", "requesters", "authors"), "email", spec.selector.requesters.authors or ()
        committers = spec.selector.requesters.committers or ()
        yield ("selector", "requesters", "committers"), "email", committers
    for type_name, rule in spec.subject.items():
        yield ("subject", type_name, "allow"), "value", rule.allow or ()
    sans = spec.sans
    if sans.dns:
        yield ("sans", "dns", "allow"), "dns", sans.dns.allow
        yield ("sans", "dns", "deny"), "dns", sans.dns.deny
    if sans.ip:
        yield ("sans", "ip", "allow"), "ip", sans.ip.allow
        yield ("sans", "ip", "deny"), "ip", sans.ip.deny
    if sans.uri:
        yield ("sans", "uri", "allow"), "uri", sans.uri.allow
        yield ("sans", "uri", "deny"), "uri", sans.uri.deny
    if sans.email:
        yield ("sans", "email", "allow"), "email", sans.email.allow
        yield ("sans", "email", "deny"), "email", sans.email.deny
