"""Replay: fold the ledger once more, event by event, and hold each signature against its order."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gitca.errors import ContradictionError
from gitca.ledger.draft import crl_tbs
from gitca.ledger.events import Adopted, CrlParticulars, Event, Ordered, Signed
from gitca.ledger.image import image_of, image_of_adoption, order_path, standing_certificate
from gitca.ledger.records import OrderRecord
from gitca.ledger.segment import Segment
from gitca.ledger.state import LedgerState
from gitca.verify.adoption import Adoption, check_path
from gitca.verify.report import FIND, Contradiction
from gitca.verify.signature import check_signature, digest
from gitca.x509.refusal import RefusedError
from gitca.x509.signed import assemble

BlobId = Callable[[bytes], str]
"""Bytes to the id of the blob that holds them, in the repository's object format."""


@dataclass(slots=True)
class Replay:
    """The state so far, and the files that `issued/` must hold by now (path to blob id).

    `crls` keeps the bytes of each CA's last CRL order, and of those in `kept`, by order: a second
    signature may be recorded when the CA has a later CRL. `before` gives each CRL order the CRL
    that was the CA's last signed one then. `adoptions` are those so far, to be judged again.
    """

    blob_id: BlobId
    kept: frozenset[str] = frozenset()
    state: LedgerState = field(default_factory=LedgerState)
    image: dict[str, str] = field(default_factory=dict)
    crls: dict[str, bytes] = field(default_factory=dict)
    before: dict[str, OrderRecord | None] = field(default_factory=dict)
    adoptions: list[Adoption] = field(default_factory=list)
    _last: dict[str, str] = field(default_factory=dict)

    def take(self, segment: Segment) -> Iterator[Contradiction]:
        """Fold one more segment and yield what contradicts in it.

        Raises: ContradictionError where the ledger cannot be folded any further.
        """
        self.state.link(segment)
        for event in segment.events:
            # Before the fold: what it does not take is told in full.
            yield from self._check(event)
            self.state.apply_event(event)
            if isinstance(event, Ordered) and isinstance(event.particulars, CrlParticulars):
                yield from self._rebuild_crl(event, event.particulars)

    def pending_image(self) -> dict[str, str | None]:
        """Return the files of pending certificates' orders; their blobs are checked elsewhere."""
        return {
            order_path(order): None
            for order, record in self.state.pending.items()
            if not isinstance(record.ordered.particulars, CrlParticulars)
        }

    def _check(self, event: Event) -> Iterator[Contradiction]:
        if isinstance(event, Adopted):
            yield from self._check_adopted(event)
            return
        record = self.state.orders.get(event.order) if isinstance(event, Signed) else None
        # Of a use of the key whose answer was lost there is nothing to check; the fold counts it.
        if record is None or not isinstance(event, Signed) or event.is_lost:
            return
        try:
            der = self._signed_object(record, event)
            yield from check_signature(self.state, record, event, der)
        except (RefusedError, ContradictionError, ValueError) as error:
            yield Contradiction("I3", f"order {event.order}", str(error), FIND)
            return
        if not event.spent:
            self._show(image_of(self.state, record, der))

    def _check_adopted(self, event: Adopted) -> Iterator[Contradiction]:
        authority = self.state.authority(event.authority)
        adoption = Adoption(event, authority.key, authority.certificate)
        try:
            yield from check_path(adoption)
            self._show(image_of_adoption(event))
        except ValueError as error:
            yield Contradiction("I3", adoption.place, str(error), FIND)
        self.adoptions.append(adoption)

    def _signed_object(self, record: OrderRecord, event: Signed) -> bytes:
        whole = event.certificate if event.certificate is not None else event.csr
        if whole is not None:
            return base64.b64decode(whole, validate=True)
        tbs = self.crls.get(event.order)
        if tbs is None:
            raise ValueError("its signature is a CRL's, and its order is not the CA's last CRL")
        signature = base64.b64decode(event.signature or "", validate=True)
        return assemble(tbs, record.ordered.signature_algorithm, signature)

    def _show(self, changes: Mapping[str, bytes | None]) -> None:
        for path, data in changes.items():
            if data is None:
                self.image.pop(path, None)
            else:
                self.image[path] = self.blob_id(data)

    def _rebuild_crl(self, event: Ordered, particulars: CrlParticulars) -> Iterator[Contradiction]:
        authority = self.state.authority(event.ca)
        place = f"order {event.order}"
        if authority.certificate is None or authority.pending_crl is None:
            message = f"a CRL was ordered of CA {event.ca} before it had a certificate"
            yield Contradiction("I5", place, message, FIND)
            return
        issuer = standing_certificate(authority.certificate)
        revocations = authority.pending_crl[1]
        algorithm = event.signature_algorithm
        try:
            tbs = crl_tbs(issuer, particulars, revocations, signature_algorithm=algorithm)
        except RefusedError as error:
            yield Contradiction("I5", place, error.message, FIND)
            return
        self._keep(event, tbs)
        self.before[event.order] = authority.crl
        if digest(tbs) != event.tbs:
            message = f"CRL {particulars.number} of CA {event.ca} is not what the ledger gives"
            yield Contradiction("I6", place, message, FIND)

    def _keep(self, event: Ordered, tbs: bytes) -> None:
        last = self._last.get(event.ca)
        if last is not None and last not in self.kept:
            self.crls.pop(last, None)
        self.crls[event.order], self._last[event.ca] = tbs, event.order
