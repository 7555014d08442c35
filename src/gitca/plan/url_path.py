"""Paths of files as parts of URLs."""

from __future__ import annotations

from urllib.parse import quote


def url_path(path: str) -> str:
    """Return a file's path as a relative reference (RFC 3986 section 4.2).

    All but unreserved characters and slashes is percent-encoded, colons too: before the first slash
    one would make the path an absolute URL. The bytes are those that Git has.
    """
    try:
        octets = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # No path of Git's decodes to this; what a ledger says may.
        octets = path.encode("utf-8", "backslashreplace")
    return quote(octets, safe="/")
