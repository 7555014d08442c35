"""A new folder that appears whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gitca.errors import UsageError


@contextlib.contextmanager
def fresh_folder(target: Path) -> Iterator[Path]:
    """Give a folder to build in; it becomes `target` if the block ends well, and vanishes if not.

    Raises: UsageError when `target` exists and is not an empty folder, or cannot be written.
    """
    target = target.absolute()
    _check_free(target)
    try:
        # In the same file system as the target, so that a rename is enough in the end.
        place = tempfile.mkdtemp(prefix=".gitca-", dir=target if target.exists() else target.parent)
    except OSError as error:
        raise UsageError(
            f"cannot make {target}: {error.strerror}",
            remedy="its parent folder has to exist, and this user to be allowed to write there",
        ) from error
    try:
        # Not the temporary folder itself, which is made for its owner's eyes only.
        built = Path(place) / "new"
        built.mkdir()
        yield built
        _move(built, target)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _check_free(target: Path) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if not target.is_dir():
        raise UsageError(f"{target} exists and is not a folder", remedy="name a new folder")
    if any(target.iterdir()):
        raise UsageError(f"{target} is not empty", remedy="name a new folder, or an empty one")


def _move(built: Path, target: Path) -> None:
    try:
        if not target.exists():
            built.rename(target)
            return
        _move_content(built, target)
    except OSError as error:
        raise UsageError(f"cannot make {target}: {error.strerror}") from error


def _move_content(built: Path, target: Path) -> None:
    # The folder itself stays: a shell may be in it.
    moved: list[Path] = []
    try:
        for child in sorted(built.iterdir()):
            if os.path.lexists(target / child.name):
                raise FileExistsError(errno.EEXIST, "something appeared in it meanwhile")
            child.rename(target / child.name)
            moved.append(target / child.name)
    except OSError:
        for child in moved:
            child.rename(built / child.name)
        raise
