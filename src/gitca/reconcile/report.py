"""What a reconcile did, for whoever prints it and for the exit code."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from gitca.findings import Finding, has_errors
from gitca.ledger.events import Ordered, Revoked
from gitca.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Held:
    """An order that is left because another run holds it until its lease is over."""

    ordered: Ordered
    until: datetime


@dataclass(slots=True)
class Report:
    """The whole of a reconcile, over its rounds.

    `plan` is the first round's; `findings` the last round's, with those of building, of which what
    stopped nothing is kept from every round. `waiting` are the orders of CAs whose key is out of
    reach or not selected, `unreachable` says why by CA.
    """

    run: str
    plan: Plan | None = None
    findings: tuple[Finding, ...] = ()
    signed: list[Ordered] = field(default_factory=list)
    resumed: list[Ordered] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)
    revoked: list[Revoked] = field(default_factory=list)
    held: tuple[Held, ...] = ()
    waiting: tuple[Ordered, ...] = ()
    unreachable: dict[str, str] = field(default_factory=dict)
    lost_races: int = 0
    tip: str | None = None
    working_tree: str = ""

    @property
    def exit_code(self) -> Literal[0, 1, 3, 4]:
        """0 done; 1 findings; 3 others hold orders, run again; 4 a key was out of reach."""
        if self.unreachable:
            return 4
        if self.held:
            return 3
        return 1 if has_errors(self.findings) else 0
