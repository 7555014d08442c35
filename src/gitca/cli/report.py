"""Findings for people: one line each, and a last line that counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TextIO

from gitca.cli.output import Styled, counted, write_line
from gitca.findings import Finding, Severity

FINDINGS = 1  # the exit code that says that a document has errors
_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def write_findings(findings: Iterable[Finding], *, stream: TextIO | None = None) -> None:
    """Write each finding on a line, as editors and CI systems know to link it."""
    for finding in findings:
        place = f"{finding.location}:"
        rest = str(finding).removeprefix(place)
        write_line(Styled(place, _STYLES[finding.severity]), rest, stream=stream)


def tally(findings: Sequence[Finding]) -> str:
    """`2 errors, 1 warning`, or `no findings`."""
    found = Counter(finding.severity for finding in findings)
    return ", ".join(counted(found[s], s.value) for s in Severity if found[s]) or "no findings"
