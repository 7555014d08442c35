"""Real repositories in a temporary folder, for the tests of gitca.git."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gitca.git.fast_import import Identity
from gitca.git.repository import GitRepository

AUTHOR = Identity("gitca", "gitca@example.internal")
WHEN = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def plain_git(path: Path, *arguments: str | bytes, stdin: bytes = b"", check: bool = True) -> str:
    """Run Git as a user would; return its output, undecodable bytes as surrogates."""
    who = {f"GIT_{role}_{part}": f"user{sign}" for role in ("AUTHOR", "COMMITTER")
           for part, sign in (("NAME", ""), ("EMAIL", "@example.org"))}  # fmt: skip
    done = subprocess.run(
        ["git", *arguments], cwd=path, input=stdin, capture_output=True, env=os.environ | who,
        check=False,
    )  # fmt: skip
    if check and done.returncode != 0:
        raise AssertionError(f"git {arguments}: {done.stderr.decode()}")
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


@dataclass
class Workshop:
    """Makes repositories below one folder, and opens them for the length of a test."""

    top: Path
    opened: ExitStack

    def new(self, name: str = "work", *options: str) -> Path:
        """A repository with one commit on main: `README` and `issued/a`."""
        path = self.top / name
        plain_git(self.top, "init", "-q", "-b", "main", *options, name)
        self.write(path, {"README": "readme\n", "issued/a": "a\n"})
        plain_git(path, "add", "-A")
        plain_git(path, "commit", "-q", "-m", "first")
        return path

    def bare(self, name: str = "origin.git") -> Path:
        """An empty bare repository."""
        plain_git(self.top, "init", "-q", "-b", "main", "--bare", name)
        return self.top / name

    def clone(self, origin: Path | str, name: str, *options: str) -> Path:
        """A clone of a repository."""
        plain_git(self.top, "clone", "-q", *options, str(origin), name)
        return self.top / name

    def pair(self) -> tuple[Path, Path]:
        """A bare origin with one commit on main, and a clone of it."""
        origin, seed = self.bare(), self.new("seed")
        plain_git(seed, "push", "-q", str(origin), "main")
        return origin, self.clone(origin, "work")

    def open(self, path: Path, *, network_timeout: float = 60.0) -> GitRepository:
        """The repository as gitca opens it, closed after the test."""
        repository = GitRepository.open(path, network_timeout=network_timeout)
        return self.opened.enter_context(repository)

    @staticmethod
    def write(path: Path, files: dict[str, str]) -> None:
        """Write files below a folder."""
        for name, text in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(text)

    @staticmethod
    def script(path: Path, text: str) -> Path:
        """An executable shell script."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path


def add(
    repository: GitRepository,
    parent: str | None,
    changes: dict[str, bytes | None],
    subtrees: dict[str, str] | None = None,
) -> str:
    """A commit by gitca, with what the tests do not care for filled in."""
    return repository.commit(
        parent,
        changes=changes,
        message="gitca: test",
        author=AUTHOR,
        when=WHEN,
        subtrees=subtrees,
    )
