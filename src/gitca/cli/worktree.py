"""The working tree as the loaders see a commit: entries and a safe way to read them.

Whoever wrote the checked-out branch may be hostile: no symbolic link is followed, no device or
pipe is opened, and a read is bounded.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from gitca.documents.load import Governing, TreeEntry, load_governing
from gitca.errors import UsageError

DOCUMENT_FOLDERS = ("ca", "policies", "requests")
# The loaders refuse what is longer than a document or a CSR may be; they are shown one byte more
# than that limit at the least, and this process is never made to hold a file of any size.
READ_LIMIT = 2 * 1024 * 1024
_CERTIFICATE = re.compile(r"issued/[^/]+/certificates/(.+)\.pem")


def entries_of(root: Path, folders: tuple[str, ...] = DOCUMENT_FOLDERS) -> tuple[TreeEntry, ...]:
    """What lies in the folders of documents, sorted by path; its path stands for its blob id."""
    entries = [
        entry
        for folder in folders
        if os.path.lexists(root / folder)
        for entry in _walk(root, folder)
    ]
    return tuple(sorted(entries, key=lambda entry: entry.path))


def certified_names(root: Path) -> frozenset[str]:
    """The requests that `issued/` shows certificates of, where the working tree has it."""
    paths = (entry.path for entry in entries_of(root, ("issued",)))
    return frozenset(found[1] for path in paths if (found := _CERTIFICATE.fullmatch(path)))


def _walk(root: Path, top: str) -> Iterator[TreeEntry]:
    mode = _git_mode((root / top).lstat().st_mode, root / top)
    if mode is not None:
        yield TreeEntry(top, mode, top)
        return
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        for child in _scan(root / folder):
            path = f"{folder}/{child.name}"
            if child.is_file(follow_symlinks=False):
                yield TreeEntry(path, "100644", path)
                continue
            mode = _git_mode(child.stat(follow_symlinks=False).st_mode, Path(child.path))
            if mode is None:
                waiting.append(path)
            else:
                yield TreeEntry(path, mode, path)


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as scan:
            return list(scan)
    except OSError as error:
        raise UsageError(f"cannot look into {folder}: {error.strerror}") from error


def _git_mode(kind: int, path: Path) -> str | None:
    """The mode that Git would record, or None for a folder to walk into."""
    if stat.S_ISDIR(kind):
        # A repository within the repository would be committed as a submodule's link.
        return "160000" if os.path.lexists(path / ".git") else None
    # Git knows no pipes and devices; they are refused as a link is, and never opened.
    return "100644" if stat.S_ISREG(kind) else "120000"


class WorkingTreeReader:
    """Reads the files of `entries_of`, given the path that stands for their blob id."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __call__(self, path: str) -> bytes:
        """The file's bytes, at most `READ_LIMIT` of them. Raises: UsageError."""
        try:
            return read_regular(self._root / path, READ_LIMIT)
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from error


def read_regular(path: Path, limit: int) -> bytes:
    """Up to `limit` bytes of a regular file, which is opened without following a link.

    Raises: OSError, also for anything that is not a regular file.
    """
    # O_NONBLOCK: opening a pipe that took the file's place must not wait for a writer.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file", str(path))
        return file.read(limit)


def read_given(path: Path, what: str, limit: int = READ_LIMIT) -> bytes:
    """The bytes of a file that the user named on the command line. Raises: UsageError."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"cannot read the {what} {path}: {error.strerror}") from error
    if len(content) > limit:
        raise UsageError(f"the {what} {path} has more than {limit} bytes")
    return content


def governing_of(root: Path) -> Governing:
    """What `ca/` and `policies/` of the working tree say."""
    return load_governing(entries_of(root, ("ca", "policies")), WorkingTreeReader(root))
