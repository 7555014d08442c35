"""What a verification proved, what contradicts, and what could not be checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

FIND = "find the commit that changed it (git log -- issued), and restore what it changed"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One thing in the repository that cannot be true together with the rest.

    `invariant` is its number in DESIGN section 7 (`I2`), `place` the file or order it was seen at,
    `commit` the one that brought it, where that is known, `segment` the ledger's at that point.
    """

    invariant: str
    place: str
    message: str
    remedy: str
    commit: str = ""
    segment: int | None = None


@dataclass(slots=True)
class VerifyReport:
    """The result of `verify`: how much of what was checked, and each contradiction, first first.

    `unchecked` says what this clone cannot tell, `remarks` what was out of order and is mended,
    `ahead` what is dated later than the clock of whoever verifies, `roots` the fingerprint
    (`sha256:…`) of each root's certificate by the CA's name: no clone can prove that they are the
    ones that are meant.
    """

    checked: Counter[str] = field(default_factory=Counter)
    contradictions: list[Contradiction] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    ahead: list[str] = field(default_factory=list)
    roots: dict[str, str] = field(default_factory=dict)
    since: int = 0

    @property
    def exit_code(self) -> Literal[0, 5]:
        """0 when nothing contradicts, 5 when a person must look."""
        return 5 if self.contradictions else 0

    @property
    def is_complete(self) -> bool:
        """Whether this clone had all that a clone can prove with."""
        return not self.unchecked
