"""What the history of the branches tells that one commit of them does not."""

from __future__ import annotations

from gitca.git.repository import ORIGIN, GitRepository
from gitca.git.snapshot import Branches


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
