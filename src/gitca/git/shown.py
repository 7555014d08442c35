"""The user's own branch, and where its index and working tree stand."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from gitca.git.process import GitFailedError
from gitca.git.repository import GitRepository
from gitca.git.worktree import Outcome

LOCK = "gitca-shown.lock"


class ShownBranch:
    """One local branch, moved by a run and shown to the user when the run ends.

    Where there is no remote the branch itself is the lock: it moves with every commit, and the
    files follow at the end. A run that dies in between would leave an index from which the user's
    next commit deletes what gitca wrote. So, while they are behind, a reference names the commit
    that the files show, and the next run starts from there. Runs in one clone take turns.

    A user who leaves the branch and comes back has the files of its tip by then, whatever the
    reference says: where the index shows that, the first move of a run starts from it.
    """

    def __init__(self, repository: GitRepository, branch: str) -> None:
        self._repository = repository
        self._branch = branch
        self._has_moved = False

    def advance(self, new: str, old: str | None) -> None:
        """Move the branch, and not the files.

        Raises: LostRaceError; UsageError where another working tree has the branch checked out.
        """
        with self._turn():
            self._repository.check_held_here(self._branch)
            shown = self._repository.local_branch(self._branch)
            if shown is not None and self._is_news(shown):
                self._repository.keep(self._branch, shown)
            self._repository.advance(self._branch, new, old)
            self._has_moved = True

    def show(self, commit: str) -> Outcome:
        """Bring branch and files to a commit where that loses nothing."""
        with self._turn():
            kept = self._repository.kept(self._branch)
            shown = kept or self._repository.local_branch(self._branch)
            outcome = self._repository.bring_forward(self._branch, shown, commit)
            # Where another run has moved the branch on, the files are that one's to bring along.
            is_there = outcome.tree and self._repository.local_branch(self._branch) == commit
            if kept is not None and is_there:
                self._repository.forget(self._branch)
        return outcome

    def _is_news(self, shown: str) -> bool:
        """Whether the branch's tip, and no commit that is kept, is what the files show."""
        kept = self._repository.kept(self._branch)
        if kept is None or kept == shown:
            return kept is None
        return not self._has_moved and self._repository.index_shows(shown)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for other runs in this clone; the lock of one that dies is free at once."""
        path = self._repository.common_dir() / LOCK
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise GitFailedError(f"{path} cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
