"""What became of publishing, target by target, for whoever prints it and for the exit code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gitca.errors import GitcaError
from gitca.findings import Finding, has_errors

GRAVEST_FIRST = (5, 2, 4, 3, 1, 0)
"""Exit codes by what a person has to do about them: look, mend the call, run again, mend words."""


def gravest(codes: Iterable[int]) -> int:
    """Return the exit code that weighs most; 0 for none."""
    return min(codes, key=GRAVEST_FIRST.index, default=0)


@dataclass(slots=True)
class TargetReport:
    """One target: what was sent, in the order of sending, and how much was there already.

    `failures` are why something was not sent; `notes` what a person may want to know. `is_ahead`
    says that the target has what a later commit gives.
    """

    number: int
    to: str
    sent: list[str] = field(default_factory=list)
    unchanged: int = 0
    failures: list[GitcaError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_ahead: bool = False

    @property
    def exit_code(self) -> int:
        """0 when the target has all of it; else as the gravest failure says."""
        return gravest(error.exit_code for error in self.failures)


@dataclass(slots=True)
class Published:
    """All targets, as of a commit; `findings` are about CRLs and the same for each of them."""

    commit: str | None
    targets: list[TargetReport] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()

    def after(self, earlier: Published) -> Published:
        """Return this, with what an earlier attempt of the same run sent."""
        sent = {target.to: target.sent for target in earlier.targets}
        for target in self.targets:
            target.sent = [*sent.get(target.to, ()), *target.sent]
        return self

    @property
    def exit_code(self) -> int:
        """The gravest of the targets' and of the findings'."""
        found = 1 if has_errors(self.findings) else 0
        return gravest((found, *(target.exit_code for target in self.targets)))
