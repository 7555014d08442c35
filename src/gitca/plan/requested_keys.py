"""The keys that requests ask for: each CSR read once, and the past of its key.

The past comes from the ledger, by key, so that a request costs a few dictionary lookups however
many there are (I11). A request that was left unread has its key in the ledger already.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from gitca.documents.load import Requests
from gitca.ledger.draft import recorded_at
from gitca.ledger.image import certificate_der
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState
from gitca.policy.case import KeyHistory
from gitca.x509.certificate import parse_certificate
from gitca.x509.csr import Csr, CsrError, parse_csr
from gitca.x509.template import CertificateTemplate, spki_identifier

_RIVALS = 4  # of whom a message names three


@dataclass(frozen=True, slots=True)
class KeyOrders:
    """The ledger's orders by key, less those that were abandoned.

    Only segments below `before` count: what a plan saw whose orders that segment records. None
    counts all.
    """

    state: LedgerState
    before: int | None = None

    def first(self, key: str) -> OrderRecord | None:
        """Return the first order on a key, a request's or a CA's."""
        record = next(self._on(key), None)
        return record if record is not None and self._counts(record) else None

    def beside(self, key: str) -> Iterator[str]:
        """Yield the requests that the first segment which does not count orders on a key."""
        for record in self._on(key):
            if record.segment == self.before and record.certificate.request is not None:
                yield record.certificate.request

    def holder(self, key: str, standing: Container[str]) -> OrderRecord | None:
        """Return the order by which a request has a key; None where none ever had.

        It is the first of a request in `standing`, and where they are all gone the last of any.
        """
        last = None
        for record in self._on(key):
            request = record.certificate.request
            if not self._counts(record):
                break
            if request is not None and request in standing:
                return record
            last = record if request is not None else last
        return last

    def authorities(self) -> Mapping[str, str]:
        """Return the names of CAs by their own keys."""
        return {
            record.key: name
            for name, authority in self.state.authorities.items()
            for record in authority.key_records()
            if self._counts(record)
        }

    def _on(self, key: str) -> Iterator[OrderRecord]:
        return (record for record in self.state.keys.get(key, ()) if not record.abandoned)

    def _counts(self, record: OrderRecord) -> bool:
        return self.before is None or record.segment < self.before


@dataclass(frozen=True, slots=True)
class RequestedKeys:
    """The CSRs of the requests that were read, and what is known of their keys.

    `asking` are the requests by the key that they ask for, `standing` the names of all requests
    that have a document, `authorities` the CAs by their own keys.
    """

    csrs: Mapping[str, Csr | CsrError]
    asking: Mapping[str, tuple[str, ...]]
    standing: Container[str]
    orders: KeyOrders
    authorities: Mapping[str, str]

    @classmethod
    def read(cls, requests: Requests, orders: KeyOrders, standing: Container[str]) -> RequestedKeys:
        """Return the keys of the requests; CSRs that are none are kept as errors."""
        csrs = {name: _parse(csr.data) for name, csr in requests.csrs.items()}
        return cls(csrs, names_by_key(csrs), standing, orders, orders.authorities())

    def history(self, name: str) -> KeyHistory:
        """Return the past of a request's key. Raises: KeyError where it has no sound CSR."""
        csr = self.csrs[name]
        if isinstance(csr, CsrError):
            raise KeyError(name)
        key = spki_identifier(csr.spki_der)
        authority = self.authorities.get(key)
        first = self.orders.first(key)
        if first is None:
            return KeyHistory(rivals=self._rivals(key, name), authority=authority)
        order = self.orders.holder(key, self.standing)
        holder = order.certificate.request if order else None
        is_gone = holder is not None and holder not in self.standing
        return KeyHistory(
            holder=holder,
            since=recorded_at(first.ordered),
            left=_said(order) if is_gone and holder != name else None,
            rivals=self._rivals(key, name) if is_gone else (),
            authority=authority,
        )

    def _rivals(self, key: str, name: str) -> tuple[str, ...]:
        """Return a few of the other requests that ask for a free key in the same plan."""
        others = (*self.asking.get(key, ()), *self.orders.beside(key))
        return tuple(islice((other for other in others if other != name), _RIVALS))


def _said(order: OrderRecord | None) -> CertificateTemplate | None:
    if order is None or not order.signed:
        return None
    return parse_certificate(certificate_der(order)).template


def names_by_key(csrs: Mapping[str, Csr | CsrError]) -> Mapping[str, tuple[str, ...]]:
    """Return the names of requests by the identifier of the key in their CSR, sorted."""
    names: dict[str, list[str]] = {}
    for name, csr in sorted(csrs.items()):
        if isinstance(csr, Csr):
            names.setdefault(spki_identifier(csr.spki_der), []).append(name)
    return {key: tuple(found) for key, found in names.items()}


def _parse(data: bytes) -> Csr | CsrError:
    try:
        return parse_csr(data)
    except CsrError as error:
        return error
