"""The paths of published objects: what both backends take."""

from __future__ import annotations

import re

from gitca.errors import UsageError

LARGEST_OBJECT = 512 * 1024**2
"""No larger object is read, in bytes: whoever may write to a target cannot fill our memory."""

# Without a dot in front: a target's own files begin with one, and web servers hide them.
_SEGMENT = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,255}")


def segments_of(path: str) -> tuple[str, ...]:
    """Return the folders and the name of an object's path. Raises: UsageError."""
    segments = tuple(path.split("/"))
    if not all(map(_SEGMENT.fullmatch, segments)):
        raise UsageError(
            f"{path!r} cannot be published; allowed are letters, digits and . _ - parted by /, "
            "with no dot at a beginning, 255 characters between two slashes",
            remedy="give the CA or the request another name",
        )
    return segments


class TooLargeError(UsageError):
    """An object at a target is larger than what was asked to be read."""


def check_size(path: str, size: int, most: int | None = None) -> None:
    """Raise TooLargeError for an object of more than `most` bytes (None: LARGEST_OBJECT)."""
    allowed = LARGEST_OBJECT if most is None else min(most, LARGEST_OBJECT)
    if size > allowed:
        raise TooLargeError(
            f"{path} at the target has {size} bytes; gitca reads {allowed} there at the most",
            remedy="remove it there, and see who may write to the target",
        )
