"""The files of a local branch below `issued/`, held against what its carried events give.

Where origin takes the local branch as it is, it takes these files too, and publishers send them on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitca.documents.tree import TreeEntry
from gitca.git.carry import LocalWork, Planting
from gitca.git.objects import BlobTooLargeError
from gitca.git.store import Store
from gitca.ledger.image import ISSUED_FOLDER
from gitca.ledger.segment import LEDGER_FOLDER
from gitca.x509.refusal import quoted

FILE_MODE = "100644"
NAMED = 3


def strange_files(store: Store, work: LocalWork, plantings: Iterable[Planting]) -> str:
    """Return in words which files below `issued/` are not what the events make of the common base.

    The ledger is left out: its segments were read, each upon the one before.
    """
    changes: dict[str, bytes | None] = {}
    for planting in plantings:
        changes |= planting.changes
    before, after = _files(store, work.base), _files(store, work.commit)
    paths = sorted({*before, *after, *changes})
    strange = [path for path in paths if not _is_given(store, path, before, after, changes)]
    more = f" and {len(strange) - NAMED} more" if len(strange) > NAMED else ""
    return ", ".join(map(quoted, strange[:NAMED])) + more


def _files(store: Store, commit: str | None) -> dict[str, TreeEntry]:
    entries = store.entries(commit, ISSUED_FOLDER) if commit else ()
    return {entry.path: entry for entry in entries if not _is_segment(entry.path)}


def _is_segment(path: str) -> bool:
    return path.startswith(f"{LEDGER_FOLDER}/")


def _is_given(
    store: Store,
    path: str,
    before: Mapping[str, TreeEntry],
    after: Mapping[str, TreeEntry],
    changes: Mapping[str, bytes | None],
) -> bool:
    entry = after.get(path)
    if path not in changes:
        return entry == before.get(path)
    wanted = changes[path]
    if entry is None or wanted is None:
        return entry is None and wanted is None
    return entry.mode == FILE_MODE and _holds(store, entry.blob, wanted)


def _holds(store: Store, blob: str, wanted: bytes) -> bool:
    try:
        return store.repository.read(blob, size_limit=max(len(wanted), 1)) == wanted
    except BlobTooLargeError:
        return False
