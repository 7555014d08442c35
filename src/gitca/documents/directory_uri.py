"""URIs of folders to publish into: `directory:PATH`, below the repository, or absolute."""

from __future__ import annotations

import re

SCHEME = "directory"

RESERVED = frozenset({".git", "ca", "policies", "requests", "issued", ".gitca", ".github"})
"""Folders of the repository that hold something else, in lower case."""

_SEGMENT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._@+-]{1,255}")
_LONGEST = 1024


class DirectoryUriError(ValueError):
    """A URI that names no folder to publish into, and the remedy."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def parse_directory_uri(uri: str) -> str:
    """Return the path that a URI of the scheme `directory` names, relative or absolute.

    It has neither `.` nor `..` and no trailing slash. Whether this machine allows an absolute one
    is for the publisher to know. Raises: DirectoryUriError.
    """
    path = uri.removeprefix(f"{SCHEME}:").removesuffix("/")
    segments = path.removeprefix("/").split("/")
    if len(path) > _LONGEST or not all(map(_SEGMENT.fullmatch, segments)):
        raise DirectoryUriError(
            "the directory URI names no folder: allowed are letters, digits and . _ @ + -, parted "
            "by /, without . and ..",
            "write directory:public for a folder of the repository's, or directory:/srv/pki",
        )
    reserved = {segments[0].lower()} & RESERVED if not path.startswith("/") else set()
    if reserved or ".git" in map(str.lower, segments):
        raise DirectoryUriError(
            f"the directory URI names a folder within {min(reserved or {'.git'})}/, which holds "
            "something else",
            "name a folder of its own, as in directory:public",
        )
    return path
