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
