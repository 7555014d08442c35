"""Files of `issued/` that Git was writing when the disk was full or the power went."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gitca.git.process import Git, as_bytes, as_text
from gitca.ledger.image import ISSUED_FOLDER


def remove_half_written(git: Git, root: Path, base: str, new: str) -> bool:
    """Take such files away, so that they can be written whole; say whether there were any.

    A file is one of them if the commit to come has it below `issued/`, where gitca alone writes,
    and begins with every byte of it: so nothing is lost that somebody else wrote there.
    """
    found = [path for path in _suspects(git, base, new) if _is_beginning(git, root, new, path)]
    for path in found:
        _place(root, path).unlink(missing_ok=True)
    return bool(found)


def _suspects(git: Git, base: str, new: str) -> Iterator[str]:
    """Yield the new and changed files of `issued/` that are not what the index says."""
    quiet = ("-z", "--name-only")
    options = ("-r", "--no-renames", "--no-commit-id", "--diff-filter=AM", "--no-ext-diff")
    changed = git.ask("diff-tree", *options, *quiet, base, new, "--", ISSUED_FOLDER)
    tracked = git.ask("ls-files", "--cached", "-z", "--", ISSUED_FOLDER)
    modified = git.ask("diff-files", "--no-ext-diff", *quiet, "--", ISSUED_FOLDER)
    to_come = _names(changed)
    yield from sorted(to_come & _names(modified) | to_come - _names(tracked))


def _names(listing: bytes) -> set[str]:
    return set(as_text(listing).split("\0")) - {""}


def _is_beginning(git: Git, root: Path, new: str, path: str) -> bool:
    place = _place(root, path)
    if place.is_symlink() or not place.is_file():
        return False
    whole = git.ask("cat-file", "blob", as_bytes(f"{new}:{path}"))
    with place.open("rb") as file:
        return whole.startswith(file.read(len(whole) + 1))


def _place(root: Path, path: str) -> Path:
    return root / os.fsdecode(as_bytes(path))
