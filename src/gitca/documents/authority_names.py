"""Names that a CA cannot have, and places where none can lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitca.documents.certificate_authority import EXTERNAL_ISSUER
from gitca.documents.flaws import flaw
from gitca.documents.tree import TreeEntry
from gitca.findings import Finding, Location

# Folders of issued/ that are no CA's, and what `issuer` means something else by.
_RESERVED = frozenset({"ledger", "orders", "self", EXTERNAL_ISSUER})


def misplaced_authorities(entries: Mapping[str, TreeEntry]) -> Iterator[tuple[str, Finding]]:
    """Yield the names of CAs' documents that are not read, with `path.nested`, `path.reserved`."""
    for name, entry in entries.items():
        if "/" in name:
            message = "CAs lie in ca/ itself, and this document lies deeper"
            remedy = "move it into ca/"
            yield name, flaw("path.nested", message, Location(entry.path), remedy)
        elif name.lower() in _RESERVED:
            message = f"a CA cannot be called {name}: issued/ or issuer means something else by it"
            yield name, flaw("path.reserved", message, Location(entry.path), "rename the CA")
