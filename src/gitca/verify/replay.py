"""Replay: fold the ledger once more, event by event, and hold each signature against its order."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from gitca.errors import ContradictionError
from gitca.ledger.draft import crl_tbs
from gitca.ledger.events import (
    Abandoned,
    Adopted,
    CertificateParticulars,
    CrlParticulars,
    Event,
    Ordered,
    Signed,
)
from gitca.ledger.image import (
    crl_path,
    image_of,
    image_of_adoption,
    order_path,
)
from gitca.ledger.records import OrderRecord
from gitca.ledger.segment import Segment, segment_path
from gitca.ledger.state import LedgerState
from gitca.plan.demand import issuer_certificate
from gitca.verify.adoption import Adoption, check_path
from gitca.verify.crls import CrlView, compare_crls
from gitca.verify.report import FIND, Contradiction
from gitca.verify.signature import check_signature, digest
from gitca.x509.refusal import RefusedError
from gitca.x509.signed import assemble, tbs_of

BlobId = Callable[[bytes], str]
"""Bytes to the id of the blob that holds them, in the repository's object format."""


@dataclass(slots=True)
class Replay:
    """The state so far, and the files that `issued/` must hold by now (path to blob id).

    `crls` keeps the bytes of each CA's last CRL order, and of those in `kept`, by order: a second
    signature may be recorded when the CA has a later CRL. `before` gives each CRL order the CRL
    that was the CA's last signed one then. `adoptions` are those so far, to be judged again.
    `delta` is what the last segment changes under `issued/`; `order_blobs` the blob of each order's
    file as a commit recorded it. Of segments up to `since` nothing is checked but their chain.
    The signatures of certificates are left to whoever judges their orders.
    """

    blob_id: BlobId
    kept: frozenset[str] = frozenset()
    since: int = 0
    order_blobs: Mapping[str, str] = field(default_factory=dict)
    state: LedgerState = field(default_factory=LedgerState)
    image: dict[str, str] = field(default_factory=dict)
    crls: dict[str, bytes] = field(default_factory=dict)
    before: dict[str, OrderRecord | None] = field(default_factory=dict)
    adoptions: list[Adoption] = field(default_factory=list)
    delta: dict[str, str | None] = field(default_factory=dict)
    _ordered: dict[str, tuple[Ordered, CrlView]] = field(default_factory=dict)
    _signed: dict[str, CrlView] = field(default_factory=dict)
    _unbuilt: dict[str, tuple[Ordered, CrlView, Signed]] = field(default_factory=dict)

    def take(self, segment: Segment) -> Iterator[Contradiction]:
        """Fold one more segment and yield what contradicts in it.

        Raises: ContradictionError where the ledger cannot be folded any further.
        """
        self.state.link(segment)
        self.delta = {segment_path(segment.head.number): ""}
        for event in segment.events:
            for contradiction in self._take(event):
                yield replace(contradiction, segment=segment.head.number)

    def finish(self) -> None:
        """Build the CAs' current CRLs, where they were signed before `since`."""
        for ca, (ordered, view, event) in self._unbuilt.items():
            tbs = self._crl_tbs(ordered, view)
            der = assemble(tbs, ordered.signature_algorithm, _signature(event))
            self.image[crl_path(ca)] = self.blob_id(der)

    @property
    def is_judged(self) -> bool:
        """Whether the segment at hand is one of those that are checked."""
        return self.state.head.number > self.since

    def pending_image(self) -> dict[str, str | None]:
        """Return the files of pending certificates' orders; their blobs are checked elsewhere."""
        return {
            order_path(order): None
            for order, record in self.state.pending.items()
            if not isinstance(record.ordered.particulars, CrlParticulars)
        }

    def _take(self, event: Event) -> Iterator[Contradiction]:
        # Before the fold: what it does not take is told in full.
        yield from self._check(event)
        if isinstance(event, Abandoned):
            self._give_up(event)
        self.state.apply_event(event)
        if isinstance(event, Ordered):
            if isinstance(event.particulars, CrlParticulars):
                yield from self._rebuild_crl(event, event.particulars)
            else:
                self.delta[order_path(event.order)] = ""

    def _give_up(self, event: Abandoned) -> None:
        record = self.state.orders.get(event.order)
        if record and not isinstance(record.ordered.particulars, CrlParticulars):
            self.delta[order_path(event.order)] = None

    def _check(self, event: Event) -> Iterator[Contradiction]:
        if isinstance(event, Adopted):
            yield from self._check_adopted(event)
            return
        record = self.state.orders.get(event.order) if isinstance(event, Signed) else None
        # Of a use of the key whose answer was lost there is nothing to check; the fold counts it.
        if record is None or not isinstance(event, Signed) or event.is_lost:
            return
        given = record.ordered.particulars
        if isinstance(given, CrlParticulars) and not event.spent:
            self._take_over(record.ordered, event)
            if not self.is_judged:
                return
        try:
            der = self._signed_object(record, event)
            if self.is_judged and (event.spent or not isinstance(given, CertificateParticulars)):
                yield from check_signature(self.state, record, event, der)
            yield from self._check_recorded(record, der)
        except (RefusedError, ContradictionError, ValueError) as error:
            yield Contradiction("I3", f"order {event.order}", str(error), FIND)
            return
        if not event.spent:
            self._show(image_of(self.state, record, der))

    def _take_over(self, ordered: Ordered, event: Signed) -> None:
        """Let the CRL that was ordered last be the CA's last signed one."""
        last = self._ordered.get(ordered.ca)
        if last is None or last[0].order != ordered.order:
            return
        self._signed[ordered.ca] = last[1]
        if self.is_judged:
            self._unbuilt.pop(ordered.ca, None)
        else:
            self._unbuilt[ordered.ca] = (*last, event)

    def _check_recorded(self, record: OrderRecord, der: bytes) -> Iterator[Contradiction]:
        """Yield where a commit recorded other bytes for an order than were signed (I1)."""
        blob = self.order_blobs.get(order_path(record.ordered.order))
        if blob is not None and blob != self.blob_id(tbs_of(der)):
            message = "the commit that recorded it holds other bytes than were signed"
            yield Contradiction("I1", f"order {record.ordered.order}", message, FIND)

    def _check_adopted(self, event: Adopted) -> Iterator[Contradiction]:
        authority = self.state.authority(event.authority)
        adoption = Adoption(event, authority.key, authority.certificate, self.state.head.number)
        try:
            yield from check_path(adoption)
            if adoption.key in self.state.refused_keys:
                message = f"the key of CA {event.authority}, {adoption.key}, was refused by then"
                yield Contradiction("I5", adoption.place, message, FIND)
            self._show(image_of_adoption(event))
        except ValueError as error:
            yield Contradiction("I3", adoption.place, str(error), FIND)
        self.adoptions.append(adoption)

    def _signed_object(self, record: OrderRecord, event: Signed) -> bytes:
        whole = event.certificate if event.certificate is not None else event.csr
        if whole is not None:
            return base64.b64decode(whole, validate=True)
        tbs = self.crls.get(event.order)
        last = self._ordered.get(record.ordered.ca)
        if tbs is None and last is not None and last[0].order == event.order:
            tbs = self._crl_tbs(*last)
        if tbs is None:
            raise ValueError("its signature is a CRL's, and its order is not the CA's last CRL")
        return assemble(tbs, record.ordered.signature_algorithm, _signature(event))

    def _show(self, changes: Mapping[str, bytes | None]) -> None:
        for path, data in changes.items():
            if data is None:
                # A file of an order is there since it was ordered; any other, if it was shown.
                if self.image.pop(path, None) is not None or path.startswith("issued/orders/"):
                    self._change(path, None)
                continue
            blob = self.blob_id(data)
            if self.image.get(path) != blob:
                self.image[path] = blob
                self._change(path, blob)

    def _change(self, path: str, blob: str | None) -> None:
        if blob is None and self.delta.get(path) is not None:
            del self.delta[path]  # ordered and signed by one segment: it never lay there
        else:
            self.delta[path] = blob

    def _crl_tbs(self, ordered: Ordered, view: CrlView) -> bytes:
        # The certificate of then: a CA may have been given one with another key identifier since.
        issuer, algorithm = issuer_certificate(self.state, ordered), ordered.signature_algorithm
        entries = view.entries.values()
        return crl_tbs(issuer, view.given, entries, signature_algorithm=algorithm)

    def _rebuild_crl(self, event: Ordered, particulars: CrlParticulars) -> Iterator[Contradiction]:
        authority = self.state.authority(event.ca)
        place = f"order {event.order}"
        if authority.certificate is None or authority.pending_crl is None:
            message = f"a CRL was ordered of CA {event.ca} before it had a certificate"
            yield Contradiction("I5", place, message, FIND)
            return
        entries = {item.serial or "": item for item in authority.pending_crl[1]}
        view = CrlView(event.ca, particulars, entries)
        self._keep(event, view)
        self.before[event.order] = authority.crl
        if not self.is_judged and event.order not in self.kept:
            return
        for words in compare_crls(self.state, self._signed.get(event.ca), view):
            yield Contradiction("I6", place, words, FIND)
        try:
            tbs = self._crl_tbs(event, view)
        except (RefusedError, ContradictionError) as error:
            yield Contradiction("I5", place, error.message, FIND)
            return
        self.crls[event.order] = tbs
        if digest(tbs) != event.tbs:
            message = f"CRL {particulars.number} of CA {event.ca} is not what the ledger gives"
            yield Contradiction("I6", place, message, FIND)

    def _keep(self, event: Ordered, view: CrlView) -> None:
        last = self._ordered.get(event.ca)
        if last is not None and last[0].order not in self.kept:
            self.crls.pop(last[0].order, None)
        self._ordered[event.ca] = (event, view)


def _signature(event: Signed) -> bytes:
    return base64.b64decode(event.signature or "", validate=True)
