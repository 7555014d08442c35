"""The error family: what the world did, as opposed to findings, which are what a person wrote.

Each class carries the exit code that the command line documents, so that a pipeline can tell
"mend the document" from "run again" from "call a person".
"""

from typing import ClassVar


class GitcaError(Exception):
    """The root: a message for a person and the remedy, in words that hold no secret."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class UsageError(GitcaError):
    """The command was called wrongly: an unknown name, a missing file, an option out of range."""

    exit_code = 2


class LostRaceError(GitcaError):
    """Another writer was faster, or holds what is left to do; running again is safe and enough."""

    exit_code = 3


class BackendUnavailableError(GitcaError):
    """A remote, signer or publisher did not answer or throttled; run again."""

    exit_code = 4


class ContradictionError(GitcaError):
    """The repository contradicts itself (ledger, orders, certificates); a person must look."""

    exit_code = 5
