"""What a run did, for whoever prints it and for the exit code."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from gitca.findings import Finding, has_errors
from gitca.ledger.events import Adopted, Ordered, Revoked
from gitca.plan.model import Plan
from gitca.reconcile.published import Published, gravest


@dataclass(frozen=True, slots=True)
class Held:
    """An order that is left because another run holds it until its lease is over."""

    ordered: Ordered
    until: datetime


class Missing(enum.StrEnum):
    """Why an order has to wait."""

    ABSENT = "absent"
    NOT_SELECTED = "not selected"
    UNREACHABLE = "unreachable"
    CANNOT_SIGN = "cannot sign"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that stays recorded: the key of CA `ca` is missing, or a document is in the way.

    `reason` says of a document what is to happen first; it is empty where a key is missing.
    """

    ordered: Ordered
    missing: Missing
    ca: str
    reason: str = ""


@dataclass(slots=True)
class Report:
    """The whole of a run, over its rounds.

    `plan` is the first round's; `findings` the last round's, with those of building, of which what
    stopped nothing is kept from every round. `waiting` are the orders that stay recorded. `absent`
    and `unreachable` say by CA why its key could not be had. `is_wrongly_used` says that a key was
    asked for in a wrong way (a finding tells which), `declined` that a person, shown what was to be
    signed, said no. `published` is None where nothing was to be published.
    """

    run: str
    plan: Plan | None = None
    findings: tuple[Finding, ...] = ()
    signed: list[Ordered] = field(default_factory=list)
    resumed: list[Ordered] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)
    revoked: list[Revoked] = field(default_factory=list)
    adopted: list[Adopted] = field(default_factory=list)
    held: tuple[Held, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    absent: dict[str, str] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    is_wrongly_used: bool = False
    lost_races: int = 0
    tip: str | None = None
    working_tree: str = ""
    declined: bool = False
    published: Published | None = None

    @property
    def exit_code(self) -> int:
        """0 done; 1 findings, or declined; 3 others hold orders; 4 a backend did not answer.

        2 is a key that was asked for in a wrong way, as with another passphrase than its own. What
        publishing says counts as well, 5 included.

        Orders that wait for a key that is not at this machine are no failure: that is how an
        offline root works.
        """
        published = self.published.exit_code if self.published else 0
        return gravest((self._own_exit_code, published))

    @property
    def _own_exit_code(self) -> Literal[0, 1, 2, 3, 4]:
        if self.is_wrongly_used:
            return 2
        if self.unreachable:
            return 4
        if self.held:
            return 3
        return 1 if self.declined or has_errors(self.findings) else 0
