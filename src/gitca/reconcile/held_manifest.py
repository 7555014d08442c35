"""The manifest that a target holds: read, held against the ledger and the branch, and replaced.

Whoever replaces a CA's object claims the target before: the manifest, replaced on the condition
that it is the one that was read, then names his commit. So of two runs at once the earlier
commit's finds the other's claim, before it writes or at its end, and begins anew.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from gitca.errors import ContradictionError
from gitca.git.store import Store
from gitca.ledger.segment import segment_path
from gitca.publishers import ConflictError, Publisher
from gitca.publishers.kinds import MANIFEST
from gitca.publishers.layout import MANIFEST_PATH
from gitca.publishers.manifest import (
    NOTHING,
    Manifest,
    ManifestError,
    manifest_item,
    parse_manifest,
)
from gitca.reconcile.publication import Publication
from gitca.reconcile.sending import ATTEMPTS, AheadError, UnsettledError


class LateError(AheadError):
    """A target has what commits give that are not in the history of the one at hand."""

    def __init__(self, message: str, commits: frozenset[str]) -> None:
        super().__init__(message, remedy="run it again")
        self.commits = commits


@dataclass(frozen=True, slots=True)
class History:
    """What the branch says of a manifest: which commits count, and earlier segments' digests.

    `source` is the commit that the documents are of; `strange` tells of some commits which are not
    in the history of the commit at hand.
    """

    source: str
    strange: Callable[[Manifest], frozenset[str]]
    digest_of: Callable[[int], str | None]


@dataclass(slots=True)
class HeldManifest:
    """The manifest of one target in one run.

    `held` is what stands there; `found` is that less what this run wrote.
    """

    publisher: Publisher
    publication: Publication
    history: History
    notes: list[str]
    held: Manifest = NOTHING
    found: Manifest = NOTHING
    _version: str | None = None
    _is_due: bool = False
    _is_claimed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> None:
        """Read it anew. Raises: UsageError; BackendUnavailableError."""
        stored = self.publisher.read(MANIFEST_PATH)
        self._version, self.held = None, NOTHING
        if stored is not None:
            self._version = stored.version
            self._is_due = not stored.is_served_as(MANIFEST.item(MANIFEST_PATH, b""))
            try:
                self.held = parse_manifest(stored.content)
            except ManifestError as error:
                note = f"{MANIFEST_PATH} was none that gitca wrote: {error}"
                if note not in self.notes:
                    self.notes.append(note)
        self.found = self.held

    def check(self) -> None:
        """Raise where what is published there may not be replaced.

        Raises: ContradictionError for another repository or another history of this one; AheadError
        for a later segment of the ledger; LateError for commits that may be later ones.
        """
        held, head = self.held, self.publication.head
        if held is NOTHING:
            return
        if held.segment > head.number:
            raise AheadError(
                f"the target has segment {held.segment} of the ledger (commit {held.commit}),"
                f" and here it ends with {head.number}",
                remedy="if no other run was faster, the ledger was rewound; see docs/publishing.md",
            )
        is_last = held.segment == head.number
        known = head.digest if is_last else self.history.digest_of(held.segment)
        if held.ledger != known:
            raise ContradictionError(
                f"{MANIFEST_PATH} names {held.ledger} as segment {held.segment} of the ledger, and"
                f" here it is {known}: another repository is published there, or another history",
                remedy="give each repository a target of its own; if the history was rewritten, see"
                " docs/publishing.md",
            )
        # The ledger stands still between commits of documents, and what is published does not.
        strange = self.history.strange(held) if is_last else frozenset()
        if strange:
            raise LateError(
                f"the target has what commit {', '.join(sorted(strange))} gives, which is not in"
                f" the history of {self.publication.commit}",
                strange,
            )

    def claim(self, manifest: Manifest, *, is_contended: bool = False) -> None:
        """Write it, once a run, before a CA's object is replaced. Raises: as `write`.

        `is_contended`: another run wrote the object meanwhile, so that its claim is looked for.
        """
        with self._lock:
            if is_contended:
                self.read()
                self.check()
            if not self._is_claimed:
                # Who waits for the lock must not take a claim that failed for one.
                self._replace(manifest)
                self._is_claimed = True

    def write(self, manifest: Manifest) -> None:
        """Put it in the place of what stands there, if it says more.

        Raises: what `check` does; UsageError; BackendUnavailableError.
        """
        is_there = self._version is not None and not manifest.says_more_than(self.held)
        # After a claim only a write tells whether another claimed meanwhile.
        if self._is_claimed or self._is_due or not is_there:
            self._replace(manifest)

    def _replace(self, manifest: Manifest) -> None:
        item = manifest_item(manifest)
        for _ in range(ATTEMPTS):
            self.check()
            try:
                self._version = self.publisher.write(item, self._version)
            except ConflictError:
                self.read()
                continue
            self.held, self._is_due = manifest, False
            return
        raise UnsettledError(
            f"{MANIFEST_PATH} was replaced by others {ATTEMPTS} times", remedy="run it again"
        )


def digest_of(store: Store, commit: str, number: int) -> str | None:
    """Return the digest of one segment of the ledger; None where there is none."""
    blobs = [entry.blob for entry in store.entries(commit, segment_path(number))] if number else []
    for data in store.read_segments(blobs):
        return f"sha256:{hashlib.sha256(data).hexdigest()}"
    return None
