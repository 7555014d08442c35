"""The proof: the ledger replayed, its image compared with `issued/`, each order judged again.

In this order: the chain of segments, the commits that wrote them, the fold with every signature and
CRL, the files at the tip, and each certificate under the documents of its source commit. Whatever
contradicts is told with the commit that brought it, the oldest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from gitca.documents.load import TreeEntry
from gitca.errors import BackendUnavailableError, ContradictionError
from gitca.git.blobs import blob_id_of
from gitca.git.snapshot import Snapshot
from gitca.git.store import Store
from gitca.ledger.events import (
    Abandoned,
    CertificateParticulars,
    CrlParticulars,
    CsrParticulars,
    Revoked,
    Signed,
)
from gitca.ledger.image import ISSUED_FOLDER, is_self_signed, order_path
from gitca.ledger.records import OrderRecord
from gitca.ledger.segment import LEDGER_FOLDER, Segment, parse_segment
from gitca.ledger.state import LedgerState
from gitca.verify.abandonment import judge_abandoned
from gitca.verify.adoption import judge_adoption
from gitca.verify.ahead import find_ahead
from gitca.verify.judge import Judgement, OrderJudge, Task
from gitca.verify.pool import CHUNK, Place, judged, processors
from gitca.verify.replay import Replay
from gitca.verify.report import FIND, Contradiction, VerifyReport
from gitca.verify.revocation import RevocationJudge, misdated
from gitca.verify.since import NOTHING, Since
from gitca.verify.told import in_order
from gitca.verify.writers import ORDERS, PLACEHOLDER, Writers, found_strays, mended_strays
from gitca.verify.written import Sources, check_step, read_writers

Progress = Callable[[str, int, int], None]
"""What is being checked, how many are done, and of how many."""

_KINDS: Mapping[type, str] = {
    CertificateParticulars: "certificates",
    CsrParticulars: "CSRs",
    CrlParticulars: "CRLs",
}


def verify(
    store: Store,
    commit: str,
    *,
    since: Since = NOTHING,
    now: datetime | None = None,
    progress: Progress = lambda *_: None,
) -> VerifyReport:
    """Return what one commit of a clone proves; nothing is fetched and no key is used.

    Proved: the ledger's chain and the order of its events, that each order has one outcome or
    awaits it, serial numbers (I2), CRL numbers and contents (I6, I7), every signature and its bytes
    (I1, I3, I5), every file under `issued/`, who committed it and what with it (I8, I10), every
    order judged again under the documents of its source commit (I5), which is in the documents'
    history (I8), and every revocation and abandonment under those it was recorded upon. Of segments
    up to `since` only the chain, the order of events and the files at the tip are. What is dated
    later than `now` is told and contradicts nothing: a clock that was ahead explains it.

    Not proved: what a history that was rewritten as a whole said before (compare another clone),
    that a committer is who he says (Git asks nobody), whose key the first certificate of a
    self-signed root is on (compare it out of band), and when a publisher served what.
    """
    proof = _Proof(store, commit, since, progress, now)
    try:
        proof.run()
    except ContradictionError as error:
        proof.report.contradictions.append(_of_ledger(error))
    return in_order(proof.report, store, commit, proof.writers)


def _of_ledger(error: ContradictionError) -> Contradiction:
    return Contradiction("I10", "ledger", error.message, error.remedy)


@dataclass(slots=True)
class _Proof:
    store: Store
    commit: str
    since: Since
    progress: Progress
    now: datetime | None
    report: VerifyReport = field(default_factory=VerifyReport)
    writers: Writers = field(default_factory=Writers)
    settled: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Prove step by step. Raises: ContradictionError where the ledger cannot be folded."""
        store, report = self.store, self.report
        report.since = self.since.number
        files = {entry.path: entry for entry in store.entries(self.commit, ISSUED_FOLDER)}
        blobs = [
            entry.blob for path, entry in files.items() if path.startswith(f"{LEDGER_FOLDER}/")
        ]
        self._read_writers(blobs)
        segments = tuple(_segments(store, files))
        replay = self._replay(segments)
        if self.now is not None:
            report.ahead += find_ahead(replay.state, self.now, since=self.since.number)
        orders = {path: entry.blob for path, entry in files.items() if path.startswith(ORDERS)}
        snapshot = Snapshot(self.commit, self.commit, (), orders, replay.state)
        pending = sum(1 for _ in store.pending(snapshot))
        report.checked["segments"] = len(segments)
        report.checked["pending orders"] = pending
        report.contradictions += _compare(files, replay, store)
        self._count(replay.state)
        self._judge_again(replay)
        self._judge_adoptions(replay)

    def _read_writers(self, blobs: list[str]) -> None:
        self.writers, unchecked = read_writers(self.store, self.commit, blobs, self.since)
        self.report.unchecked += unchecked
        self.report.remarks += mended_strays(self.writers)
        self.report.contradictions += found_strays(self.writers, len(blobs))
        self.report.checked["commits to issued/"] = len(self.writers.steps)

    def _replay(self, segments: tuple[Segment, ...]) -> Replay:
        judge, sources = RevocationJudge(self.store), Sources(self.store, self.writers.steps)
        replay = Replay(
            blob_id=blob_id_of(self.commit),
            kept=_spent(segments),
            since=self.since.number,
            order_blobs=self.writers.order_blobs,
        )
        for place, segment in enumerate(segments, start=1):
            if place > self.since.number:
                self._hold_by_hand(judge, replay, segment, sources)
                self.settled |= {item.order for item in segment.events if isinstance(item, Signed)}
            self.report.contradictions += replay.take(segment)
            step = self.writers.steps.get(place)
            if step is not None:
                self.report.contradictions += check_step(
                    self.store.repository.past, step, replay.delta
                )
            self.progress("replay", place, len(segments))
        replay.finish()
        return replay

    def _hold_by_hand(
        self, judge: RevocationJudge, replay: Replay, segment: Segment, sources: Sources
    ) -> None:
        """Hold against documents what needs no key, and whoever can push can write."""
        revoked = [event for event in segment.events if isinstance(event, Revoked)]
        given_up = [event for event in segment.events if isinstance(event, Abandoned)]
        if not revoked and not given_up:
            return
        number = segment.head.number
        step = self.writers.steps.get(number)
        source = sources.of(step, segment)
        dates = misdated(revoked, step.ancestor.when) if step is not None else ()
        self.report.contradictions += [replace(item, segment=number) for item in dates]
        if step is None or source is None:
            self.report.unchecked.append(f"segment {number}: the documents it was recorded upon")
            return
        state, when = replay.state, step.ancestor.when
        found: list[Contradiction] = []
        if step.ancestor.parents[:1] != (source,):
            place = f"segment {number}"
            found += _unreviewed(self.store.reviewed(self.commit), source, place)
        try:
            found += judge.judge(state, revoked, source)
            outcomes = (
                judge_abandoned(self.store, state, event, when, source) for event in given_up
            )
            found += [item for item in outcomes if item is not None]
        except BackendUnavailableError as error:
            self.report.unchecked.append(f"segment {number}: {error.message}")
        self.report.contradictions += [replace(item, segment=number) for item in found]

    def _count(self, state: LedgerState) -> None:
        checked = self.report.checked
        for order in state.orders.values():
            if order.signed:
                checked[_KINDS[type(order.ordered.particulars)]] += 1
            checked["spent signatures"] += order.spent
        checked["revocations"] = len(state.revoked)
        self.report.roots = {
            name: record.signed.fingerprint or ""
            for name, authority in sorted(state.authorities.items())
            if (record := authority.certificate) and record.signed and is_self_signed(record)
        }

    def _judge_again(self, replay: Replay) -> None:
        records = [
            record
            for record in replay.state.orders.values()
            if record.may_be_signed
            and (record.segment > self.since.number or record.ordered.order in self.settled)
        ]
        reviewed = self.store.reviewed(self.commit)
        judge = OrderJudge(self.store, replay.state)
        tasks, done = tuple(_tasks(records, replay)), 0
        place = Place(self.store.repository.root, self.store.branches, self.commit)
        for judgement in judged(judge, tasks, place, count=processors()):
            done += judgement.judged + judgement.lacking + judgement.unknown.total()
            self._take(judgement, reviewed, replay.state)
            self.progress("judge", done, len(records))

    def _take(
        self, judgement: Judgement, reviewed: frozenset[str] | None, state: LedgerState
    ) -> None:
        report, source = self.report, judgement.source
        report.contradictions += judgement.contradictions
        report.checked["judged again"] += judgement.judged
        for message, count in judgement.unknown.items():
            report.unchecked.append(f"{count} orders: {message}")
        if judgement.lacking:
            lacking = f"this clone lacks their source commit {source[:12]}"
            report.unchecked.append(f"{judgement.lacking} orders: {lacking}")
        # Where the documents have a branch of their own, this clone may not have the newest of it.
        if not judgement.lacking or not self.store.is_parted:
            for order in judgement.orders:
                found = _unreviewed(reviewed, source, f"order {order}")
                segment = state.orders[order].segment
                report.contradictions += [replace(item, segment=segment) for item in found]

    def _judge_adoptions(self, replay: Replay) -> None:
        """Judge again what external CAs gave, under the documents that it was taken into use by."""
        adoptions = [item for item in replay.adoptions if item.segment > self.since.number]
        reviewed = self.store.reviewed(self.commit) if adoptions else None
        for adoption in adoptions:
            source, is_here = adoption.event.source, True
            found: list[Contradiction] = []
            try:
                found += judge_adoption(self.store, adoption)
                self.report.checked["adopted certificates"] += 1
            except BackendUnavailableError:
                is_here = False
                lacking = f"this clone lacks its source commit {source[:12]}"
                self.report.unchecked.append(f"{adoption.place}: {lacking}")
            if is_here or not self.store.is_parted:
                found += _unreviewed(reviewed, source, adoption.place)
            self.report.contradictions += [
                replace(item, segment=adoption.segment) for item in found
            ]


def _segments(store: Store, files: Mapping[str, TreeEntry]) -> Iterator[Segment]:
    paths = [path for path in files if path.startswith(f"{LEDGER_FOLDER}/")]
    blobs = store.read_segments([files[path].blob for path in paths])
    for path, data in zip(paths, blobs, strict=True):
        yield parse_segment(path, data)


def _spent(segments: tuple[Segment, ...]) -> frozenset[str]:
    """Return the orders that were signed more than once."""
    events = (event for segment in segments for event in segment.events)
    return frozenset(event.order for event in events if isinstance(event, Signed) and event.spent)


def _compare(
    files: Mapping[str, TreeEntry], replay: Replay, store: Store
) -> Iterator[Contradiction]:
    """Yield every file under issued/ that is missing, other, or not explained by the ledger."""
    expected: dict[str, str | None] = {**replay.image, **replay.pending_image()}
    for path, blob in expected.items():
        entry = files.get(path)
        if entry is None:
            yield Contradiction("I3", path, "the ledger gives this file, and it is missing", FIND)
        elif entry.mode != "100644" or (blob is not None and entry.blob != blob):
            yield Contradiction("I3", path, "the file is not what the ledger gives", FIND)
    for path, entry in files.items():
        explained = path in expected or path.startswith(f"{LEDGER_FOLDER}/")
        empty = path == PLACEHOLDER and store.read(entry.blob) == b""
        if not explained and not empty:
            yield Contradiction("I8", path, "the ledger does not explain this file", FIND)


def _tasks(records: Iterable[OrderRecord], replay: Replay) -> Iterator[Task]:
    """Yield the orders of each source commit, so many at a time."""
    by_source: dict[str, list[tuple[str, str | None]]] = {}
    recorded: dict[str, str] = {}
    for record in records:
        order = record.ordered.order
        last = replay.before.get(order)
        name = last.ordered.order if last else None
        by_source.setdefault(record.ordered.source, []).append((order, name))
        blob = replay.order_blobs.get(order_path(order))
        if record.signed is None and blob is not None:
            recorded[order] = blob
    for source, orders in by_source.items():
        for start in range(0, len(orders), CHUNK):
            chunk = tuple(orders[start : start + CHUNK])
            blobs = tuple((order, recorded[order]) for order, _ in chunk if order in recorded)
            yield Task(source, chunk, blobs)


def _unreviewed(
    reviewed: frozenset[str] | None, source: str, place: str
) -> Iterator[Contradiction]:
    """Yield what is wrong where a source commit was never the documents'."""
    if reviewed is not None and source not in reviewed:
        message = f"its source commit {source[:12]} is not in the history of the documents"
        yield Contradiction("I8", place, message, FIND)
