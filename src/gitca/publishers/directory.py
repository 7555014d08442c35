"""The `directory:` publisher: a folder that a web server, rsync or a mount serves.

`directory:PATH` lies in the repository, `directory:/PATH` in a folder that the operator lists
(`directory_place.py`). An object replaces another at once by a rename, after it is on the disk;
a version is the SHA-256 of the content. Media types have no place in a folder: docs/publishing.md
says how a web server is told.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from gitca.publishers import ConflictError, Item, Listed, Stored
from gitca.publishers.directory_errors import wrapped
from gitca.publishers.directory_folders import (
    file_digest,
    made_folder,
    opened_folder,
    read_file,
    sync,
)
from gitca.publishers.directory_place import Place, parse_target
from gitca.publishers.directory_turn import OWN, OWN_MODE, Turns
from gitca.publishers.paths import segments_of


def open_publisher(uri: str, *, base: Path) -> DirectoryPublisher:
    """Return the publisher of a folder, which the first object makes.

    Raises: UsageError for a URI that is malformed or forbidden.
    """
    return DirectoryPublisher(parse_target(uri, base))


class DirectoryPublisher:
    """One folder; made by `open_publisher`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._turns = Turns()

    def read(self, path: str, most: int | None = None) -> Stored | None:
        """Return what is at a path, or None."""
        *folders, name = segments_of(path)
        with wrapped(self._place.path / path):
            try:
                with opened_folder(self._place.anchor, self._below(folders)) as folder:
                    content = read_file(name, folder, most)
            except FileNotFoundError:
                return None
        return None if content is None else Stored(content, hashlib.sha256(content).hexdigest())

    def write(self, item: Item, replaces: str | None) -> str:
        """Put an object in the place of a version, and return its own.

        Where the object is there already, it is taken for written.
        """
        *folders, name = segments_of(item.path)
        anchor = self._place.anchor
        with (
            wrapped(self._place.path / item.path),
            made_folder(anchor, self._below(folders)) as folder,
        ):
            if self._may_replace(item, replaces, file_digest(name, folder)):
                with (
                    made_folder(anchor, (*self._place.segments, OWN), OWN_MODE) as own,
                    self._turns.unfinished(own, item.content) as unfinished,
                    self._turns.turn(own),
                ):
                    if self._may_replace(item, replaces, file_digest(name, folder)):
                        os.replace(unfinished, name, src_dir_fd=own, dst_dir_fd=folder)
            # Also where another writer was the one, who may not have come so far yet.
            sync(folder)
        return item.sha256

    def _may_replace(self, item: Item, replaces: str | None, there: tuple[int, str] | None) -> bool:
        """Return whether a write is due; False where the object is there. Raises: ConflictError."""
        version = there[1] if there else None
        if version == item.sha256:
            return False
        if version != replaces:
            raise ConflictError(
                f"{self._place.path / item.path} holds "
                f"{'nothing' if version is None else 'another object'} by now",
                remedy="run again: it reads what is there first",
            )
        return True

    def _below(self, folders: list[str]) -> tuple[str, ...]:
        return (*self._place.segments, *folders)

    def listing(self) -> Mapping[str, Listed]:
        """Return all regular files in the folder by path; symbolic links are none."""
        with wrapped(self._place.path):
            try:
                with opened_folder(self._place.anchor, self._place.segments) as root:
                    return dict(_files(root))
            except FileNotFoundError:
                return {}

    def describe(self) -> Mapping[str, str]:
        """Return the folder, and whether it is there."""
        with wrapped(self._place.path):
            try:
                with opened_folder(self._place.anchor, self._place.segments):
                    state = "there"
            except FileNotFoundError:
                state = "not made yet"
        return {"folder": str(self._place.path), "state": state}

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _files(root: int) -> Iterator[tuple[str, Listed]]:
    for where, folders, names, descriptor in os.fwalk(".", dir_fd=root, follow_symlinks=False):
        if where == "." and OWN in folders:
            folders.remove(OWN)
        for name in names:
            mode = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
            there = file_digest(name, descriptor) if stat.S_ISREG(mode) else None
            if there is not None:
                yield f"{where}/{name}".removeprefix("./"), Listed(*there)
