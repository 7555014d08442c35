"""What documents demand of an order: all that its bytes say but the serial number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.errors import ContradictionError
from gitca.findings import Finding
from gitca.ledger.events import Ordered, SourceDocuments
from gitca.ledger.image import standing_certificate
from gitca.ledger.state import LedgerState
from gitca.plan.issuers import signature_algorithm
from gitca.x509.certificate import Certificate, Issuer
from gitca.x509.template import CertificateTemplate


@dataclass(frozen=True, slots=True)
class Demand:
    """What the documents ask for: all that a TBS says but its serial number."""

    template: CertificateTemplate
    period: tuple[datetime, datetime]
    issuer: Issuer


def segment_of(state: LedgerState, ordered: Ordered) -> int | None:
    """Return the segment that an order stands in; None for one that is not recorded."""
    record = state.orders.get(ordered.order)
    return record.segment if record else None


def issuer_certificate(state: LedgerState, ordered: Ordered) -> Certificate:
    """Return the certificate that an order's CA had when the order was recorded.

    Raises: ContradictionError when it had none.
    """
    record = state.authority(ordered.ca).certificate_before(segment_of(state, ordered))
    if record is None:
        raise contradiction(ordered, f"its CA {ordered.ca} has no certificate")
    return standing_certificate(record)


def issuer_of(
    document: Document[CertificateAuthoritySpec], certificate: Certificate | None, own_spki: bytes
) -> Issuer:
    """Return who signs; a root, before it has a certificate, with its own key."""
    spki_der = certificate.template.spki_der if certificate else own_spki
    algorithm = signature_algorithm(document, spki_der)
    return Issuer(certificate.der if certificate else None, algorithm)


def check_named(ordered: Ordered, sources: SourceDocuments) -> None:
    """Raise ContradictionError where an order names other documents than those that decide."""
    if ordered.documents != sources:
        raise contradiction(ordered, "it names other documents than those that decide on it")


def check_granted(ordered: Ordered, findings: Iterable[Finding]) -> None:
    """Raise ContradictionError with the first finding that is an error."""
    denial = next((finding for finding in findings if finding.is_error), None)
    if denial is not None:
        raise contradiction(ordered, f"its documents deny it: {denial}")


def contradiction(ordered: Ordered, reason: str) -> ContradictionError:
    """Return the error for an order that its documents do not give."""
    return ContradictionError(
        f"order {ordered.order} (CA {ordered.ca}, recorded by run {ordered.run}) does not come from"
        f" its documents: {reason}",
        remedy="nothing was signed for it; find the commit that recorded it and who pushed that",
    )
