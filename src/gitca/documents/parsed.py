"""Documents of a folder as they are read: each by itself, less what others speak against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitca.documents.csr_files import Read
from gitca.documents.document import Document
from gitca.documents.parse import parse_document
from gitca.documents.source import parse_source
from gitca.documents.tree import TreeEntry
from gitca.findings import Finding, has_errors


@dataclass(frozen=True)
class Parsed:
    """The documents of a folder by name, and what was found."""

    documents: Mapping[str, Document[Any]]
    broken: frozenset[str]
    findings: tuple[Finding, ...]


def without(parsed: Parsed, findings: tuple[Finding, ...]) -> Parsed:
    """Return the documents less those that errors are about, which become broken."""
    about = {finding.location.file for finding in findings if finding.is_error}
    kept = {name: doc for name, doc in parsed.documents.items() if doc.path not in about}
    return Parsed(kept, parsed.broken | about, parsed.findings + findings)


def parse_all(entries: Mapping[str, TreeEntry], read: Read, kinds: tuple[str, ...]) -> Parsed:
    """Return the documents of entries by name; one of another kind is broken."""
    documents: dict[str, Document[Any]] = {}
    broken: set[str] = set()
    findings: list[Finding] = []
    for name, entry in entries.items():
        document, found = parse_entry(name, entry, read, kinds)
        findings.extend(found)
        if document is None:
            broken.add(entry.path)
        else:
            documents[name] = document
    return Parsed(documents, frozenset(broken), tuple(findings))


def parse_entry(
    name: str, entry: TreeEntry, read: Read, kinds: tuple[str, ...]
) -> tuple[Document[Any] | None, tuple[Finding, ...]]:
    """Return the document that a file holds if it is of one of the kinds, and all findings."""
    source, found = parse_source(entry.path, read(entry.blob), blob=entry.blob)
    if source is None:
        return None, found
    document, more = parse_document(source, name=name, kinds=kinds)
    # What the reader refused is not said again by the model, which meets a stand-in there.
    places = {finding.location for finding in found}
    found += tuple(finding for finding in more if finding.location not in places)
    return (None if has_errors(found) else document), found


def of_kind(parsed: Parsed, kind: str) -> dict[str, Document[Any]]:
    """Return the sound documents of one kind."""
    return {name: doc for name, doc in parsed.documents.items() if doc.kind == kind}
