"""What a verification proved, what contradicts, and what could not be checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

FIND = "find the commit that changed it (git log -- issued), and restore what it changed"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One thing in the repository that cannot be true together with the rest.

    `invariant` is its number in DESIGN section 7 (`I2`), `place` the file or order it was seen at.
    """

    invariant: str
    place: str
    message: str
    remedy: str


@dataclass(slots=True)
class VerifyReport:
    """The result of `verify`: how much of what was checked, and each contradiction."""

    checked: Counter[str] = field(default_factory=Counter)
    contradictions: list[Contradiction] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> Literal[0, 5]:
        """0 when nothing contradicts, 5 when a person must look."""
        return 5 if self.contradictions else 0
