"""What a command found out, for whoever renders it: a plan's, or that of looking at documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from gitca.findings import Finding, Severity, has_errors
from gitca.plan.background import Background
from gitca.plan.model import Action, Plan
from gitca.plan.what_if import WhatIf


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was looked at (`documents` are paths, sorted) and what was found.

    With `is_strict` warnings weigh as much as errors, as `--require-clean` says. `plan`, `what_if`
    and `background` are there where a plan was made.
    """

    command: Literal["plan", "validate"]
    documents: tuple[str, ...]
    findings: tuple[Finding, ...]
    plan: Plan | None = None
    what_if: WhatIf | None = None
    background: Callable[[Action], Background] | None = None
    is_strict: bool = False

    @property
    def is_red(self) -> bool:
        """Whether the job is to fail: there are errors, or warnings where none may be."""
        return has_errors(self.findings) or bool(self.is_strict and self.of(Severity.WARNING))

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity is severity)


def heaviest_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings with errors before warnings before notes, otherwise in their order."""
    order = list(Severity)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))
