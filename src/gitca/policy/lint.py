"""What the linter's results count under a policy: its level, and the lints that it ignores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.lint_rules import IgnoredLint, LintRules
from gitca.findings import Finding, Severity


def ignored_by(rules: LintRules, code: str, now: datetime) -> IgnoredLint | None:
    """Return the entry that lets a lint stop nothing at this moment, if there is one."""
    entries = (entry for entry in rules.ignore if entry.lint == code and now < entry.until)
    return next(entries, None)


def stopping_severity(rules: LintRules, severity: Severity) -> Severity:
    """Return how much a result weighs: at level warning, a warning is an error."""
    is_raised = rules.level == "warning" and severity is Severity.WARNING
    return Severity.ERROR if is_raised else severity


def examine_lint(policy: Document[IssuancePolicySpec], now: datetime) -> Iterator[Finding]:
    """Yield a warning, at its place in the policy, for every ignored lint that counts again."""
    for index, entry in enumerate(policy.spec.lint.ignore):
        if entry.until <= now:
            yield Finding(
                rule="lint.ignore",
                severity=Severity.WARNING,
                message=f"{entry.lint} was ignored until {entry.until:%Y-%m-%dT%H:%M:%SZ}, and"
                " counts again",
                location=policy.at("spec", "lint", "ignore", index, "until"),
                remedy="remove the entry, or give it a new date with its reason",
                policy=policy.name,
            )
