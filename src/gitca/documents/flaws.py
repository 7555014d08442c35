"""The finding that every check of documents gives: an error, which keeps its document out."""

from __future__ import annotations

from gitca.findings import Finding, Location, Severity


def flaw(rule: str, message: str, place: Location, remedy: str) -> Finding:
    """Return an error at a place: what was seen and allowed, and what to do."""
    return Finding(rule, Severity.ERROR, message, place, remedy)
