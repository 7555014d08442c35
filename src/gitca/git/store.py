"""The store: the ledger and its image in one branch of a Git repository.

It loads a commit as documents and state, records orders, and commits signatures. Every write is
one commit that is made known by one compare-and-swap (a push that only fast-forwards, or the update
of the local branch where there is no remote): that push is the lock of DESIGN section 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from gitca.documents.load import TreeEntry
from gitca.errors import LostRaceError
from gitca.git.blobs import blob_id_of
from gitca.git.fulfilment import Fulfilment, settled
from gitca.git.guard import Guard
from gitca.git.history import reviewed_history
from gitca.git.message import commit_message, statement
from gitca.git.objects import BlobTooLargeError
from gitca.git.ordered import ordered_bytes
from gitca.git.parting import Parting, no_documents
from gitca.git.repository import GitRepository, Identity
from gitca.git.shown import ShownBranch
from gitca.git.snapshot import Branches, Snapshot
from gitca.git.worktree import Outcome
from gitca.ledger.draft import Batch
from gitca.ledger.events import CrlParticulars, Event, Ordered
from gitca.ledger.image import image_of_adoption, order_path
from gitca.ledger.segment import LEDGER_FOLDER, parse_segment, render_segment, segment_path
from gitca.ledger.state import LedgerState
from gitca.plan.desired import ReadRequesters

__all__ = ["Branches", "Fulfilment", "RecordedOrder", "Snapshot", "Store"]

ORDERS_FOLDER = "issued/orders"
DOCUMENT_FOLDERS = ("ca", "policies", "requests")
COMMIT_ATTEMPTS = 20
LARGEST_SEGMENT = 2 * 1024**3
LARGEST_DOCUMENT = 1024**2


class _Proof:
    """Held by this module alone: what shows that an order was read from a pushed commit."""


_PROOF = _Proof()


@dataclass(frozen=True, slots=True)
class RecordedOrder:
    """An order that a pushed commit holds, with its exact bytes: all that may be signed (I1).

    Only the store makes one. Raises: TypeError when anything else tries to.
    """

    ordered: Ordered
    tbs: bytes
    proof: _Proof

    def __post_init__(self) -> None:
        if self.proof is not _PROOF:
            raise TypeError("only the store makes recorded orders")


class Store:
    """Reads and writes one CA repository. Not for use by two threads.

    A write is durable and known to everyone once the call returns; one that raises LostRaceError
    has changed nothing. Loading again is always safe. `tip` is the last commit that was loaded or
    written.
    """

    def __init__(self, repository: GitRepository, branches: Branches, committer: Identity) -> None:
        self.repository = repository
        self.branches = branches
        self.committer = committer
        self._remote = repository.remote() is not None
        self._folded: list[tuple[str, str]] = []
        self._state = LedgerState()
        self.shown = ShownBranch(repository, branches.issued)
        self._guard = Guard(repository, branches.issued)
        self._listed: tuple[str, tuple[TreeEntry, ...]] = ("", ())
        self.tip: str | None = None

    def work_locally(self) -> None:
        """Read and write the local branches from now on, whatever origin has."""
        self._remote = False

    @property
    def is_local(self) -> bool:
        """Whether it reads and writes the local branches, not origin's."""
        return not self._remote

    @property
    def is_parted(self) -> bool:
        """Whether `issued/` has a branch of its own."""
        return self.branches.issued != self.branches.documents

    def load(self) -> Snapshot:
        """Return the branch's tip at the remote; at home, where there is no remote.

        Raises: BackendUnavailableError (remote), ContradictionError (ledger, branches),
        LostRaceError where the documents name other branches by now.
        """
        snapshot = self._load()
        parting = Parting(self.repository, self.branches, self.read)
        parting.check(snapshot, dict(self._folded), locally=self.is_local)
        return snapshot

    def at(self, source: str, tip: str | None) -> Snapshot:
        """Return any commit (`source`) with the ledger of another (`tip`); nothing is fetched."""
        issued = self.repository.tree(tip, LEDGER_FOLDER, ORDERS_FOLDER) if tip else ()
        segments, orders = [], {}
        for entry in issued:
            if entry.path.startswith(f"{ORDERS_FOLDER}/"):
                orders[entry.path] = entry.blob
            else:
                segments.append((entry.path, entry.blob))
        return Snapshot(source, tip, self._documents(source), orders, self._fold(segments))

    def reviewed(self, commit: str) -> frozenset[str] | None:
        """Return the documents' history for a commit's `issued/`; None where it is not whole."""
        return reviewed_history(self.repository, self.branches, commit)

    def read(self, blob: str) -> bytes:
        """Return a document's bytes; for one above a mebibyte, zeros that a parser finds so."""
        try:
            return self.repository.read(blob, size_limit=LARGEST_DOCUMENT)
        except BlobTooLargeError:
            return bytes(LARGEST_DOCUMENT + 1)

    def requesters(self, commit: str) -> ReadRequesters:
        """Return the reader of who changed documents below `requests/` last, as of a commit."""
        return partial(self.repository.requesters, commit, below="requests")

    def is_reviewed(self, source: str, snapshot: Snapshot) -> bool:
        """Whether a commit is in the history of the documents' branch.

        Raises: BackendUnavailableError where this clone has not enough of the history to tell.
        """
        return self.repository.has_in_history(source, snapshot.source)

    def naming(self, snapshot: Snapshot, segment: int) -> AbstractContextManager[None]:
        """Give a context in which a ContradictionError is told with the commit of a segment."""
        return self._guard.naming(snapshot.tip, segment_path(segment))

    def read_segments(self, blobs: Sequence[str]) -> Iterator[bytes]:
        """Yield the bytes of the ledger's segments."""
        return self.repository.read_many(blobs, size_limit=LARGEST_SEGMENT)

    def entries(self, commit: str, *paths: str) -> tuple[TreeEntry, ...]:
        """Return the files of a commit at or below the paths."""
        return tuple(self.repository.tree(commit, *paths))

    def record(
        self, snapshot: Snapshot, batch: Batch, *, now: datetime
    ) -> tuple[Snapshot, tuple[RecordedOrder, ...]]:
        """Commit and push a batch; return the snapshot after it and the orders it recorded.

        Raises: LostRaceError when the branch has moved: nothing was recorded, plan anew.
        """
        events: tuple[Event, ...] = (
            *batch.abandoned,
            *batch.revoked,
            *batch.adopted,
            *(draft.ordered for draft in batch.drafts),
        )
        changes: dict[str, bytes | None] = {
            path: None
            for path in (order_path(event.order) for event in batch.abandoned)
            if path in snapshot.orders
        }
        changes |= {
            order_path(draft.ordered.order): draft.tbs
            for draft in batch.drafts
            if not isinstance(draft.ordered.particulars, CrlParticulars)
        }
        for adopted in batch.adopted:
            changes |= image_of_adoption(adopted)
        after = self._append(snapshot, events, changes, now)
        orders = (RecordedOrder(draft.ordered, draft.tbs, _PROOF) for draft in batch.drafts)
        return after, tuple(orders)

    def pending(self, snapshot: Snapshot) -> Iterator[RecordedOrder]:
        """Yield the orders that await their signature, with their bytes.

        Raises: ContradictionError when the bytes are missing or not those that were ordered.
        """
        for record in tuple(snapshot.state.pending.values()):
            tbs = ordered_bytes(self.repository, snapshot, record)
            yield RecordedOrder(record.ordered, tbs, _PROOF)

    def commit(
        self, snapshot: Snapshot, fulfilments: Sequence[Fulfilment], *, now: datetime
    ) -> Snapshot:
        """Commit signatures with their certificates and CRLs, and push.

        On a lost race the commit is made again on the new tip: only gitca writes `issued/`. A
        signature whose order has an outcome by then is recorded as spent. Raises: LostRaceError
        after 20 lost races; the orders stay recorded for the next run.
        """
        for _ in range(COMMIT_ATTEMPTS):
            events, changes = settled(snapshot.state, fulfilments)
            try:
                return self._append(snapshot, events, changes, now)
            except LostRaceError:
                # Whatever the documents name by now, this belongs to the branch of its orders.
                snapshot = self._load()
        raise LostRaceError(
            f"the branch moved {COMMIT_ATTEMPTS} times while signatures were to be committed",
            remedy="run gitca reconcile again",
        )

    def check_movable(self) -> None:
        """Raise UsageError where a commit would move a branch that another working tree shows."""
        if self.is_local:
            self.repository.check_held_here(self.branches.issued)

    def bring_forward(self) -> Outcome | None:
        """Bring the user's branch and working tree to `tip`; None where there is none to show."""
        outcome = None if self.tip is None else self.shown.show(self.tip)
        # Nobody expects to have a branch of issued/ alone checked out.
        return None if outcome and outcome.is_unseen and self.is_parted else outcome

    def _load(self) -> Snapshot:
        # issued/ first: whatever it was recorded upon is then in the documents that are read next.
        self.tip = self._tip(self.branches.issued)
        source = self._tip(self.branches.documents) if self.is_parted else self.tip
        if source is None:
            raise no_documents(self.branches, has_ledger=self.tip is not None)
        with self._guard.naming(self.tip, LEDGER_FOLDER):
            snapshot = self.at(source, self.tip)
        self._guard.check(snapshot, dict(self._folded))
        return snapshot

    def _tip(self, branch: str) -> str | None:
        if self._remote:
            return self._guard.fetch(branch)
        return self.repository.local_branch(branch)

    def _documents(self, source: str) -> tuple[TreeEntry, ...]:
        if self._listed[0] != source:
            self._listed = source, tuple(self.repository.tree(source, *DOCUMENT_FOLDERS))
        return self._listed[1]

    def _fold(self, segments: Sequence[tuple[str, str]]) -> LedgerState:
        """Fold what is new; from the start, where what was folded is no longer the beginning."""
        if list(segments[: len(self._folded)]) != self._folded:
            self._folded, self._state = [], LedgerState()
        new = segments[len(self._folded) :]
        blobs = self.read_segments([blob for _, blob in new])
        for (path, blob), data in zip(new, blobs, strict=True):
            self._state.apply(parse_segment(path, data))
            self._folded.append((path, blob))
        return self._state

    def _append(
        self,
        snapshot: Snapshot,
        events: Sequence[Event],
        changes: Mapping[str, bytes | None],
        now: datetime,
    ) -> Snapshot:
        source = snapshot.source
        path, data = render_segment(snapshot.state.head, events)
        commit = self.repository.commit(
            snapshot.tip,
            changes={**changes, path: data},
            message=commit_message(
                events,
                statement(path, blob_id_of(source)(data)),
                documents=source if self.is_parted else None,
            ),
            author=self.committer,
            when=now,
        )
        self._make_known(commit, snapshot.tip)
        return self._after(snapshot, commit)

    def _make_known(self, commit: str, before: str | None) -> None:
        if self._remote:
            self.repository.push(commit, self.branches.issued)
        else:
            self.shown.advance(commit, before)
        self._guard.follow(before, commit)
        self.tip = commit

    def _after(self, snapshot: Snapshot, commit: str) -> Snapshot:
        if self.is_parted:
            return self.at(snapshot.source, commit)
        # What was written lies below issued/ alone, so that the documents are the parent's.
        self._listed = commit, snapshot.entries
        return self.at(commit, commit)
