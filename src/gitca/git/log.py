"""History: which files the newest commits changed below a path."""

from __future__ import annotations

from dataclasses import dataclass

from gitca.git.process import Git, as_text
from gitca.git.refs import object_id


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that a commit changed; `before` or `after` is None where it was or is not there."""

    commit: str
    path: str
    before: str | None
    after: str | None


def last_changes(git: Git, commit: str, path: str, *, count: int) -> list[FileChange]:
    """Return the changes below a path that the `count` newest commits with any made.

    Newest first. Both sides of merges are looked at; what a merge itself changed is left out.
    """
    options = ("--full-history", "--no-merges", "--no-renames", "--no-ext-diff", "--no-abbrev")
    shape = (f"--max-count={count}", "--format=%H", "--raw", "-z")
    answer = git.ask("log", *shape, *options, object_id(commit), "--", path)
    fields = iter(as_text(answer).split("\0"))
    changes, current = [], ""
    for field in fields:
        text = field.strip("\n")
        if text.startswith(":"):
            # ":<mode> SP <mode> SP <blob> SP <blob> SP <status>", then the path
            _, _, before, after, _ = text.split(" ")
            changes.append(FileChange(current, next(fields), _blob(before), _blob(after)))
        elif text:
            current = text
    return changes


def _blob(text: str) -> str | None:
    return text if text.strip("0") else None
