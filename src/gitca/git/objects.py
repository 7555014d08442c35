"""Reading: trees by one `ls-tree`, objects by one long-lived `cat-file`."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from gitca.documents.load import TreeEntry
from gitca.errors import BackendUnavailableError, ContradictionError, GitcaError
from gitca.git.process import Git, as_text, end, pipe, printable
from gitca.git.refs import object_id

SIZE_LIMIT = 512 * 1024 * 1024
"""Bytes of one blob that are read unless the caller says otherwise."""

_BATCH = 256  # blobs asked for at once
_VOLUME = 8 * 1024 * 1024  # bytes of answers that are held at once, one larger blob apart


class BlobTooLargeError(ContradictionError):
    """A blob is larger than its reader allows; `size` and `limit` in bytes. Nothing was read."""

    def __init__(self, blob: str, *, size: int, limit: int) -> None:
        super().__init__(
            f"blob {blob} has {size} bytes; {limit} are allowed",
            remedy="remove the file from the tree: it is no document of a CA",
        )
        self.blob, self.size, self.limit = blob, size, limit


def list_tree(git: Git, tree: str, paths: Sequence[str] = ()) -> list[TreeEntry]:
    """Return every file, symlink (120000) and submodule (160000) of a tree, in Git's order.

    `paths` narrows to files and folders; one that is not there gives nothing. Bytes of a path that
    are not UTF-8 come as surrogates. Raises: GitFailedError.
    """
    options = ("-r", "-z", "--full-tree", "--end-of-options", object_id(tree))
    output = as_text(git.ask("ls-tree", *options, *paths))
    return [_tree_entry(line) for line in output.split("\0")[:-1]]


def tree_id(git: Git, commit: str, path: str = "") -> str | None:
    """Return the id of the tree at a path of a commit (its root for an empty path), or None."""
    if not path:
        answer = git.ask("rev-parse", "--verify", f"{object_id(commit)}^{{tree}}")
        return answer.decode("ascii").strip()
    options = ("-d", "-z", "--full-tree", "--end-of-options", object_id(commit))
    for line in as_text(git.ask("ls-tree", *options, path)).split("\0")[:-1]:
        entry = _tree_entry(line)
        if entry.path == path and entry.mode == "040000":
            return entry.blob
    return None


def _tree_entry(line: str) -> TreeEntry:
    # "<mode> SP <type> SP <id> TAB <path>"; a path may hold any further tab.
    facts, _, path = line.partition("\t")
    mode, _, blob = facts.split(" ")
    return TreeEntry(path, mode, blob)


class ObjectReader:
    """One `git cat-file --batch-command`, started at the first read. Threads may share it."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._lock = threading.Lock()
        self._running: _CatFile | None = None

    def read(self, blob: str, *, size_limit: int = SIZE_LIMIT) -> bytes:
        """Return the bytes of a blob.

        Raises: BlobTooLargeError before reading it; BackendUnavailableError where this clone does
        not have it; ContradictionError where it is damaged or no blob.
        """
        return next(self.read_many((blob,), size_limit=size_limit))

    def read_many(self, blobs: Iterable[str], *, size_limit: int = SIZE_LIMIT) -> Iterator[bytes]:
        """Yield the bytes of each blob in turn, in bounded memory. Raises: as `read`.

        Nothing is outstanding at Git while a value is handed out, so that other reads may come in
        between and the caller may stop early.
        """
        remaining = iter(blobs)
        while batch := tuple(object_id(blob) for blob in islice(remaining, _BATCH)):
            headers = self._ask(_CatFile.info, batch)
            sizes = [_size(*pair, size_limit) for pair in zip(batch, headers, strict=True)]
            for part in _parts(batch, sizes):
                yield from self._ask(_CatFile.contents, part)

    def close(self) -> None:
        """End the process; a later read starts another."""
        with self._lock:
            self._stop()

    def _ask(
        self, question: Callable[[_CatFile, Sequence[str]], list[bytes]], blobs: Sequence[str]
    ) -> list[bytes]:
        with self._lock:
            running = self._running = self._running or _CatFile(self._git)
            try:
                return question(running, blobs)
            except OSError as error:
                raise running.failure() from error
            finally:
                if not running.in_step:
                    self._stop()

    def _stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None


class _CatFile:
    """The process. Commands are buffered by Git until `flush`, so a batch cannot deadlock.

    `in_step` is false while answers are outstanding: whoever is interrupted then has to stop it.
    """

    def __init__(self, git: Git) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - stop() closes it
        options = ("--batch-command", "--buffer")
        self._process = git.start("cat-file", *options, stderr=self._stderr)
        self.in_step = True

    def info(self, blobs: Sequence[str]) -> list[bytes]:
        """Return one line `<id> <type> <size>` or `<id> missing` for each."""
        self._send(b"info", blobs)
        lines = [self._line() for _ in blobs]
        self.in_step = True
        return lines

    def contents(self, blobs: Sequence[str]) -> list[bytes]:
        """Return the bytes of each; all are there."""
        self._send(b"contents", blobs)
        contents = [self._content(blob) for blob in blobs]
        self.in_step = True
        return contents

    def stop(self) -> None:
        """End the process."""
        end(self._process)
        self._stderr.close()

    def failure(self) -> GitcaError:
        """Return why the process ended."""
        end(self._process)
        self._stderr.seek(0)
        words = self._stderr.read(64 * 1024)
        if b"promisor" in words:  # a partial clone asks its remote for what it lacks
            return BackendUnavailableError(f"git cat-file failed: {printable(words)}")
        return ContradictionError(f"git cat-file failed: {printable(words)}", remedy="run git fsck")

    def _send(self, command: bytes, blobs: Sequence[str]) -> None:
        self.in_step = False
        lines = [b"%s %s\n" % (command, blob.encode("ascii")) for blob in blobs]
        stdin = pipe(self._process.stdin)
        stdin.write(b"".join((*lines, b"flush\n")))
        stdin.flush()

    def _content(self, blob: str) -> bytes:
        words = self._line().split()
        if len(words) != 3:
            raise _missing(blob)  # pruned since its size was asked for
        return self._bytes(int(words[2]) + 1)[:-1]

    def _line(self) -> bytes:
        line = pipe(self._process.stdout).readline()
        if not line.endswith(b"\n"):
            raise BrokenPipeError
        return line

    def _bytes(self, count: int) -> bytes:
        data = pipe(self._process.stdout).read(count)
        if len(data) != count:
            raise BrokenPipeError
        return data


def _size(blob: str, header: bytes, limit: int) -> int:
    words = header.split()
    if len(words) != 3:
        raise _missing(blob)
    if words[1] != b"blob":
        raise ContradictionError(f"object {blob} is a {printable(words[1])}, not a blob")
    size = int(words[2])
    if size > limit:
        raise BlobTooLargeError(blob, size=size, limit=limit)
    return size


def _parts(blobs: Sequence[str], sizes: Sequence[int]) -> Iterator[list[str]]:
    """Yield the blobs in runs whose sizes add up to `_VOLUME` at most, or one that is larger."""
    part: list[str] = []
    volume = 0
    for blob, size in zip(blobs, sizes, strict=True):
        if part and volume + size > _VOLUME:
            yield part
            part, volume = [], 0
        part.append(blob)
        volume += size
    if part:
        yield part


def _missing(blob: str) -> BackendUnavailableError:
    return BackendUnavailableError(
        f"this clone does not have object {blob}",
        remedy="use a clone made without --filter; in a shallow one run git fetch --unshallow",
    )
