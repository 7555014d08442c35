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


def check_size(path: str, size: int) -> None:
    """Raise UsageError where an object at a target is larger than any that gitca writes."""
    if size > LARGEST_OBJECT:
        raise UsageError(
            f"{path} at the target has {size} bytes; gitca reads {LARGEST_OBJECT} at the most",
            remedy="remove it there, and see who may write to the target",
        )
