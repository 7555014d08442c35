"""Who has to agree to a change of a file, as CODEOWNERS says it."""

from __future__ import annotations

import re
from collections.abc import Iterator

PLACES = (
    ".github/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".gitlab/CODEOWNERS",
)
"""Where forges look for it, the first one first (GitHub: .github, the root, docs)."""


def owners_of(text: str, path: str) -> tuple[str, ...]:
    """Return the owners of a file: those of the last line whose pattern matches it.

    Sections of GitLab are read as one list.
    """
    owners: tuple[str, ...] = ()
    for pattern, named in _lines(text):
        if _matches(pattern, path):
            owners = named
    return owners


def _lines(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    default: tuple[str, ...] = ()
    for line in text.splitlines():
        stated = line.partition(" #")[0].strip()
        if not stated or stated.startswith("#"):
            continue
        if stated.startswith(("[", "^[")):
            default = tuple(stated.rpartition("]")[2].split())
            continue
        pattern, *named = stated.split()
        yield pattern, tuple(named) or default


def _matches(pattern: str, path: str) -> bool:
    """Whether a pattern, as in gitignore(5) but for `!` and `[ ]`, covers a file."""
    anchored = "/" in pattern.rstrip("/")
    body = pattern.strip("/")
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", body)
    meanings = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    expression = "".join(meanings.get(part, re.escape(part)) for part in parts)
    before = "" if anchored else "(?:.*/)?"
    # What ends in /* names the files of that folder alone.
    below = "" if pattern.endswith("/*") else "(?:/.*)?"
    if pattern.endswith("/"):
        below = "/.*"
    return re.fullmatch(f"{before}{expression}{below}", path) is not None
