"""Findings as GitLab's code-quality report, a subset of Code Climate's format.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gitca.findings import Finding, Severity
from gitca.plan.fingerprints import with_fingerprints
from gitca.plan.outcome import Outcome, heaviest_first
from gitca.x509.visible_text import spelled_out

_SEVERITIES: Mapping[Severity, str] = MappingProxyType(
    {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}
)


def codequality_record(outcome: Outcome) -> list[dict[str, object]]:
    """Return the report: one entry a finding, errors first."""
    found = with_fingerprints(heaviest_first(outcome.findings))
    return [_entry(finding, fingerprint) for finding, fingerprint in found]


def _entry(finding: Finding, fingerprint: str) -> dict[str, object]:
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    return {
        "description": spelled_out(finding.message + remedy),
        "check_name": finding.rule,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": finding.location.file,
            "lines": {"begin": finding.location.line},
        },
    }
