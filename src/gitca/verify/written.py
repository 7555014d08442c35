"""What the reconciler's commits wrote, held against the segments that they added."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitca.documents.load import REPOSITORY_PATH, TreeEntry, load_governing
from gitca.documents.repository import RepositorySpec
from gitca.git.blobs import blob_id_of
from gitca.git.history import documents_tip
from gitca.git.lineage import Ancestor, Past
from gitca.git.message import DOCUMENTS
from gitca.git.store import Store
from gitca.ledger.events import Ordered
from gitca.ledger.image import ISSUED_FOLDER
from gitca.ledger.segment import LEDGER_FOLDER, Segment, segment_path
from gitca.verify.report import FIND, Contradiction
from gitca.verify.since import Since
from gitca.verify.writers import ORDERS, Delta, Step, Walk, Writers, delta_digest, delta_of

VERSIONS = 1000
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


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
        also=_identities(store, tip),
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
    return _committer(_spec(store, blob))


def _spec(store: Store, blob: str | None) -> RepositorySpec:
    entries = [TreeEntry(REPOSITORY_PATH, "100644", blob)] if blob else []
    return load_governing(entries, store.read).repository.spec


def _committer(spec: RepositorySpec) -> str:
    return f"{spec.committer.name} <{spec.committer.email}>"


def _identities(store: Store, tip: str) -> frozenset[str]:
    """Return who gitca ever committed as, where documents have, or had, a branch of their own.

    A commit of `issued/` does not tell then which documents there were.
    """
    documents = documents_tip(store.repository, store.branches) if store.is_parted else tip
    if documents is None:
        return frozenset()
    changes = store.repository.past.last_changes(documents, REPOSITORY_PATH, count=VERSIONS)
    specs = [_spec(store, blob) for blob in {change.after for change in changes} | {None}]
    if not any(spec.issued_branch for spec in specs) and not store.is_parted:
        return frozenset()
    return frozenset(map(_committer, specs))


@dataclass(slots=True)
class Sources:
    """Tells the commit of the documents that a segment was recorded upon."""

    store: Store
    steps: Mapping[int, Step]
    _named: Mapping[str, str] | None = None

    def of(self, step: Step | None, segment: Segment) -> str | None:
        """Return that commit, None where it cannot be told.

        On a branch that documents share it is the parent. On one of its own, the commit names it;
        one that an older gitca made is told by the orders in its segment.
        """
        if step is None:
            return None
        named = self._named_by(step.ancestor.commit)
        if named is not None and (self.store.is_parted or self._is_elsewhere(step, named)):
            return named
        if not self.store.is_parted:
            return step.ancestor.parents[0] if step.ancestor.parents else None
        sources = (event.source for event in segment.events if isinstance(event, Ordered))
        return next(sources, None)

    def _named_by(self, commit: str) -> str | None:
        if self._named is None:
            commits = [step.ancestor.commit for step in self.steps.values()]
            self._named = self.store.repository.past.trailers(commits, DOCUMENTS)
        named = self._named.get(commit, "")
        return named if _COMMIT.fullmatch(named) else None

    def _is_elsewhere(self, step: Step, named: str) -> bool:
        """Whether a commit is not in the history of a step: its branch was another one then."""
        repository = self.store.repository
        known = repository.resolve(named) == named
        return not known or not repository.is_ancestor(named, step.ancestor.commit)


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
