"""Blob ids without Git: what bytes would be called, in the format of a repository's ids."""

from __future__ import annotations

import hashlib
from collections.abc import Callable


def blob_id_of(commit: str) -> Callable[[bytes], str]:
    """Return the function from bytes to blob id, in the object format that a commit id shows."""
    new = hashlib.sha1 if len(commit) == 40 else hashlib.sha256  # Git's own ids, not ours to choose

    def blob_id(data: bytes) -> str:
        return new(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

    return blob_id
