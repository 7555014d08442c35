"""The state: the fold of the ledger, event by event.

Everything that gitca knows of the past is here; `issued/` is its image. Folding checks what the
order of events must obey, so that a ledger which contradicts itself never becomes a state.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from gitca.errors import ContradictionError
from gitca.ledger.events import (
    Abandoned,
    CertificateParticulars,
    CrlParticulars,
    Event,
    Ordered,
    Revoked,
    Signed,
)
from gitca.ledger.segment import Segment, SegmentHead, segment_path


@dataclass(slots=True)
class OrderRecord:
    """One order and its outcome so far: pending, signed or abandoned."""

    ordered: Ordered
    segment: int
    signed: Signed | None = None
    abandoned: Abandoned | None = None
    spent: int = 0

    @property
    def is_pending(self) -> bool:
        """Whether the order is recorded and neither signed nor abandoned."""
        return self.signed is None and self.abandoned is None

    @property
    def certificate(self) -> CertificateParticulars:
        """The particulars of an order for a certificate. Raises: TypeError for a CRL's order."""
        if not isinstance(self.ordered.particulars, CertificateParticulars):
            raise TypeError(f"order {self.ordered.order} is for a CRL")
        return self.ordered.particulars

    @property
    def crl(self) -> CrlParticulars:
        """The particulars of an order for a CRL. Raises: TypeError for a certificate's order."""
        if not isinstance(self.ordered.particulars, CrlParticulars):
            raise TypeError(f"order {self.ordered.order} is for a certificate")
        return self.ordered.particulars


@dataclass(slots=True)
class RequestRecord:
    """The orders that a request was given, oldest first, and the last one that was signed."""

    orders: list[OrderRecord] = field(default_factory=list)
    current: OrderRecord | None = None

    @property
    def pending(self) -> OrderRecord | None:
        """The request's order that awaits its signature, if any."""
        return next((order for order in self.orders if order.is_pending), None)


@dataclass(slots=True)
class AuthorityRecord:
    """What a CA has: its own certificate, its CRLs, and the revocations that it carries.

    `revocations` are all that were ever recorded, in order; `carried` (by serial number) those that
    the next CRL must hold; `pending_crl` keeps the entries of a CRL that awaits its signature.
    """

    certificate: OrderRecord | None = None
    pending_certificate: OrderRecord | None = None
    crl: OrderRecord | None = None
    pending_crl: tuple[OrderRecord, tuple[Revoked, ...]] | None = None
    last_crl_number: int = 0
    revocations: list[Revoked] = field(default_factory=list)
    carried: dict[str, tuple[int, Revoked]] = field(default_factory=dict)
    expiries: list[tuple[datetime, int, str]] = field(default_factory=list)


class LedgerState:
    """The fold of a ledger's segments, in order.

    Raises (from `apply`): ContradictionError, naming the segment, when the chain is broken or an
    event cannot follow the ones before it.
    """

    def __init__(self) -> None:
        self.head = SegmentHead()
        self.orders: dict[str, OrderRecord] = {}
        self.pending: dict[str, OrderRecord] = {}
        self.serials: dict[tuple[str, str], OrderRecord] = {}
        self.keys: dict[str, list[OrderRecord]] = {}
        self.requests: dict[str, RequestRecord] = {}
        self.authorities: dict[str, AuthorityRecord] = {}
        self.revoked: dict[tuple[str, str], Revoked] = {}
        self.refused_keys: dict[str, Revoked] = {}
        self.executed: dict[str, list[Revoked]] = {}

    def apply(self, segment: Segment) -> None:
        """Take one more segment into the state; it must be linked to the last one."""
        self.link(segment)
        for event in segment.events:
            self.apply_event(event)

    def link(self, segment: Segment) -> None:
        """Take the head of one more segment; its events are to follow one by one."""
        if segment.head.number != self.head.number + 1 or segment.previous != self.head.digest:
            raise ContradictionError(
                f"{segment_path(segment.head.number)}: segment {segment.head.number} names"
                f" {segment.previous} as the one before, the chain stands at segment"
                f" {self.head.number} with {self.head.digest}",
                remedy="find the commit that dropped or changed a segment and restore it",
            )
        self.head = segment.head

    def apply_event(self, event: Event) -> None:
        """Take one more event of the segment that was linked last."""
        try:
            self._fold(event)
        except _ImpossibleEventError as error:
            path = segment_path(self.head.number)
            raise ContradictionError(
                f"{path}: {error}",
                remedy=f"find the commit that changed it (git log -- {path})",
            ) from error

    def authority(self, name: str) -> AuthorityRecord:
        """Return the record of a CA, empty for one that the ledger does not know yet."""
        return self.authorities.get(name) or AuthorityRecord()

    def is_revoked(self, order: OrderRecord) -> bool:
        """Whether the certificate of an order has been revoked."""
        return (order.ordered.ca, order.certificate.serial) in self.revoked

    def is_authority_revoked(self, name: str) -> bool:
        """Whether the certificate of a CA, or of one above it, has been revoked."""
        seen: set[str] = set()
        while name not in seen:
            seen.add(name)
            record = self.authority(name).certificate
            if record is None:
                return False
            if self.is_revoked(record):
                return True
            name = record.ordered.ca
        return False

    def live(self, orders: Iterable[OrderRecord], now: datetime) -> tuple[OrderRecord, ...]:
        """Return the certificates, ordered or signed, that are neither expired nor revoked.

        One that is only ordered counts: a run that died may have signed it.
        """
        return tuple(
            order
            for order in orders
            if not order.abandoned
            and order.certificate.not_after >= now
            and not self.is_revoked(order)
        )

    def _fold(self, event: Event) -> None:
        match event:
            case Ordered():
                self._fold_ordered(event)
            case Signed():
                self._fold_signed(event)
            case Revoked():
                self._fold_revoked(event)
            case Abandoned():
                self._fold_abandoned(event)

    def _fold_ordered(self, event: Ordered) -> None:
        if event.order in self.orders:
            raise _ImpossibleEventError(f"order {event.order} is recorded twice")
        record = OrderRecord(event, self.head.number)
        if isinstance(event.particulars, CrlParticulars):
            self._fold_crl_order(record, event.particulars)
        else:
            self._fold_certificate_order(record, event.particulars)
        self.orders[event.order] = self.pending[event.order] = record

    def _fold_certificate_order(self, record: OrderRecord, given: CertificateParticulars) -> None:
        serial = (record.ordered.ca, given.serial)
        if serial in self.serials:
            raise _ImpossibleEventError(
                f"serial number {serial[1]} of CA {serial[0]} is used twice"
            )
        self.serials[serial] = record
        self.keys.setdefault(given.key, []).append(record)
        if given.request is not None:
            self.requests.setdefault(given.request, RequestRecord()).orders.append(record)
        if given.authority is not None:
            authority = self.authorities.setdefault(given.authority, AuthorityRecord())
            if authority.certificate or authority.pending_certificate:
                raise _ImpossibleEventError(
                    f"CA {given.authority} has a certificate, signed or ordered, already"
                )
            authority.pending_certificate = record

    def _fold_crl_order(self, record: OrderRecord, given: CrlParticulars) -> None:
        authority = self.authorities.setdefault(record.ordered.ca, AuthorityRecord())
        if given.number <= authority.last_crl_number:
            raise _ImpossibleEventError(
                f"CRL number {given.number} of CA {record.ordered.ca} does not rise above"
                f" {authority.last_crl_number}"
            )
        if authority.pending_crl:
            raise _ImpossibleEventError(f"CA {record.ordered.ca} has a CRL ordered already")
        if given.revocations != len(authority.revocations):
            raise _ImpossibleEventError(
                f"CRL {given.number} of CA {record.ordered.ca} counts {given.revocations}"
                f" revocations, the ledger {len(authority.revocations)}"
            )
        authority.last_crl_number = given.number
        entries = tuple(revoked for _, revoked in authority.carried.values())
        authority.pending_crl = (record, entries)

    def _fold_signed(self, event: Signed) -> None:
        record = self.orders.get(event.order)
        if record is None:
            raise _ImpossibleEventError(f"order {event.order} was signed and not recorded before")
        if record.is_pending == event.spent:
            outcome = "still awaits its signature" if event.spent else "has its outcome already"
            raise _ImpossibleEventError(f"order {event.order} {outcome}, and is signed once more")
        is_crl = isinstance(record.ordered.particulars, CrlParticulars)
        if is_crl != (event.certificate is None):
            raise _ImpossibleEventError(f"order {event.order} is for an object of another kind")
        if event.spent:
            record.spent += 1
            return
        record.signed = event
        del self.pending[event.order]
        if isinstance(record.ordered.particulars, CrlParticulars):
            self._settle_crl(record, record.ordered.particulars)
        else:
            self._settle_certificate(record, record.ordered.particulars)

    def _settle_certificate(self, record: OrderRecord, given: CertificateParticulars) -> None:
        if given.request is not None:
            self.requests[given.request].current = record
        if given.authority is not None:
            authority = self.authorities[given.authority]
            authority.certificate, authority.pending_certificate = record, None

    def _settle_crl(self, record: OrderRecord, given: CrlParticulars) -> None:
        authority = self.authorities[record.ordered.ca]
        authority.crl, authority.pending_crl = record, None
        # RFC 5280 section 3.3: an entry leaves after it was on one CRL issued beyond its expiry.
        kept = []
        while authority.expiries and authority.expiries[0][0] < given.this_update:
            expiry = heapq.heappop(authority.expiries)
            if expiry[1] < given.revocations:
                authority.carried.pop(expiry[2])
            else:
                kept.append(expiry)
        for expiry in kept:
            heapq.heappush(authority.expiries, expiry)

    def _fold_revoked(self, event: Revoked) -> None:
        self.executed.setdefault(event.document.path, []).append(event)
        if event.ca is None or event.serial is None:
            if event.key is not None:
                self.refused_keys.setdefault(event.key, event)
            return
        record = self.serials.get((event.ca, event.serial))
        if record is None:
            raise _ImpossibleEventError(f"serial number {event.serial} is revoked, never ordered")
        if (event.ca, event.serial) in self.revoked:
            raise _ImpossibleEventError(f"serial number {event.serial} is revoked twice")
        self.revoked[event.ca, event.serial] = event
        if event.reason in {"keyCompromise", "cACompromise"}:
            self.refused_keys.setdefault(record.certificate.key, event)
        authority = self.authorities.setdefault(event.ca, AuthorityRecord())
        place = len(authority.revocations)
        authority.revocations.append(event)
        authority.carried[event.serial] = (place, event)
        heapq.heappush(authority.expiries, (record.certificate.not_after, place, event.serial))

    def _fold_abandoned(self, event: Abandoned) -> None:
        record = self.pending.pop(event.order, None)
        if record is None:
            raise _ImpossibleEventError(f"order {event.order} is abandoned and was not pending")
        record.abandoned = event
        if isinstance(record.ordered.particulars, CrlParticulars):
            self.authorities[record.ordered.ca].pending_crl = None
        elif record.ordered.particulars.authority is not None:
            self.authorities[record.ordered.particulars.authority].pending_certificate = None


class _ImpossibleEventError(Exception):
    """An event that cannot follow the ones before it."""
