"""`--write FORMAT=FILE`: answers in files, each written whole or not at all, over an older one."""

from __future__ import annotations

import enum
import os
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitca.cli.formats import Rendering
from gitca.errors import UsageError


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file and the format of what it gets."""

    format: str
    path: Path


def parse_files(
    values: Sequence[str] | None, formats: type[enum.StrEnum]
) -> tuple[OutputFile, ...]:
    """Return what the values of `--write` ask for. Raises: UsageError."""
    files = [_parse(value, formats) for value in values or ()]
    places = [Path(os.path.abspath(file.path)) for file in files]  # noqa: PTH100 - follows no link
    for file, place in zip(files, places, strict=True):
        if places.count(place) > 1:
            raise UsageError(f"--write names {file.path} twice", remedy="give each its own file")
    return tuple(files)


def _parse(value: str, formats: type[enum.StrEnum]) -> OutputFile:
    name, separator, path = value.partition("=")
    if not separator or not path or name not in list(formats):
        raise UsageError(
            f"--write {value!r} is no FORMAT=FILE; formats are {', '.join(formats)}",
            remedy="write it as --write sarif=gitca.sarif",
        )
    return OutputFile(name, Path(path))


def write_files(files: Sequence[OutputFile], rendering: Rendering) -> None:
    """Write each file whole, by a rename: a reader sees the old one or the new one.

    A symbolic link in a file's place is replaced and not followed: who plants one in a checkout
    does not choose what is written over. Raises: UsageError where one cannot be written.
    """
    for file in files:
        content = rendering.text(file.format).encode("utf-8", "backslashreplace")
        replace_file(file.path, content)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole, over an older one or a link. Raises: UsageError."""
    try:
        is_file = not os.path.lexists(path) or _is_plain(path.lstat().st_mode)
    except OSError as error:
        raise _cannot(path, error) from error
    if not is_file:
        raise UsageError(
            f"--write {path}: that is no regular file, and only one can be replaced",
            remedy="name a new or a regular file; --format prints to standard output",
        )
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with unfinished.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise _cannot(path, error) from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


def _is_plain(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _cannot(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"--write {path}: {error.strerror or error}",
        remedy="name a file in a folder that is there and can be written to",
    )
