"""What the ledger has of orders, requests and CAs: the values of the state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from gitca.ledger.events import (
    Abandoned,
    Adopted,
    CertificateParticulars,
    CrlParticulars,
    CsrParticulars,
    Ordered,
    Revoked,
    Signed,
)

EXTERNAL = "external"
"""Who signed the certificate of a CA whose parent is outside of the repository; no CA's name."""


@dataclass(slots=True)
class OrderRecord:
    """One order and its outcome so far: pending, signed or abandoned.

    `segment` is the ledger's that records it, `signed_in` the one that records its signature,
    `revoked_in` the one that revokes its certificate; 0 while there is none. `late` is the first
    signature that a run brought back after the order had been abandoned; `spent` counts all that
    were used for nothing.
    """

    ordered: Ordered
    segment: int
    signed: Signed | None = None
    abandoned: Abandoned | None = None
    late: Signed | None = None
    spent: int = 0
    signed_in: int = 0
    revoked_in: int = 0

    @property
    def is_pending(self) -> bool:
        """Whether the order is recorded and neither signed nor abandoned."""
        return self.signed is None and self.abandoned is None

    @property
    def is_given_up(self) -> bool:
        """Whether the order was abandoned and nobody is known to have signed it all the same."""
        return self.abandoned is not None and self.late is None

    @property
    def may_be_signed(self) -> bool:
        """Whether the order was not abandoned, or a key was used for it in spite of that."""
        return self.abandoned is None or self.spent > 0

    @property
    def outcome(self) -> Signed | None:
        """The first signature that came back from the key, in time or late; None without one."""
        return self.signed or self.late

    def spend(self, event: Signed) -> None:
        """Take a signature, or a lost one, that came when the order had its outcome."""
        self.spent += 1
        if self.abandoned is not None and self.late is None and not event.is_lost:
            self.late = event

    @property
    def certificate(self) -> CertificateParticulars:
        """The particulars of an order for a certificate. Raises: TypeError for any other."""
        if not isinstance(self.ordered.particulars, CertificateParticulars):
            raise TypeError(f"order {self.ordered.order} is for no certificate")
        return self.ordered.particulars

    @property
    def key(self) -> str:
        """The key (`sha256:…`) that a certificate or CSR is of. Raises: TypeError for a CRL's."""
        if isinstance(self.ordered.particulars, CrlParticulars):
            raise TypeError(f"order {self.ordered.order} is for a CRL")
        return self.ordered.particulars.key

    @property
    def about(self) -> str:
        """What the order is for, in words: a request's name, `CA root`, `CRL 7 of CA root`."""
        match self.ordered.particulars:
            case CertificateParticulars(request=str(name)):
                return name
            case CertificateParticulars(cross=str(name)):
                return f"cross-certificate of CA {name}"
            case CertificateParticulars(authority=name):
                return f"CA {name}"
            case CsrParticulars(authority=name):
                return f"CSR of CA {name}"
            case CrlParticulars(number=number):
                return f"CRL {number} of CA {self.ordered.ca}"

    @property
    def request(self) -> CsrParticulars:
        """The particulars of an order for a CSR. Raises: TypeError for any other."""
        if not isinstance(self.ordered.particulars, CsrParticulars):
            raise TypeError(f"order {self.ordered.order} is for no CSR")
        return self.ordered.particulars

    @property
    def crl(self) -> CrlParticulars:
        """The particulars of an order for a CRL. Raises: TypeError for any other."""
        if not isinstance(self.ordered.particulars, CrlParticulars):
            raise TypeError(f"order {self.ordered.order} is for no CRL")
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
    """What a CA has: its own certificates, its CRLs, and the revocations that it carries.

    `certificate` is the one in use, `certificates` all there were, each with the segment from whose
    end on it was in use. An external CA's is as if ordered by `EXTERNAL`; `adoptions` has the event
    by its fingerprint, `adopted` the last one. `crosses` are the cross-certificates for this CA by
    the CA that signed them, `csr` is what an external CA was asked with. A pending order of each
    kind is held beside.

    `revocations` are all that were ever recorded, in order; `carried` (by serial number) those that
    the next CRL must hold; `pending_crl` keeps the entries of a CRL that awaits its signature.
    """

    certificate: OrderRecord | None = None
    pending_certificate: OrderRecord | None = None
    certificates: list[tuple[int, OrderRecord]] = field(default_factory=list)
    crosses: dict[str, OrderRecord] = field(default_factory=dict)
    pending_crosses: dict[str, OrderRecord] = field(default_factory=dict)
    csr: OrderRecord | None = None
    pending_csr: OrderRecord | None = None
    adopted: Adopted | None = None
    adoptions: dict[str, Adopted] = field(default_factory=dict)
    crl: OrderRecord | None = None
    pending_crl: tuple[OrderRecord, tuple[Revoked, ...]] | None = None
    last_crl_number: int = 0
    revocations: list[Revoked] = field(default_factory=list)
    carried: dict[str, tuple[int, Revoked]] = field(default_factory=dict)
    expiries: list[tuple[datetime, int, str]] = field(default_factory=list)

    @property
    def key(self) -> str | None:
        """The CA's own key (`sha256:…`), as far as anything was signed or ordered on it."""
        return next((record.key for record in self.key_records()), None)

    def key_records(self) -> Iterator[OrderRecord]:
        """Yield every order for a certificate or CSR of the CA itself; all are on its one key."""
        yield from (record for _, record in self.certificates)
        pending = (self.pending_certificate, self.csr, self.pending_csr)
        yield from (record for record in pending if record is not None)

    def certificate_before(self, segment: int | None) -> OrderRecord | None:
        """Return the certificate that was in use when a segment was written; now, for None."""
        if segment is None:
            return self.certificate
        earlier = [record for since, record in self.certificates if since < segment]
        return earlier[-1] if earlier else None

    def use(self, record: OrderRecord, segment: int) -> None:
        """Take a signed certificate into use."""
        self.certificate = record
        self.certificates.append((segment, record))
