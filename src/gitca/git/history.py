"""What the history of the branches tells that one commit of them does not."""

from __future__ import annotations

from collections.abc import Mapping

from gitca.errors import ContradictionError
from gitca.git.log import FileChange
from gitca.git.repository import ORIGIN, GitRepository
from gitca.git.snapshot import Branches
from gitca.ledger.segment import LEDGER_FOLDER


def reviewed_history(
    repository: GitRepository, branches: Branches, commit: str
) -> frozenset[str] | None:
    """Return the commits of the documents that go with a commit's `issued/`; nothing is fetched.

    None where this clone does not have the whole history.
    """
    if repository.is_shallow():
        return None
    if branches.issued == branches.documents:
        return repository.history(commit)
    tip = documents_tip(repository, branches)
    return repository.history(tip) if tip else None


def documents_tip(repository: GitRepository, branches: Branches) -> str | None:
    """Return the newest commit of the documents' branch that this clone knows.

    What is on the local branch alone, nobody has reviewed.
    """
    tip = repository.resolve(f"refs/remotes/{ORIGIN}/{branches.documents}")
    return tip or repository.local_branch(branches.documents)


def newest_known(repository: GitRepository, branch: str) -> str | None:
    """Return origin's commit of a branch as this clone has it, or the local one where it is later.

    Later it is where something was signed here and is not pushed yet. None: neither is here.
    """
    known = repository.resolve(f"refs/remotes/{ORIGIN}/{branch}")
    local = repository.local_branch(branch)
    if known is None or local is None:
        return known or local
    return local if repository.is_ancestor(known, local) else known


def check_growth(
    repository: GitRepository, tip: str, segments: Mapping[str, str], *, after: str | None = None
) -> None:
    """Raise ContradictionError where segments of the ledger were taken away or changed (I10).

    A chain of hashes that lost its last segments is a valid chain, and so is one that a forger
    linked anew. But the commits that added the segments are in the history: what the first of each
    added must be at the tip. `segments` are those at `tip`, path to blob; `after` is a commit up to
    which the history was looked at before.
    """
    changes: dict[str, list[FileChange]] = {}
    for change in repository.past.last_changes(tip, LEDGER_FOLDER, after=after):
        changes.setdefault(change.path, []).append(change)
    for path, made in sorted(changes.items()):
        first = made[-1]
        segment = first.before or first.after
        if segments.get(path) != segment:
            culprit = next((change for change in made if change.after != segment), None)
            by = f"by commit {culprit.commit[:12]}" if culprit else "by a merge"
            raise ContradictionError(
                f"{path}: this segment of the ledger was taken away or changed {by}; commit"
                f" {first.commit[:12]} shows what it was",
                remedy=f"nothing was signed; find who pushed it (git log -m -- {path}); COMMIT"
                " being the last good one, git restore --source=COMMIT --staged --worktree issued;"
                " commit, push",
            )
