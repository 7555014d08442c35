"""Writers of one folder take turns, and write beside what is published, where nobody reads.

`.gitca-publish/` in the folder holds the lock and the unfinished files. An unfinished file is
locked by its writer for as long as that lives; what is not locked was left by one that died.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gitca.errors import BackendUnavailableError
from gitca.publishers.directory_folders import FILE_MODE

OWN = ".gitca-publish"
OWN_MODE = 0o700  # half an object is nobody's to read
WAIT_SECONDS = 60.0
_LOCK, _UNFINISHED = "lock", ".tmp"
_PAUSE_SECONDS = 0.005
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Turns:
    """The turns of the writers of one folder, among threads and among processes."""

    def __init__(self) -> None:
        self._threads = threading.Lock()
        self._is_tidy = False

    @contextmanager
    def turn(self, own: int) -> Iterator[None]:
        """Wait for the others; the lock of one that dies is free at once.

        Raises: BackendUnavailableError after a minute; OSError.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        if not self._threads.acquire(timeout=WAIT_SECONDS):
            raise _waited()
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(_LOCK, flags, 0o600, dir_fd=own)
            try:
                _lock(descriptor, deadline)
                yield
            finally:
                os.close(descriptor)
        finally:
            self._threads.release()

    @contextmanager
    def unfinished(self, own: int, content: bytes) -> Iterator[str]:
        """Give the name of a new file, durable and readable for all; whoever keeps it renames it.

        Raises: BackendUnavailableError; OSError.
        """
        name = f"{secrets.token_hex(16)}{_UNFINISHED}"
        with self.turn(own):
            self._tidy(own)
            descriptor = os.open(name, _NEW, 0o600, dir_fd=own)
            with contextlib.ExitStack() as undo:
                undo.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                undo.pop_all()
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(descriptor, FILE_MODE)
                os.fsync(descriptor)
                yield name
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=own)

    def _tidy(self, own: int) -> None:
        """Remove, once, what writers left that died. Nobody makes a file during this turn."""
        if self._is_tidy:
            return
        for name in os.listdir(own):
            if name.endswith(_UNFINISHED):
                _remove_if_left(name, own)
        self._is_tidy = True


def _remove_if_left(name: str, own: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(
            name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=own
        )
        try:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(name, dir_fd=own)
        finally:
            os.close(descriptor)


def _lock(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise _waited() from error
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _waited() -> BackendUnavailableError:
    return BackendUnavailableError(
        f"another process has held the lock {OWN}/{_LOCK} for {WAIT_SECONDS:.0f} s; a turn takes "
        "milliseconds",
        remedy="end that process if it hangs, and run again",
    )
