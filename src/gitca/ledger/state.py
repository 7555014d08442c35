"""The state: the fold of the ledger, event by event.

Everything that gitca knows of the past is here; `issued/` is its image. Folding checks what the
order of events must obey, so that a ledger which contradicts itself never becomes a state.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime

from gitca.errors import ContradictionError
from gitca.ledger.adoption import adopted_record, check_adopted_path
from gitca.ledger.endorsement import check_authority_object, is_of_kind
from gitca.ledger.events import (
    Abandoned,
    Adopted,
    CertificateParticulars,
    CrlParticulars,
    CsrParticulars,
    Event,
    Ordered,
    Revoked,
    Signed,
)
from gitca.ledger.records import AuthorityRecord, OrderRecord, RequestRecord
from gitca.ledger.segment import Segment, SegmentHead, segment_path


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
        self.refused_since: dict[str, int] = {}  # the segments that began it
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
        """Whether the certificate or the key of a CA, or of one above it, has been revoked."""
        seen: set[str] = set()
        while name not in seen:
            seen.add(name)
            record = self.authority(name).certificate
            if record is None:
                return False
            if self.is_revoked(record) or record.certificate.key in self.refused_keys:
                return True
            name = record.ordered.ca
        return False

    def live(self, orders: Iterable[OrderRecord], now: datetime) -> tuple[OrderRecord, ...]:
        """Return the certificates, ordered or signed, that are neither expired nor revoked.

        What is ordered counts: a run that died may have signed it. What was given up does not.
        """
        standing = (item for item in orders if not item.is_given_up)
        return tuple(
            item
            for item in standing
            if item.certificate.not_after >= now and not self.is_revoked(item)
        )

    def _fold(self, event: Event) -> None:
        match event:
            case Ordered():
                self._fold_ordered(event)
            case Signed():
                self._fold_signed(event)
            case Adopted():
                self._fold_adopted(event)
            case Revoked():
                self._fold_revoked(event)
            case Abandoned():
                self._fold_abandoned(event)

    def _fold_ordered(self, event: Ordered) -> None:
        earlier = self.orders.get(event.order)
        # A CSR has neither serial number nor date: what was given up may be asked for again.
        is_csr = isinstance(event.particulars, CsrParticulars)
        if earlier is not None and not (is_csr and earlier.abandoned):
            raise _ImpossibleEventError(f"order {event.order} is recorded twice")
        record = OrderRecord(event, self.head.number)
        match event.particulars:
            case CrlParticulars() as crl:
                self._fold_crl_order(record, crl)
            case CsrParticulars() as csr:
                self._fold_csr_order(record, csr)
            case CertificateParticulars() as certificate:
                self._fold_certificate_order(record, certificate)
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
            self._fold_authority_order(record, given, given.authority)
        if given.cross is not None:
            self._fold_cross_order(record, given, given.cross)

    def _fold_authority_order(
        self, record: OrderRecord, given: CertificateParticulars, name: str
    ) -> None:
        authority = self.authorities.setdefault(name, AuthorityRecord())
        if authority.pending_certificate:
            raise _ImpossibleEventError(f"CA {name} has a certificate ordered already")
        # A renewal is on the same key: another key is another CA.
        if authority.certificate and authority.certificate.certificate.key != given.key:
            raise _ImpossibleEventError(f"CA {name} has a certificate on another key already")
        authority.pending_certificate = record

    def _fold_cross_order(
        self, record: OrderRecord, given: CertificateParticulars, name: str
    ) -> None:
        subject = self.authority(name)
        if subject.certificate is None or subject.certificate.certificate.key != given.key:
            raise _ImpossibleEventError(f"a cross-certificate is ordered on a key not CA {name}'s")
        if record.ordered.ca in subject.pending_crosses:
            raise _ImpossibleEventError(f"CA {name} has a cross-certificate ordered already")
        subject.pending_crosses[record.ordered.ca] = record

    def _fold_csr_order(self, record: OrderRecord, given: CsrParticulars) -> None:
        authority = self.authorities.setdefault(given.authority, AuthorityRecord())
        if given.authority != record.ordered.ca:
            raise _ImpossibleEventError(f"CA {record.ordered.ca} is to sign another CA's CSR")
        if authority.pending_csr:
            raise _ImpossibleEventError(f"CA {given.authority} has a CSR ordered already")
        if authority.key not in (None, given.key):
            raise _ImpossibleEventError(f"CA {given.authority} has another key already")
        authority.pending_csr = record

    def _fold_crl_order(self, record: OrderRecord, given: CrlParticulars) -> None:
        authority = self.authorities.setdefault(record.ordered.ca, AuthorityRecord())
        # One that leaps would use the numbers up, and no lower one may follow what was published.
        if given.number != authority.last_crl_number + 1:
            raise _ImpossibleEventError(
                f"CRL number {given.number} of CA {record.ordered.ca} is not the one after"
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
        if event.is_lost:
            record.spend(event)
            return
        if record.is_pending == event.spent:
            outcome = "still awaits its signature" if event.spent else "has its outcome already"
            raise _ImpossibleEventError(f"order {event.order} {outcome}, and is signed once more")
        if not is_of_kind(record, event):
            raise _ImpossibleEventError(f"order {event.order} is for an object of another kind")
        if event.spent:
            record.spend(event)
            return
        try:
            check_authority_object(record, event, self.authority(record.ordered.ca).certificate)
        except ValueError as error:
            raise _ImpossibleEventError(f"order {event.order}: {error}") from error
        record.signed, record.signed_in = event, self.head.number
        del self.pending[event.order]
        match record.ordered.particulars:
            case CrlParticulars() as crl:
                self._settle_crl(record, crl)
            case CsrParticulars() as csr:
                authority = self.authorities[csr.authority]
                authority.csr, authority.pending_csr = record, None
            case CertificateParticulars() as certificate:
                self._settle_certificate(record, certificate)

    def _settle_certificate(self, record: OrderRecord, given: CertificateParticulars) -> None:
        if given.request is not None:
            self.requests[given.request].current = record
        if given.authority is not None:
            authority = self.authorities[given.authority]
            authority.pending_certificate = None
            authority.use(record, self.head.number)
        if given.cross is not None:
            subject = self.authorities[given.cross]
            subject.crosses[record.ordered.ca] = subject.pending_crosses.pop(record.ordered.ca)

    def _fold_adopted(self, event: Adopted) -> None:
        authority = self.authorities.setdefault(event.authority, AuthorityRecord())
        try:
            record = adopted_record(event, self.head.number)
            if authority.key != record.certificate.key:
                raise ValueError(
                    f"CA {event.authority} is given a certificate on a key that is not its own"
                )
            check_adopted_path(event)
        except ValueError as error:
            raise _ImpossibleEventError(str(error)) from error
        self.keys.setdefault(record.certificate.key, []).append(record)
        authority.adopted = authority.adoptions[event.fingerprint] = event
        authority.use(record, self.head.number)

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
                self._refuse(event.key, event)
            return
        record = self.serials.get((event.ca, event.serial))
        if record is None:
            raise _ImpossibleEventError(f"serial number {event.serial} is revoked, never ordered")
        if (event.ca, event.serial) in self.revoked:
            raise _ImpossibleEventError(f"serial number {event.serial} is revoked twice")
        self.revoked[event.ca, event.serial] = event
        record.revoked_in = self.head.number
        if event.reason in {"keyCompromise", "cACompromise"}:
            self._refuse(record.certificate.key, event)
        authority = self.authorities.setdefault(event.ca, AuthorityRecord())
        place = len(authority.revocations)
        authority.revocations.append(event)
        authority.carried[event.serial] = (place, event)
        heapq.heappush(authority.expiries, (record.certificate.not_after, place, event.serial))

    def _refuse(self, key: str, event: Revoked) -> None:
        self.refused_keys.setdefault(key, event)
        self.refused_since.setdefault(key, self.head.number)

    def _fold_abandoned(self, event: Abandoned) -> None:
        record = self.pending.pop(event.order, None)
        if record is None:
            raise _ImpossibleEventError(f"order {event.order} is abandoned and was not pending")
        record.abandoned = event
        match record.ordered.particulars:
            case CrlParticulars():
                self.authorities[record.ordered.ca].pending_crl = None
            case CsrParticulars(authority=name):
                self.authorities[name].pending_csr = None
            case CertificateParticulars(authority=str(name)):
                self.authorities[name].pending_certificate = None
            case CertificateParticulars(cross=str(name)):
                del self.authorities[name].pending_crosses[record.ordered.ca]
            case CertificateParticulars():
                pass


class _ImpossibleEventError(Exception):
    """An event that cannot follow the ones before it."""
