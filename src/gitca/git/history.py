"""What the history of the branches tells that one commit of them does not."""

from __future__ import annotations

from gitca.errors import ContradictionError
from gitca.git.repository import ORIGIN, GitRepository
from gitca.git.snapshot import Branches
from gitca.ledger.segment import LEDGER_FOLDER, segment_path
from gitca.ledger.state import LedgerState


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
    tip = repository.resolve(f"refs/remotes/{ORIGIN}/{branches.documents}")
    tip = tip or repository.local_branch(branches.documents)
    return repository.history(tip) if tip else None


def check_growth(repository: GitRepository, tip: str, state: LedgerState) -> None:
    """Raise ContradictionError where the last change to the ledger was not to add to it.

    A chain of hashes that lost its last segments is a valid chain. But the commit that took them
    away is in the history: a person's, made from an old index, a revert, a merge that kept the
    wrong side. `state` is the fold of the ledger at `tip`; one commit is looked at, the newest that
    touched the ledger, because gitca looked so before it wrote each one before.
    """
    commit, changes = repository.last_change(tip, LEDGER_FOLDER)
    last = segment_path(state.head.number)
    for status, path in changes:
        # A merge that kept the wrong side changed nothing itself; what the other added is gone.
        is_gone = (len(path), path) > (len(last), last)
        if status != "A" or is_gone:
            what = f"added it, and the ledger ends at {last}" if status == "A" else "changed it"
            raise ContradictionError(
                f"{path}: a segment of the ledger is not what it was: commit {commit[:12]} {what}",
                remedy="take issued/ back to what it was (git checkout COMMIT -- issued) and push",
            )
