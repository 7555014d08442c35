"""One thing that `gitca doctor` looked at, and how it stands."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gitca.errors import GitcaError

_LARGEST = 256 * 1024


class Outcome(enum.StrEnum):
    """How a thing stands; FAILED alone makes the command exit with 1."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at (`ca` where it is a CA's), how it stands, what was seen, what to do."""

    about: str
    outcome: Outcome
    seen: str
    remedy: str = ""
    ca: str | None = None

    def as_json(self) -> dict[str, object]:
        """The check as `gitca doctor --format json` gives it."""
        return {
            "about": self.about,
            "ca": self.ca,
            "outcome": self.outcome.value,
            "seen": self.seen,
            "remedy": self.remedy or None,
        }


def failed(about: str, error: GitcaError | OSError, *, ca: str | None = None) -> Check:
    """Return that a check came to an error."""
    if isinstance(error, GitcaError):
        return Check(about, Outcome.FAILED, error.message, error.remedy, ca)
    place = f": {error.filename}" if error.filename else ""
    return Check(about, Outcome.FAILED, f"{error.strerror or error}{place}", "mend that", ca)


def read_small(path: Path) -> str:
    """Return the beginning of a file, a quarter mebibyte at the most. Raises: OSError."""
    with path.open("rb") as file:
        return file.read(_LARGEST).decode("utf-8", "replace")


def attempt(
    about: str, checks: Callable[[], Iterable[Check]], *, ca: str | None = None
) -> Iterator[Check]:
    """Yield the checks, and where an error ends them, that; nothing after it is held up."""
    try:
        yield from checks()
    except (GitcaError, OSError) as error:
        yield failed(about, error, ca=ca)
