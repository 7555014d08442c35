"""Lineage: every commit of a history, with what a folder of it was, oldest first.

One `rev-list` and one `cat-file` answer for all commits; which files a commit changed is asked for
those alone whose folder is another than its parent's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from gitca.git.log import FileChange, blob_or_none, last_changes
from gitca.git.process import Git, as_text
from gitca.git.refs import object_id

_ASKED = 64  # commits whose changes are held at once


@dataclass(frozen=True, slots=True)
class Ancestor:
    """One commit of a history.

    `folder` is the id of the folder's tree in it, None where it is not there; `when` is the
    committer's date. A shallow clone shows no parents of the commits at its boundary.
    """

    commit: str
    parents: tuple[str, ...]
    folder: str | None
    name: str
    email: str
    when: datetime

    @property
    def who(self) -> str:
        """The committer as Git writes it."""
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True, slots=True)
class Past:
    """The history of one clone. Every method raises GitFailedError for what the clone lacks."""

    git: Git

    def lineage(self, tip: str, folder: str, *, after: str | None = None) -> list[Ancestor]:
        """Return the commits of a history, parents first; without that of `after`, if given."""
        shape = "--format=%H%x00%P%x00%cn%x00%ce%x00%ct"
        excluded = [f"^{object_id(after)}"] if after else []
        options = ("--topo-order", "--reverse", "--no-commit-header", shape)
        answer = self.git.ask("rev-list", *options, object_id(tip), *excluded)
        # A name may hold any byte but NUL and line feed; so not by splitlines().
        rows = [line.split("\0") for line in as_text(answer).split("\n")[:-1]]
        trees = self.objects_at([row[0] for row in rows], folder)
        return [_ancestor(row, tree) for row, tree in zip(rows, trees, strict=True)]

    def objects_at(self, commits: Iterable[str], path: str) -> list[str | None]:
        """Return the id of what each commit has at a path, file or folder; None for nothing."""
        asked = [object_id(commit) for commit in commits]
        if not asked:
            return []
        lines = _checked(self.git, asked, path, "%(objectname)")
        return [None if line.endswith(" missing") else line for line in lines]

    def trailers(self, commits: Iterable[str], key: str) -> dict[str, str]:
        """Return the last trailer of that key (git-interpret-trailers(1)) of those that have one.

        `key` consists of letters.
        """
        asked = [object_id(commit) for commit in commits]
        if not asked:
            return {}
        shape = f"--format=%H%x00%(trailers:key={key},valueonly,separator=%x00)"
        options = ("--no-walk=unsorted", "--stdin", "--no-show-signature", shape)
        stdin = "".join(f"{commit}\n" for commit in asked).encode()
        rows = (
            line.split("\0")
            for line in as_text(self.git.ask("log", *options, stdin=stdin)).split("\n")
        )
        return {row[0]: row[-1] for row in rows if len(row) > 1 and row[-1]}

    def trees_at(self, commits: Iterable[str], folder: str) -> list[tuple[str | None, int]]:
        """Return the tree of a folder in each commit, and how many bytes list it; None and 0.

        None, too, for a tree that a partial clone lacks.
        """
        asked = [object_id(commit) for commit in commits]
        lines = _checked(self.git, asked, folder, "%(objectname) %(objectsize)") if asked else []
        rows = (line.split(" ") for line in lines)
        return [(None, 0) if size == "missing" else (tree, int(size)) for *_, tree, size in rows]

    def changes_of(self, commits: Sequence[str], below: str = "") -> Iterator[list[FileChange]]:
        """Yield what each commit changed, of one parent or none each, in bounded memory.

        Below a folder, if one is given.
        """
        remaining = iter(commits)
        while batch := list(islice(remaining, _ASKED)):
            yield from _changes(self.git, batch, below)

    def last_changes(
        self, tip: str, path: str, *, count: int | None = None, after: str | None = None
    ) -> list[FileChange]:
        """Return what the newest commits that touched a path changed there, newest first."""
        return last_changes(self.git, tip, path, count=count, after=after)

    def last_change(self, tip: str, path: str) -> str | None:
        """Return the newest commit that touched a path, merges left out."""
        changes = last_changes(self.git, tip, path, count=1)
        return changes[0].commit if changes else None


def _checked(git: Git, commits: Sequence[str], path: str, shape: str) -> list[str]:
    stdin = "".join(f"{commit}:{path}\n" for commit in commits).encode()
    answer = as_text(git.ask("cat-file", f"--batch-check={shape}", stdin=stdin))
    return answer.removesuffix("\n").split("\n")


def _ancestor(row: Sequence[str], folder: str | None) -> Ancestor:
    commit, parents, name, email, seconds = row
    return Ancestor(commit, tuple(parents.split()), folder, name, email, _moment(seconds))


def _moment(seconds: str) -> datetime:
    """Return a commit's date; 1970, as Git shows it, for one that is no date or beyond them all."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _changes(git: Git, commits: Sequence[str], below: str) -> list[list[FileChange]]:
    stdin = "".join(f"{object_id(commit)}\n" for commit in commits).encode()
    options = ("--stdin", "-r", "--root", "--raw", "-z", "--no-renames", "--no-abbrev")
    paths = ("--", below) if below else ()
    answer = git.ask("diff-tree", *options, "--no-ext-diff", *paths, stdin=stdin)
    fields = iter(as_text(answer).split("\0"))
    changes: dict[str, list[FileChange]] = {commit: [] for commit in commits}
    current = ""
    for field in fields:
        if field.startswith(":"):
            # ":<mode> SP <mode> SP <blob> SP <blob> SP <status>", then the path
            _, mode, before, after, _ = field.split(" ")
            change = FileChange(
                current, next(fields), blob_or_none(before), blob_or_none(after), mode
            )
            changes[current].append(change)
        elif field:
            current = field
    # A commit that changes nothing is not named.
    return [changes[commit] for commit in commits]
