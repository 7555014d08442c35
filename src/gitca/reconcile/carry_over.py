"""Carry over: what was signed on a local branch becomes a part of origin's.

Each local segment is held against the keys first. Then its events follow upon origin's tip as far
as they still can: what origin has by now is left out, and a signature of an order that has another
outcome there is recorded as spent, as if two runs had signed at once.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gitca.errors import ContradictionError, LostRaceError
from gitca.git.carry import (
    LocalWork,
    Planting,
    changes_issued_alone,
    find_local_work,
    ledger_of,
    pending_paths,
    plant,
    settle,
)
from gitca.git.ordered import LARGEST_TBS, crl_bytes
from gitca.git.repository import ORIGIN
from gitca.git.store import Snapshot, Store
from gitca.ledger.events import (
    Abandoned,
    CertificateParticulars,
    CrlParticulars,
    Event,
    Ordered,
    Signed,
)
from gitca.ledger.image import image_of, is_self_signed, order_path, standing_certificate
from gitca.ledger.records import OrderRecord
from gitca.ledger.segment import Segment, SegmentHead
from gitca.ledger.state import LedgerState
from gitca.reconcile.carried_files import strange_files
from gitca.x509.certificate import parse_certificate
from gitca.x509.refusal import RefusedError
from gitca.x509.signed import assemble, tbs_of, verify_signature

ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """What was carried over: the local commit, origin's new one, and the signatures by their use.

    `working_tree` says why files or branch stay behind, where they do.
    """

    local: str
    commit: str
    signed: tuple[Ordered, ...]
    spent: tuple[Ordered, ...]
    working_tree: str


def carry_over(store: Store, snapshot: Snapshot, now: datetime) -> CarriedOver | None:
    """Push what the local branch's ledger has and origin's lacks; None where that is nothing.

    Then the local branch is where origin's is. Safe to repeat after any end. Raises: UsageError
    where the local branch holds other changes, too; ContradictionError where a signature is not
    the CA's, or origin recorded what cannot stand beside it; LostRaceError after 20 lost races.
    """
    for _ in range(ATTEMPTS):
        work = find_local_work(store, snapshot.tip)
        if work is None:
            return None
        try:
            return _carry(store, snapshot, work, now)
        except LostRaceError:
            snapshot = store.load()
    raise LostRaceError(
        f"the branch moved {ATTEMPTS} times while signatures were to be carried over",
        remedy="run again",
    )


def _carry(store: Store, snapshot: Snapshot, work: LocalWork, now: datetime) -> CarriedOver:
    checker = _Checker(store, snapshot, work, ledger_of(store, work.base))
    checked = [checker.take(segment) for segment in work.segments]
    follower = _Follower(store, replace(work, tip=work.base, theirs=()), checker)
    plantings = [follower.follow(events) for events in checked]
    strange = strange_files(store, work, plantings)
    if strange:
        raise checker.refused(f"its signatures and orders do not give the content of {strange}")
    if not work.fits:
        follower = _Follower(store, work, checker)
        plantings = [follower.follow(events) for events in checked]
    if work.fits and changes_issued_alone(store, work):
        commit = work.commit
    else:
        plantings = [item for item in plantings if item.events]
        commit = plant(store, work, plantings, now) if plantings else work.tip or work.commit
    if commit != work.tip:
        store.repository.push(commit, store.branches.issued)
    outcome = settle(store, work, commit)
    signed, spent = tuple(follower.signed), tuple(follower.spent)
    return CarriedOver(work.commit, commit, signed, spent, outcome.reason if outcome else "")


@dataclass(slots=True)
class _Checker:
    """Follows the local ledger, from where origin's parts, and checks each event at its place."""

    store: Store
    snapshot: Snapshot
    work: LocalWork
    state: LedgerState
    ders: dict[str, bytes] = field(default_factory=dict)
    crls: dict[str, bytes] = field(default_factory=dict)

    def take(self, segment: Segment) -> tuple[Event, ...]:
        """Return the events of a segment, each found to be what an offline ceremony makes."""
        self.state.link(segment)
        for event in segment.events:
            if isinstance(event, Signed) and not event.is_lost:
                self._check(event)
            self.state.apply_event(event)
            self._check_kind(event)
        return segment.events

    def _check_kind(self, event: Event) -> None:
        if isinstance(event, Signed | Abandoned):
            return
        record = self.state.orders[event.order] if isinstance(event, Ordered) else None
        if record is None or not _is_own(record):
            raise self.refused("recorded what is origin's to record: more than signatures")
        if isinstance(record.ordered.particulars, CrlParticulars):
            self._crl(record, record.ordered.particulars)
        if not self.store.is_reviewed(record.ordered.source, self.snapshot):
            source = record.ordered.source[:12]
            raise self.refused(f"ordered by the documents of commit {source}, which origin lacks")

    def _check(self, event: Signed) -> None:
        """Raise unless the signature is the CA's, over the bytes that were ordered."""
        record = self.state.orders.get(event.order)
        if record is None:
            raise self.refused(f"signed order {event.order}, which was never recorded")
        try:
            der = self._signed_object(record, event)
            digest = hashlib.sha256(tbs_of(der)).hexdigest()
            sound = f"sha256:{digest}" == record.ordered.tbs
            sound = sound and f"sha256:{hashlib.sha256(der).hexdigest()}" == event.fingerprint
            sound = sound and verify_signature(der, self._signing_key(record, der))
        except (RefusedError, ValueError) as error:
            raise self.refused(f"order {event.order}: {error}") from error
        if not sound:
            raise self.refused(
                f"order {event.order} is given a signature that is not one of CA"
                f" {record.ordered.ca}'s key over the bytes that were ordered"
            )
        self.ders.setdefault(event.order, der)

    def _signed_object(self, record: OrderRecord, event: Signed) -> bytes:
        whole = event.certificate or event.csr
        if whole is not None:
            return base64.b64decode(whole, validate=True)
        tbs = self._crl(record, record.crl)
        signature = base64.b64decode(event.signature or "", validate=True)
        return assemble(tbs, record.ordered.signature_algorithm, signature)

    def _crl(self, record: OrderRecord, given: CrlParticulars) -> bytes:
        """Return the bytes of a CRL's order, kept for a second signature over them."""
        order = record.ordered.order
        if order not in self.crls:
            self.crls[order] = crl_bytes(self.state, record.ordered, given)
        return self.crls[order]

    def _signing_key(self, record: OrderRecord, der: bytes) -> bytes:
        certificate = self.state.authority(record.ordered.ca).certificate
        if certificate is not None:
            return standing_certificate(certificate).template.spki_der
        if isinstance(record.ordered.particulars, CrlParticulars) or not is_self_signed(record):
            raise ValueError(f"CA {record.ordered.ca} signed before it had a certificate")
        return parse_certificate(der).template.spki_der

    def refused(self, what: str) -> ContradictionError:
        """Return the error that says why the local branch is not carried over."""
        branch, commit = self.store.branches.issued, self.work.commit
        return ContradictionError(
            f"the local branch {branch} ({commit[:12]}) is not carried over: {what}",
            remedy=f"see what it holds (git log -p {commit[:12]} -- issued/ledger) and who made it",
        )


@dataclass(slots=True)
class _Follower:
    """Lets checked events follow upon origin's tip."""

    store: Store
    work: LocalWork
    checker: _Checker
    signed: list[Ordered] = field(default_factory=list)
    spent: list[Ordered] = field(default_factory=list)
    state: LedgerState = field(init=False)
    known: Counter[Event] = field(init=False)
    present: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.state = ledger_of(self.store, self.work.tip)
        self.known = Counter(event for segment in self.work.theirs for event in segment.events)
        self.present = set(pending_paths(self.store, self.work.tip))

    def follow(self, events: Sequence[Event]) -> Planting:
        """Return what of a segment's events is to be added, and what it changes."""
        self.state.head = SegmentHead(self.state.head.number + 1)
        added: list[Event] = []
        changes: dict[str, bytes | None] = {}
        for event in (item for given in events for item in self._adapted(given)):
            changes |= dict(self._image(event))
            try:
                self._check_first(event)
                self.state.apply_event(event)
            except ContradictionError as error:
                raise ContradictionError(
                    f"what was signed on the local branch ({self.work.commit[:12]}) cannot stand"
                    f" beside what origin recorded meanwhile: {error.message}",
                    remedy=self._remedy(),
                ) from error
            added.append(event)
        return Planting(tuple(added), changes)

    def _remedy(self) -> str:
        branch, local = self.store.branches.issued, self.work.commit
        return (
            "nothing was changed: one object was ordered at two places apart from each other, and a"
            " person must decide which counts. For origin's to count, drop the local commit: git"
            f" update-ref refs/gitca/dropped/{local} {local} && git fetch {ORIGIN} && git switch"
            f" {branch} && git reset --hard {ORIGIN}/{branch}; what was signed in it stays out of"
            " the ledger, so keep that ref, and let nobody use those certificates and CRLs"
        )

    def _check_first(self, event: Event) -> None:
        """Raise where a root orders a certificate and has one by now, or its key is refused."""
        given = event.particulars if isinstance(event, Ordered) else None
        if not isinstance(given, CertificateParticulars) or given.authority is None:
            return
        authority, refused = self.state.authority(given.authority), self.state.refused_keys
        if given.key in refused:
            raise ContradictionError(f"the key of CA {given.authority} was refused")
        if authority.certificate or authority.pending_certificate:
            raise ContradictionError(f"CA {given.authority} has a certificate already")

    def _adapted(self, event: Event) -> Iterator[Event]:
        """Yield an event as origin's ledger takes it; nothing for one that it has already."""
        if self._is_known(event):
            return
        order = event.order if isinstance(event, Signed | Abandoned) else ""
        record = self.state.orders.get(order)
        match event:
            case Ordered() if event.order not in self.state.orders:
                yield event
            case Signed() if record is not None and event.is_lost:
                yield event
            case Signed() if record is not None:
                (self.signed if record.is_pending else self.spent).append(record.ordered)
                yield replace(event, spent=not record.is_pending)
            case Abandoned() if record is not None and record.is_pending:
                yield event
            case _:
                pass

    def _is_known(self, event: Event) -> bool:
        forms = (replace(event, spent=flag) for flag in (False, True)) if isinstance(
            event, Signed
        ) else (event,)  # fmt: skip
        for form in forms:
            if self.known[form]:
                self.known[form] -= 1
                return True
        return False

    def _image(self, event: Event) -> Iterator[tuple[str, bytes | None]]:
        """Yield the files that an event changes, before it is applied."""
        path = order_path(event.order) if isinstance(event, Ordered | Signed | Abandoned) else ""
        if isinstance(event, Ordered) and not isinstance(event.particulars, CrlParticulars):
            tbs = self._tbs(event)
            if tbs is not None:
                self.present.add(path)
                yield path, tbs
        elif isinstance(event, Signed) and not event.spent:
            record = self.state.orders[event.order]
            changes = dict(image_of(self.state, record, self.checker.ders[event.order]))
            yield from ((place, data) for place, data in changes.items() if place != path)
        if isinstance(event, Abandoned | Signed) and path in self.present and not _is_spent(event):
            self.present.discard(path)
            yield path, None

    def _tbs(self, ordered: Ordered) -> bytes | None:
        """Return the bytes of a certificate's order; None for one that was given up again."""
        if ordered.order in self.checker.ders:
            return tbs_of(self.checker.ders[ordered.order])
        blob = pending_paths(self.store, self.work.commit).get(order_path(ordered.order))
        if blob is None and self.checker.state.orders[ordered.order].abandoned:
            return None
        tbs = self.store.repository.read(blob, size_limit=LARGEST_TBS) if blob else b""
        if f"sha256:{hashlib.sha256(tbs).hexdigest()}" != ordered.tbs:
            raise self.checker.refused(f"order {ordered.order} has not the bytes that it names")
        return tbs


def _is_own(record: OrderRecord) -> bool:
    """Whether an order is one that a root's own machine records: its certificate, or a CRL."""
    given = record.ordered.particulars
    if isinstance(given, CertificateParticulars):
        return is_self_signed(record)
    return isinstance(given, CrlParticulars)


def _is_spent(event: Abandoned | Signed) -> bool:
    return isinstance(event, Signed) and event.spent
