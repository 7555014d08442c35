"""What the options before the command say, and where the repository is."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

import typer

from gitca.errors import UsageError


class Verbosity(enum.IntEnum):
    """How much is said besides the answer."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """The options before the command. `repo` is any folder of the repository."""

    repo: Path
    verbosity: Verbosity = Verbosity.NORMAL

    @property
    def root(self) -> Path:
        """The folder that holds `ca/`, `policies/`, `requests/` and `issued/`."""
        return find_root(self.repo)

    @property
    def is_quiet(self) -> bool:
        """Whether only findings and failures are wanted."""
        return self.verbosity is Verbosity.QUIET

    @property
    def is_verbose(self) -> bool:
        """Whether details are wanted that are of use when something is being looked into."""
        return self.verbosity is Verbosity.VERBOSE


def settings_of(context: typer.Context) -> Settings:
    """The settings that the callback of the application laid down for this run."""
    settings = context.find_object(Settings)
    return Settings(repo=Path()) if settings is None else settings


def find_root(start: Path) -> Path:
    """The repository's top folder: the nearest one upwards that holds `.git`, or else `ca/`.

    Raises: UsageError where there is none.
    """
    folder = start.absolute()
    if not folder.is_dir():
        raise UsageError(f"{start} is not a folder", remedy="give --repo a CA repository")
    above = [folder, *folder.parents]
    for mark in (".git", "ca"):
        for candidate in above:
            if (candidate / mark).exists():
                return candidate
    raise UsageError(
        f"no CA repository at {start} or above it",
        remedy="go to one, name it with --repo, or make one with `gitca init DIR`",
    )
