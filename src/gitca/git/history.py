"""What the history of the branches tells that one commit of them does not."""

from __future__ import annotations

from collections.abc import Mapping

from gitca.errors import ContradictionError
from gitca.git.repository import ORIGIN, GitRepository
from gitca.git.snapshot import Branches
from gitca.ledger.segment import LEDGER_FOLDER

LOOKED_AT = 50


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


def check_growth(repository: GitRepository, tip: str, segments: Mapping[str, str]) -> None:
    """Raise ContradictionError where segments of the ledger were taken away or changed (I10).

    A chain of hashes that lost its last segments is a valid chain. But the commit that took them
    away is in the history: a person's, made from an old index, a revert, a merge that kept the
    wrong side. `segments` are those at `tip`, path to blob. Only the newest commits that touched
    the ledger are looked at, because gitca looked so before it wrote each of the older ones.
    """
    changes = repository.last_changes(tip, LEDGER_FOLDER, count=1)
    if any(change.before is not None for change in changes):
        # Somebody touched what was there, perhaps to put it back: what was it at first?
        changes = repository.last_changes(tip, LEDGER_FOLDER, count=LOOKED_AT)
    oldest = {change.path: change for change in changes}
    for path, change in sorted(oldest.items()):
        blob = change.before or change.after
        if segments.get(path) != blob:
            raise ContradictionError(
                f"{path}: this segment of the ledger was taken away or changed; commit"
                f" {change.commit[:12]} shows what it was",
                remedy=f"find what changed it (git log -- {LEDGER_FOLDER}); COMMIT being the one"
                " before, git restore --source=COMMIT --staged --worktree issued; commit, push",
            )
