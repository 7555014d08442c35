"""History: which files the newest commits changed below a path."""

from __future__ import annotations

from dataclasses import dataclass

from gitca.git.process import Git, as_text
from gitca.git.refs import object_id


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that a commit changed; `before` or `after` is None where it was or is not there.

    `mode` is what it is now, as Git writes it: `100644` for a file.
    """

    commit: str
    path: str
    before: str | None
    after: str | None
    mode: str


def last_changes(
    git: Git, commit: str, path: str, *, count: int | None = None, after: str | None = None
) -> list[FileChange]:
    """Return the changes below a path that the `count` newest commits with any made, or all.

    Newest first; `after`: without that commit and its history. Both sides of merges are looked at;
    what a merge itself changed is left out.
    """
    options = (
        "--full-history",
        "--topo-order",
        "--no-merges",
        "--no-renames",
        "--no-ext-diff",
        "--no-abbrev",
    )
    limit = () if count is None else (f"--max-count={count}",)
    excluded = () if after is None else (f"^{object_id(after)}",)
    shape = (*limit, "--format=%H", "--raw", "-z")
    answer = git.ask("log", *shape, *options, object_id(commit), *excluded, "--", path)
    fields = iter(as_text(answer).split("\0"))
    changes, current = [], ""
    for field in fields:
        text = field.strip("\n")
        if text.startswith(":"):
            # ":<mode> SP <mode> SP <blob> SP <blob> SP <status>", then the path
            _, mode, before, after, _ = text.split(" ")
            path = next(fields)
            blobs = (blob_or_none(before), blob_or_none(after))
            changes.append(FileChange(current, path, *blobs, mode))
        elif text:
            current = text
    return changes


def blob_or_none(text: str) -> str | None:
    """Return the id of a blob as Git's raw format has it; None for the one of zeros."""
    return text if text.strip("0") else None
