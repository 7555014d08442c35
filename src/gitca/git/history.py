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
    """Return the newest commit of the documents' branch that this clone knows."""
    tip = repository.resolve(f"refs/remotes/{ORIGIN}/{branches.documents}")
    return tip or repository.local_branch(branches.documents)


def check_growth(
    repository: GitRepository, tip: str, segments: Mapping[str, str], *, after: str | None = None
) -> None:
    """Raise ContradictionError where segments of the ledger were taken away or changed (I10).

    A chain of hashes that lost its last segments is a valid chain, and so is one that a forger
    linked anew. But the commits that added the segments are in the history: what the first of each
    added must be at the tip. `segments` are those at `tip`, path to blob; `after` is a commit up to
    which the history was looked at before.
    """
    added: dict[str, FileChange] = {}
    for change in repository.past.last_changes(tip, LEDGER_FOLDER, after=after):
        added[change.path] = change  # newest first, so that the oldest stays
    for path, change in sorted(added.items()):
        if segments.get(path) != (change.before or change.after):
            raise ContradictionError(
                f"{path}: this segment of the ledger was taken away or changed; commit"
                f" {change.commit[:12]} shows what it was",
                remedy=f"find what changed it (git log -- {LEDGER_FOLDER}); COMMIT being the one"
                " before, git restore --source=COMMIT --staged --worktree issued; commit, push",
            )
