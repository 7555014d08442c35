"""The findings that checks of documents give: errors, which keep a document out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from gitca.findings import Finding, Location, Severity

MAX_FINDINGS = 50
"""Findings that one document gives at most; the rest is counted."""


def flaw(rule: str, message: str, place: Location, remedy: str) -> Finding:
    """Return an error at a place: what was seen and allowed, and what to do."""
    return Finding(rule, Severity.ERROR, message, place, remedy)


def bounded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the first 50 findings about a document and one that counts the rest."""
    rest = iter(findings)
    first = tuple(islice(rest, MAX_FINDINGS))
    over = next(rest, None)
    if over is None:
        return first
    message = f"{1 + sum(1 for _ in rest)} more findings in this document are not shown"
    return (*first, flaw("document.findings", message, over.location, "mend the others first"))
