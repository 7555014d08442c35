"""Growth: the ledger only ever grew, over every commit of a history (I10).

A chain of hashes that lost its last segments is a valid chain, and so is one that a forger linked
anew. But the commits that added the segments are in the history, and say in their messages which
(`gitca.git.message.statement`). So the folder of the ledger, which grows with every commit, is
listed in few of them alone: those whose folder grew by something else than what they state. A
commit that hides what it did to others' segments hides nothing: the others' commits state them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitca.errors import ContradictionError
from gitca.git.log import FileChange
from gitca.git.process import as_text
from gitca.git.refs import object_id
from gitca.git.repository import GitRepository
from gitca.ledger.segment import LEDGER_FOLDER, segment_path

_STATEMENT = re.compile(r"^Ledger-Segment: ([1-9][0-9]*) ([0-9a-f]{40}|[0-9a-f]{64})$", re.M)
_DIGITS = 20  # of a segment's number, at the most
_MODE = len("100644 ") + 1  # what Git's tree objects hold beside a name and an id, with the NUL


@dataclass(frozen=True, slots=True)
class _Step:
    """One commit: its parents, the segments that it states (path to blob), the ledger's tree."""

    commit: str
    parents: tuple[str, ...]
    stated: Mapping[str, str]
    folder: str | None
    size: int


def check_growth(
    repository: GitRepository, tip: str, segments: Mapping[str, str], *, after: str | None = None
) -> None:
    """Raise ContradictionError where segments of the ledger were taken away or changed (I10).

    What the first commit of each path added must be at the tip, and so must what any other added:
    of two branches that were merged, both may have gone on. `segments` are those at `tip`, path to
    blob; `after` is a commit up to which the history was looked at before.
    """
    changes: dict[str, list[FileChange]] = {}
    for change in _changes(repository, tip, after):
        changes.setdefault(change.path, []).append(change)
    for path, made in sorted(changes.items()):
        segment = made[0].before or made[0].after
        if segments.get(path) != segment:
            raise _lost(path, made, segment)
        fork = next((item for item in made if item.before is None and item.after != segment), None)
        if fork is not None:
            raise _forked(path, made[0].commit, fork.commit)
    for entry in repository.tree(after, LEDGER_FOLDER) if after else ():
        if segments.get(entry.path) != entry.blob:
            change = FileChange(after or "", entry.path, None, entry.blob, entry.mode)
            raise _lost(entry.path, (change,), entry.blob)


def _lost(path: str, made: Sequence[FileChange], segment: str | None) -> ContradictionError:
    culprit = next((change for change in reversed(made) if change.after != segment), None)
    by = f"by commit {culprit.commit[:12]}" if culprit else "by a merge"
    return ContradictionError(
        f"{path}: this segment of the ledger was taken away or changed {by}; commit"
        f" {made[0].commit[:12]} shows what it was",
        remedy=f"nothing was signed; find who pushed it (git log -m -- {path}); COMMIT"
        " being the last good one, git restore --source=COMMIT --staged --worktree issued;"
        " commit, push",
    )


def _forked(path: str, one: str, other: str) -> ContradictionError:
    return ContradictionError(
        f"{path}: commits {one[:12]} and {other[:12]} each added another segment of the ledger"
        " here, and the branch kept one",
        remedy=f"nothing was signed; find who merged or replaced it (git log -m -- {path}), and put"
        " the branch back to the last commit before that, so that its history holds one ledger",
    )


def _changes(repository: GitRepository, tip: str, after: str | None) -> Iterator[FileChange]:
    """Yield what commits did to the ledger, or state, oldest first; merges are left out."""
    steps = _steps(repository, tip, after)
    known = {step.commit: step for step in steps}
    silent = [step.commit for step in steps if _is_to_be_listed(step, known)]
    listed = dict(zip(silent, repository.past.changes_of(silent, below=LEDGER_FOLDER), strict=True))
    for step in steps:
        if step.commit in listed:
            yield from listed[step.commit]
        elif len(step.parents) < 2:
            for path, blob in step.stated.items():
                yield FileChange(step.commit, path, None, blob, "100644")


def _is_to_be_listed(step: _Step, known: Mapping[str, _Step]) -> bool:
    if len(step.parents) > 1:
        return False  # its parents' commits tell
    parent = known.get(step.parents[0]) if step.parents else None
    if step.folder is None or parent is None:
        return True  # a tree that a partial clone lacks is none, too: whoever lists it says so
    if step.folder == parent.folder:
        return bool(step.stated)
    raw = len(step.commit) // 2
    grown = sum(_MODE + len(path.rpartition("/")[2]) + raw for path in step.stated)
    return not step.stated or step.size - parent.size != grown


def _steps(repository: GitRepository, tip: str, after: str | None) -> list[_Step]:
    excluded = [f"^{object_id(after)}"] if after else []
    # The messages as they are: in the encoding that a commit names, a line may become two.
    shape = ("--no-commit-header", "--encoding=none", "--format=%H%x00%P%x00%B%x00")
    options = ("--topo-order", "--reverse", *shape)
    past = repository.past
    answer = as_text(past.git.ask("rev-list", *options, object_id(tip), *excluded))
    fields = iter(answer.split("\0")[:-1])
    rows = [(head.strip("\n"), next(fields), next(fields)) for head in fields]
    trees = past.trees_at([row[0] for row in rows], LEDGER_FOLDER)
    return [
        _Step(commit, tuple(parents.split()), _stated(message), *tree)
        for (commit, parents, message), tree in zip(rows, trees, strict=True)
    ]


def _stated(message: str) -> dict[str, str]:
    found = _STATEMENT.findall(message)
    return {segment_path(int(number)): blob for number, blob in found if len(number) < _DIGITS}
