"""A tree of Git as documents see it: which entry is which document, and which may not be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitca.documents.fields import SEGMENT, escaped
from gitca.documents.flaws import flaw
from gitca.findings import Finding, Location

SYMLINK = "120000"
SUBMODULE = "160000"
ENDING = ".yaml"
MAX_SEGMENT = 200
"""Characters of one folder or file name: with `.pem` it must fit any file system's 255 bytes."""
MAX_NAME = 800

_SEGMENT = re.compile(SEGMENT)
_NAME = re.compile(rf"{SEGMENT}(?:/{SEGMENT})*")
# Without dots in folders: most repositories have no other names, and most of the time goes here.
_USUAL = re.compile(rf"(?:[A-Za-z0-9][A-Za-z0-9_-]*/)*{SEGMENT}")
ORDINARY = frozenset({"100644", "100755"})
"""The modes of files."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry of a recursive Git tree: path from the root, mode in octal (`100644`), blob id."""

    path: str
    mode: str
    blob: str


@dataclass(frozen=True)
class Folder:
    """The entries below a folder: documents by name, other files by path.

    `refused` holds the entries that are there and that no document may be read from.
    """

    documents: Mapping[str, TreeEntry]
    others: Mapping[str, TreeEntry]
    refused: tuple[TreeEntry, ...]
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> frozenset[str]:
        """The paths of the refused entries."""
        return frozenset(entry.path for entry in self.refused)


def request_paths(entries: Iterable[TreeEntry]) -> Mapping[str, TreeEntry]:
    """Return the entries of `requests/**.yaml` by name, nothing parsed.

    Links and other entries that `load_requests` refuses are among them: their names are there, so
    that nothing takes their documents for deleted.
    """
    prefix = "requests/"
    return {
        entry.path[len(prefix) : -len(ENDING)]: entry
        for entry in entries
        if entry.path.startswith(prefix) and entry.path.endswith(ENDING)
    }


def survey(entries: Iterable[TreeEntry], folder: str) -> Folder:
    """Return what lies below `folder`, and what may not lie there, each looked at by itself.

    Findings: `path.not-a-folder`, `path.symlink`, `path.submodule`, `path.extension`,
    `path.characters`, `path.length`, `path.reserved`.
    """
    documents: dict[str, TreeEntry] = {}
    others: dict[str, TreeEntry] = {}
    findings: list[Finding] = []
    refused: list[TreeEntry] = []
    start = len(folder) + 1
    for entry in _below(entries, folder):
        path = entry.path
        is_document = path.endswith(ENDING)
        if entry.mode in ORDINARY and is_document and _is_usual(path, start):
            documents[path[start : -len(ENDING)]] = entry
            continue
        problem = _misplaced(entry, folder) or _misnamed(path, start)
        if problem:
            findings.append(problem)
            refused.append(entry)
        if not is_document:
            others[path] = entry
        elif not problem:
            documents[path[start : -len(ENDING)]] = entry
    return Folder(documents, others, tuple(refused), tuple(findings))


def without_clashes(folder: Folder) -> Folder:
    """Return a folder less the documents that an earlier one's name differs from in case alone.

    `path.case` for each. The tree alone decides which, for what governs an order is read again from
    its commit when it is verified; names of requests are judged by `clashes`.
    """
    documents, clashes = dict(folder.documents), _clashes(folder.documents)
    refused = (*folder.refused, *(documents.pop(name) for name, _ in clashes))
    findings = (*folder.findings, *(problem for _, problem in clashes))
    return Folder(documents, folder.others, refused, findings)


def _below(entries: Iterable[TreeEntry], folder: str) -> list[TreeEntry]:
    prefix = f"{folder}/"
    found = [entry for entry in entries if entry.path.startswith(prefix) or entry.path == folder]
    return sorted(found, key=lambda entry: entry.path)


def _misplaced(entry: TreeEntry, folder: str) -> Finding | None:
    """Return what is wrong with an entry whose kind does not belong here."""
    if entry.mode == SYMLINK:
        message = "a symbolic link is not allowed here: what it points to is not in the commit"
        return _finding("path.symlink", entry.path, message, "put the file itself here")
    if entry.mode == SUBMODULE:
        message = "a submodule is not allowed here: its files are not in the commit"
        return _finding("path.submodule", entry.path, message, "put the files themselves here")
    if entry.path == folder:
        message = f"{folder} is a file, where a folder is needed"
        return _finding("path.not-a-folder", folder, message, "make it a folder")
    return None


def _is_usual(path: str, start: int) -> bool:
    """Whether a name is short and plain enough for `_misnamed` to have nothing against it."""
    return len(path) < MAX_SEGMENT and _USUAL.fullmatch(path, start) is not None


def _misnamed(path: str, start: int) -> Finding | None:
    """Return what is wrong with the name of a document; other files may be called anything."""
    if not path.endswith(ENDING):
        return _misspelt_ending(path)
    name = path[start : -len(ENDING)]
    if _NAME.fullmatch(name) is None:
        return _bad_characters(path, name)
    longest = max(map(len, name.split("/")))
    if longest > MAX_SEGMENT or len(name) > MAX_NAME:
        message = (
            f"the name has {len(name)} characters, {longest} of them in one part; {MAX_NAME} and"
            f" {MAX_SEGMENT} are allowed"
        )
        return _finding("path.length", path, message, "rename the document")
    if ".pem/" in name or ".yaml/" in name:
        message = (
            "a folder's name ends in .pem or .yaml, which issued/ and documents need for files"
        )
        return _finding("path.reserved", path, message, "rename the folder")
    return None


def _misspelt_ending(path: str) -> Finding | None:
    ending = path[path.rfind(".") :].lower()
    if ending not in {ENDING, ".yml"}:
        return None
    message = f"documents end in .yaml, and this one ends in {path[-len(ending) :]}"
    return _finding("path.extension", path, message, "rename it to end in .yaml")


def _bad_characters(path: str, name: str) -> Finding:
    parts = [part for part in name.split("/") if _SEGMENT.fullmatch(part) is None]
    message = (
        f"“{escaped(parts[0][:60])}” is no name of a folder or document: allowed are letters,"
        " digits, dots, hyphens and underscores after a letter or digit"
    )
    return _finding("path.characters", path, message, "rename it")


def _clashes(documents: Mapping[str, TreeEntry]) -> list[tuple[str, Finding]]:
    """Return the names that some file systems cannot tell from one that came before."""
    spelt: dict[str, str] = {}
    folders: set[str] = set()
    clashes = []
    for name, entry in documents.items():
        folder = name[: name.rfind("/") + 1]
        other = spelt.setdefault(name.lower(), name)
        other = "" if other == name else other
        if not other and folder not in folders:
            other = _other_spelling(folder, spelt)
            if not other:
                folders.add(folder)
        if other:
            seen = name[: len(other)]
            message = f"{seen} and {other} differ in upper and lower case alone"
            remedy = "rename one of them: many file systems hold one alone"
            clashes.append((name, _finding("path.case", entry.path, message, remedy)))
    return clashes


def _other_spelling(folder: str, spelt: dict[str, str]) -> str:
    """Return an earlier folder that this one or one above it is in other cases; note these.

    Folders keep their final slash here, so that none is taken for a document.
    """
    slash = folder.find("/")
    while slash >= 0:
        prefix = folder[: slash + 1]
        known = spelt.setdefault(prefix.lower(), prefix)
        if known != prefix:
            return known
        slash = folder.find("/", slash + 1)
    return ""


def _finding(rule: str, path: str, message: str, remedy: str) -> Finding:
    return flaw(rule, message, Location(escaped(path)), remedy)
