"""Files that hold a secret: read only when nobody else could have read or planted them."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from gitca.errors import UsageError

_MODE = 0o600
_FOLDER_MODE = 0o700
_OTHERS = 0o077


def read_secret_file(path: Path, *, limit: int, name: str, follow: bool = False) -> bytes:
    """Return the content of a regular file that only its owner can read.

    `limit` is in bytes. `name` is what messages call the file; they hold nothing else of it.
    The checks are made on the open file, so that it cannot be swapped after them.
    Raises: UsageError for a symbolic link (unless `follow`), what is no regular file, a file that
    belongs to or is open to others, and one above the limit; OSError when it cannot be read.
    """
    # O_NONBLOCK: a FIFO in the file's place would otherwise wait for a writer for ever.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UsageError(
                f"{name} is a symbolic link; allowed is a regular file",
                remedy="name the file itself",
            ) from error
        raise
    try:
        _check(os.fstat(descriptor), limit, name)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise _too_large(name, len(data), limit)
    return data


def _check(status: os.stat_result, limit: int, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(
            f"{name} is not a regular file", remedy="put the secret into a regular file"
        )
    if status.st_uid not in (os.geteuid(), 0):
        raise UsageError(
            f"{name} belongs to user {status.st_uid}; allowed are this user ({os.geteuid()}) and 0",
            remedy="change its owner, once it is known how it came to be another's",
        )
    if status.st_mode & _OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        raise UsageError(
            f"{name} has mode {mode:04o}, open to other users; allowed is {_MODE:04o}",
            remedy="run chmod 600 on it, and replace the secret if others may have read it",
        )
    if status.st_size > limit:
        raise _too_large(name, status.st_size, limit)


def _too_large(name: str, size: int, limit: int) -> UsageError:
    return UsageError(
        f"{name} has {size} bytes or more; allowed are {limit}", remedy="name the right file"
    )


def create_secret_file(path: Path, data: bytes) -> None:
    """Write a new file of mode 0600, whole or not at all, and durable on return.

    Missing folders are made with mode 0700. An existing file is never replaced.
    Raises: FileExistsError; OSError when it cannot be written.
    """
    _make_folders(path.parent)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(unfinished, flags, _MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, _MODE)  # a umask may have taken the owner's bits away
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        # A link, where a rename would replace a key that another process made meanwhile.
        os.link(unfinished, path, follow_symlinks=False)
    finally:
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()
    _sync_folder(path.parent)


def _make_folders(folder: Path) -> None:
    if not folder.is_dir():
        _make_folders(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=_FOLDER_MODE)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
