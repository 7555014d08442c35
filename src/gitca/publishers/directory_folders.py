"""Folders and files below an anchor, opened step by step so that no symbolic link is followed.

Each step starts from the open folder above it: what is swapped meanwhile changes nothing.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from gitca.errors import UsageError
from gitca.publishers.paths import LARGEST_OBJECT, check_size

FILE_MODE, FOLDER_MODE = 0o644, 0o755
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: a FIFO in the file's place would otherwise wait for a writer for ever.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def opened_folder(anchor: Path, segments: tuple[str, ...]) -> Iterator[int]:
    """Give a folder's descriptor. Raises: OSError, FileNotFoundError where there is none."""
    descriptor = os.open(anchor, _FOLDER)
    try:
        for name in segments:
            below = _step(name, descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def made_folder(anchor: Path, segments: tuple[str, ...], mode: int = FOLDER_MODE) -> Iterator[int]:
    """Give a folder's descriptor, made where it is missing, durably; the anchor has to be there.

    Raises: OSError.
    """
    descriptor = os.open(anchor, _FOLDER)
    try:
        for name in segments:
            below = _made_step(name, descriptor, mode)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _step(name: str, above: int) -> int:
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=above)
    except NotADirectoryError as error:
        if stat.S_ISLNK(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error
        raise


def _made_step(name: str, above: int, mode: int) -> int:
    is_new = False
    try:
        descriptor = _step(name, above)
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):  # another was faster
            os.mkdir(name, mode, dir_fd=above)
        descriptor = _step(name, above)
        is_new = True
    with contextlib.ExitStack() as undo:
        undo.callback(os.close, descriptor)
        if _is_closed(descriptor, mode):
            os.fchmod(descriptor, mode)
            is_new = True
        if is_new:
            sync(above)
        undo.pop_all()
    return descriptor


def _is_closed(folder: int, mode: int) -> bool:
    """Whether a folder lacks bits of a mode, as a umask leaves it that a web server needs.

    One that is empty and of this user: a run that was killed here may have made it just now.
    """
    status = os.fstat(folder)
    had = stat.S_IMODE(status.st_mode)
    lacks = had != mode and had | mode == mode
    return lacks and status.st_uid == os.geteuid() and not os.listdir(folder)


def read_file(name: str, folder: int, most: int | None = None) -> bytes | None:
    """Return the content of a regular file of at most `most` bytes, or None where nothing is.

    Raises: UsageError for what is no regular file or too large; OSError, with ELOOP for a symbolic
    link.
    """
    with _opened_file(name, folder, most) as file:
        return None if file is None else file.read(LARGEST_OBJECT)


def file_digest(name: str, folder: int) -> tuple[int, str] | None:
    """Return size and SHA-256 (hexadecimal) of a regular file; it is never in memory as a whole.

    None where nothing is. Raises: as `read_file`.
    """
    with _opened_file(name, folder) as file:
        if file is None:
            return None
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


@contextmanager
def _opened_file(
    name: str, folder: int, most: int | None = None
) -> Iterator[BufferedReader | None]:
    try:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except FileNotFoundError:
        yield None
        return
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(
                f"{name}, which is to be published, is there and is no regular file",
                remedy="remove what lies there",
            )
        check_size(name, status.st_size, most)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def sync(folder: int) -> None:
    """Make a folder's entries durable, where its file system can do that for folders."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
