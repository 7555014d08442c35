"""Revocations that have findings: what they name is still read, so that it can be held up.

A document that asks for a revocation and has a typo revokes nothing. Until it is mended, nothing
may be issued that it might have stopped; and one such document must not stop everybody. So its text
is searched for the things to revoke, whatever else is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gitca.documents.csr_files import Read
from gitca.documents.fields import escaped
from gitca.documents.text import MAX_DOCUMENT_SIZE, position
from gitca.documents.tree import ORDINARY, TreeEntry
from gitca.findings import Location


@dataclass(frozen=True)
class BrokenRevocation:
    """What can be read in a broken RevocationRequest, and where the first of it stands.

    `certificates` are names of requests, `keys` are `sha256:…`; `serials` are numbers as documents
    write them, of any of the CAs in `authorities`, or of any CA where that is empty.
    """

    path: str
    location: Location
    certificates: frozenset[str]
    serials: frozenset[str]
    authorities: frozenset[str]
    keys: frozenset[str]


def _field(name: str, value: str) -> re.Pattern[str]:
    """Return a pattern for a key and its value, in block or flow style, with any quotes."""
    return re.compile(rf"""(?<![\w.-]){name}["']?\s*:\s*["']?({value})""", re.IGNORECASE)


# The kind, however it was misspelt, or the key that no request has.
_TRACES = re.compile(r"revo[ck]|(?<![\w.-])reason[\"']?\s*:", re.IGNORECASE)
_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*", re.MULTILINE)
_CERTIFICATE = _field("certificate", r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_SERIAL = _field("serial", r"(?:0x)?[0-9A-Fa-f][0-9A-Fa-f:]*")
_AUTHORITY = _field("ca", r"[A-Za-z0-9][A-Za-z0-9._-]*")
_KEY = _field("key", r"sha256:[0-9a-f]{64}")


def broken_revocations(
    entries: Iterable[TreeEntry], broken: Collection[str], read: Read
) -> tuple[BrokenRevocation, ...]:
    """Return the broken documents that ask for a revocation of something that can be read.

    `broken` are the paths of the entries to look at; those that are no files are passed over.
    """
    candidates = (e for e in entries if e.path in broken and e.mode in ORDINARY)
    found = (_search(entry.path, read(entry.blob)) for entry in candidates)
    return tuple(revocation for revocation in found if revocation is not None)


def _search(path: str, data: bytes) -> BrokenRevocation | None:
    # Without NULs, what a Windows shell saved as UTF-16 is read as well.
    text = data[:MAX_DOCUMENT_SIZE].replace(b"\0", b"").decode("utf-8", errors="replace")
    text = _COMMENT.sub(lambda comment: " " * len(comment[0]), text)
    if _TRACES.search(text) is None:
        return None
    found = {field: list(field.finditer(text)) for field in (_CERTIFICATE, _SERIAL, _KEY)}
    starts = [match.start() for matches in found.values() for match in matches]
    if not starts:
        return None
    return BrokenRevocation(
        path=path,
        location=Location(escaped(path), *position(text, min(starts))),
        certificates=frozenset(_name(match[1]) for match in found[_CERTIFICATE]),
        serials=frozenset(_serial(match[1]) for match in found[_SERIAL]),
        authorities=frozenset(match[1] for match in _AUTHORITY.finditer(text)),
        keys=frozenset(match[1].lower() for match in found[_KEY]),
    )


def _name(written: str) -> str:
    """Return a request's name, where its path was written as well."""
    return written.removeprefix("requests/").removesuffix(".yaml").rstrip("/.")


def _serial(written: str) -> str:
    """Return a serial number as the ledger has it, from what openssl and browsers show."""
    return written.lower().removeprefix("0x").replace(":", "").lstrip("0") or "0"
