"""What the reconciler's commits wrote, held against the segments that they added."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from gitca.documents.load import REPOSITORY_PATH, TreeEntry, load_governing
from gitca.git.blobs import blob_id_of
from gitca.git.history import documents_tip
from gitca.git.lineage import Ancestor, Past
from gitca.git.store import Store
from gitca.ledger.events import Ordered
from gitca.ledger.image import ISSUED_FOLDER
from gitca.ledger.segment import LEDGER_FOLDER, Segment, segment_path
from gitca.verify.report import FIND, Contradiction
from gitca.verify.since import Since
from gitca.verify.writers import ORDERS, Delta, Step, Walk, Writers, delta_digest, delta_of

VERSIONS = 1000


def read_writers(
    store: Store, tip: str, segments: Sequence[str], since: Since
) -> tuple[Writers, list[str]]:
    """Return who wrote issued/ since a commit, and what of it this clone cannot tell.

    `segments` are the blobs of the tip's segments.
    """
    ancestors = store.repository.past.lineage(tip, ISSUED_FOLDER, after=since.commit)
    boundary = {since.commit: since.number} if since.commit else {}
    unchecked = []
    if store.repository.is_shallow():
        cut = _cut(store, ancestors)
        boundary |= cut
        unchecked = [
            f"who wrote segments up to {number}: this clone is shallow below {commit[:12]}"
            for commit, number in cut.items()
        ]
    walk = Walk(
        past=store.repository.past,
        identity_of=functools.cache(functools.partial(_identity, store)),
        also=_identities(store),
        boundary=boundary,
        empty_blob=blob_id_of(tip)(b""),
    )
    if not ancestors:  # nothing since
        return Writers(number=since.number), unchecked
    return walk.over(ancestors, tip, segments), unchecked


def _cut(store: Store, ancestors: Sequence[Ancestor]) -> dict[str, int]:
    """Return the commits at which a shallow clone ends, and their segments."""
    ends = [item.commit for item in ancestors if not item.parents and item.folder]
    return {commit: len(store.entries(commit, LEDGER_FOLDER)) for commit in ends}


def _identity(store: Store, blob: str | None) -> str:
    entries = [TreeEntry(REPOSITORY_PATH, "100644", blob)] if blob else []
    committer = load_governing(entries, store.read).repository.spec.committer
    return f"{committer.name} <{committer.email}>"


def _identities(store: Store) -> frozenset[str]:
    """Return who gitca ever committed as, where the documents have a branch of their own.

    A commit of `issued/` does not tell then which documents there were.
    """
    if not store.is_parted:
        return frozenset()
    tip = documents_tip(store.repository, store.branches)
    changes = (
        store.repository.past.last_changes(tip, REPOSITORY_PATH, count=VERSIONS) if tip else []
    )
    blobs = {change.after for change in changes}
    return frozenset(_identity(store, blob) for blob in (*blobs, None))


def documents_of(store: Store, step: Step | None, segment: Segment) -> str | None:
    """Return the commit of the documents that a segment was recorded upon, if it can be told."""
    if not store.is_parted:
        return step.ancestor.parents[0] if step and step.ancestor.parents else None
    sources = (event.source for event in segment.events if isinstance(event, Ordered))
    return next(sources, None)


def check_step(past: Past, step: Step, delta: Delta) -> Iterator[Contradiction]:
    """Yield where a commit did more, less or other below issued/ than its segment explains."""
    expected = dict(delta) | {segment_path(step.number): step.segment}
    if delta_digest(expected) == step.digest:
        return
    (changes,) = past.changes_of([step.ancestor.commit])
    made = delta_of(changes)
    for path in sorted(expected.keys() | made.keys()):
        if path in made and path in expected and _same(path, made[path], expected[path]):
            continue
        what = "does not explain this change" if path not in expected else "gives another file here"
        if path not in made:
            what = "gives a change here that it did not make"
        message = f"commit {step.ancestor.commit[:12]} added segment {step.number}, which {what}"
        yield Contradiction("I8", path, message, FIND, step.ancestor.commit, step.number)


def _same(path: str, one: str | None, other: str | None) -> bool:
    by_path = path.startswith(ORDERS) and one is not None and other is not None
    return by_path or one == other
