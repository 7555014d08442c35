"""The user's own branch, and where its index and working tree stand."""

from __future__ import annotations

from gitca.git.repository import GitRepository
from gitca.git.worktree import Outcome


class ShownBranch:
    """One local branch, moved by a run and shown to the user when the run ends.

    Where there is no remote the branch itself is the lock: it moves with every commit, and the
    files follow at the end. A run that dies in between would leave an index from which the user's
    next commit deletes what gitca wrote. So a reference keeps the commit that the files show, until
    they show the branch again; the next run starts from there.
    """

    def __init__(self, repository: GitRepository, branch: str) -> None:
        self._repository = repository
        self._branch = branch
        self._kept = repository.kept(branch)
        self._shown = self._kept or repository.local_branch(branch)

    def advance(self, new: str, old: str | None) -> None:
        """Move the branch, and not the files. Raises: LostRaceError."""
        if self._kept is None and self._shown is not None:
            self._repository.keep(self._branch, self._shown)
            self._kept = self._shown
        self._repository.advance(self._branch, new, old)

    def show(self, commit: str) -> Outcome:
        """Bring branch and files to a commit where that loses nothing."""
        outcome = self._repository.bring_forward(self._branch, self._shown, commit)
        # Another run in this clone may have moved the branch on; the files are its to bring along.
        if outcome.tree and self._repository.local_branch(self._branch) == commit:
            if self._kept is not None:
                self._repository.forget(self._branch)
            self._shown, self._kept = commit, None
        return outcome
