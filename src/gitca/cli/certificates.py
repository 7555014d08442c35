"""What the ledger has of certificates, as an inventory shows it."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gitca.cli.clone import Clone
from gitca.cli.name_text import name_text
from gitca.cli.times import format_time
from gitca.errors import ContradictionError
from gitca.ledger.events import CertificateParticulars
from gitca.ledger.image import certificate_der, order_path
from gitca.ledger.records import EXTERNAL, OrderRecord
from gitca.ledger.state import LedgerState
from gitca.x509.certificate import CertificateError, parse_certificate, template_of
from gitca.x509.template import CertificateTemplate


class Status(enum.StrEnum):
    """What a certificate is at a moment."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the inventory."""

    record: OrderRecord
    status: Status
    template: CertificateTemplate

    @property
    def subject(self) -> str:
        """The subject's distinguished name (RFC 4514)."""
        return name_text(self.template.subject)

    @property
    def sans(self) -> list[str]:
        """The subject alternative names, each with its type before it."""
        return [str(name) for name in self.template.sans]

    @property
    def is_ca(self) -> bool:
        """Whether the certificate is a CA's, by request or of this repository."""
        return self.template.basic_constraints is not None

    def as_json(self) -> dict[str, object]:
        """The line as `gitca list --format json` gives it.

        `isCa` is there for CAs alone, `certifies` (a CA's name) for those that have a document, and
        `cross` for cross-certificates.
        """
        given, signed = self.record.certificate, self.record.outcome
        return {
            "serial": given.serial,
            "ca": self.record.ordered.ca,
            "request": given.request,
            "subject": self.subject,
            "sans": self.sans,
            "notBefore": format_time(given.not_before),
            "notAfter": format_time(given.not_after),
            "status": self.status.value,
            "fingerprint": signed.fingerprint if signed else None,
            **({"isCa": True} if self.is_ca else {}),
            **({"certifies": given.authority or given.cross} if given.request is None else {}),
            **({"cross": True} if given.cross is not None else {}),
        }


def certificate_orders(state: LedgerState, *, authorities: bool) -> list[OrderRecord]:
    """The orders for certificates that were not given up, oldest first.

    With `authorities` those for CAs' own certificates too, and what external CAs gave, which is as
    if ordered by `EXTERNAL`.
    """
    ordered = [
        record
        for record in state.orders.values()
        if isinstance(record.ordered.particulars, CertificateParticulars)
        and not record.is_given_up
        and (authorities or record.certificate.request is not None)
    ]
    if not authorities:
        return ordered
    given = [record for name in state.authorities for record in adopted_records(state, name)]
    return sorted([*ordered, *given], key=lambda record: record.segment)


def adopted_records(state: LedgerState, ca: str) -> list[OrderRecord]:
    """What external CAs gave to a CA, oldest first."""
    records = (record for _, record in state.authority(ca).certificates)
    return [record for record in records if record.ordered.ca == EXTERNAL]


def status_of(record: OrderRecord, state: LedgerState, now: datetime) -> Status:
    """What the certificate of an order is now; revocation outlasts expiry and succession."""
    if record.is_pending:
        return Status.PENDING
    if state.is_revoked(record) or _is_refused(record, state):
        return Status.REVOKED
    if record.certificate.not_after < now:
        return Status.EXPIRED
    # One that was signed after its order was given up may be the only one there is.
    current = _current(record, state)
    return Status.VALID if current is None or current is record else Status.SUPERSEDED


def _is_refused(record: OrderRecord, state: LedgerState) -> bool:
    """Whether an external CA gave it (its serial numbers are not ours) on a key that is revoked."""
    return record.ordered.ca == EXTERNAL and record.certificate.key in state.refused_keys


def is_current(record: OrderRecord, state: LedgerState) -> bool:
    """Whether no newer certificate took the place of an order's, valid or not."""
    return _current(record, state) is record


def _current(record: OrderRecord, state: LedgerState) -> OrderRecord | None:
    """The order whose certificate is in use where an order's would be."""
    given = record.certificate
    if given.request is not None:
        return state.requests[given.request].current
    if given.cross is not None:
        return state.authority(given.cross).crosses.get(record.ordered.ca)
    return state.authority(given.authority or "").certificate


def row_of(clone: Clone, record: OrderRecord, now: datetime) -> Row:
    """The line of the inventory for an order. Raises: ContradictionError."""
    return Row(record, status_of(record, clone.state, now), template_of_order(clone, record))


def template_of_order(clone: Clone, record: OrderRecord) -> CertificateTemplate:
    """What the certificate of an order says, or will say. Raises: ContradictionError."""
    try:
        if not record.is_pending:
            return parse_certificate(certificate_der(record)).template
        return template_of(_ordered_bytes(clone, record))
    except CertificateError as error:
        raise ContradictionError(
            f"order {record.ordered.order}: {error}", remedy="`gitca verify` tells more"
        ) from error


def _ordered_bytes(clone: Clone, record: OrderRecord) -> bytes:
    path = order_path(record.ordered.order)
    blob = clone.snapshot.orders.get(path)
    if blob is None:
        raise ContradictionError(f"{path} is missing", remedy="`gitca verify` tells more")
    return clone.store.read(blob)


def matching(clone: Clone, text: str, *, ca: str | None = None) -> Iterator[OrderRecord]:
    """The orders whose serial number is `text` (hexadecimal, at least 6 digits of it)."""
    digits = text.lower().removeprefix("0x").replace(":", "").lstrip("0")
    if len(digits) < 6 or digits.strip("0123456789abcdef"):
        return
    for record in certificate_orders(clone.state, authorities=True):
        if ca in (None, record.ordered.ca) and record.certificate.serial.startswith(digits):
            yield record
