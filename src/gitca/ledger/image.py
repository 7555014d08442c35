"""The image of the ledger under `issued/`: which files a signature puts there and takes away."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

from gitca.errors import ContradictionError
from gitca.ledger.adoption import adopted_chain
from gitca.ledger.endorsement import read_certificate
from gitca.ledger.events import Adopted, CrlParticulars, CsrParticulars, Revoked
from gitca.ledger.records import EXTERNAL, OrderRecord
from gitca.ledger.state import LedgerState
from gitca.x509.certificate import Certificate, CertificateError
from gitca.x509.crl import CrlEntry
from gitca.x509.pem import to_pem

ISSUED_FOLDER = "issued"
CERTIFICATE_LABEL = "CERTIFICATE"
CSR_LABEL = "CERTIFICATE REQUEST"


def order_path(order: str) -> str:
    """Return where the TBS of a certificate that is ordered and not yet signed lies."""
    return f"{ISSUED_FOLDER}/orders/{order}.der"


def certificate_path(ca: str, request: str) -> str:
    """Return where a request's current certificate and its chain lie."""
    return f"{ISSUED_FOLDER}/{ca}/certificates/{request}.pem"


def authority_path(ca: str) -> str:
    """Return where a CA's own certificate lies."""
    return f"{ISSUED_FOLDER}/{ca}/ca.pem"


def chain_path(ca: str) -> str:
    """Return where a CA's chain lies, leaf-side first, without the root."""
    return f"{ISSUED_FOLDER}/{ca}/chain.pem"


def cross_path(subject: str, issuer: str) -> str:
    """Return where the cross-certificate for a CA by another one lies."""
    return f"{ISSUED_FOLDER}/{subject}/cross-certificates/{issuer}.pem"


def csr_path(ca: str) -> str:
    """Return where the CSR of a CA lies that an external one is to certify."""
    return f"{ISSUED_FOLDER}/{ca}/ca.csr"


def crl_path(ca: str) -> str:
    """Return where a CA's current CRL lies."""
    return f"{ISSUED_FOLDER}/{ca}/crl.der"


def certificate_der(record: OrderRecord) -> bytes:
    """Return the certificate of a signed order, or of one that was signed after it was abandoned.

    Raises: ContradictionError when the ledger holds no base64 there.
    """
    text = record.outcome.certificate if record.outcome else None
    if text is None:
        raise ContradictionError(f"order {record.ordered.order} has no signed certificate")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ContradictionError(
            f"the certificate of order {record.ordered.order} in the ledger is not base64",
            remedy="find the commit that changed the ledger and restore it",
        ) from error


def csr_der(record: OrderRecord) -> bytes:
    """Return the CSR of a signed order.

    Raises: ContradictionError when the ledger holds no base64 there.
    """
    text = record.signed.csr if record.signed else None
    try:
        return base64.b64decode(text or "", validate=True)
    except ValueError as error:
        raise ContradictionError(
            f"the CSR of order {record.ordered.order} in the ledger is not base64",
            remedy="find the commit that changed the ledger and restore it",
        ) from error


def standing_certificate(record: OrderRecord) -> Certificate:
    """Return the certificate of a signed order, read.

    Raises: ContradictionError when the ledger holds no certificate there.
    """
    try:
        return read_certificate(certificate_der(record))
    except CertificateError as error:
        raise ContradictionError(
            f"the certificate of order {record.ordered.order} in the ledger cannot be read:"
            f" {error.message}",
            remedy="find the commit that changed the ledger and restore it",
        ) from error


def is_self_signed(record: OrderRecord) -> bool:
    """Whether a CA's certificate is signed by the CA itself: a root's."""
    return record.ordered.ca == record.certificate.authority


def authority_chain(state: LedgerState, ca: str, before: int | None = None) -> tuple[bytes, ...]:
    """Return the DER certificates from a CA upwards, without the root; empty for a root itself.

    They are those in use when the segment `before` was written: a certificate ordered then ends
    with the one of its CA, and not with one that a renewal of the same commit brings.
    """
    chain: list[bytes] = []
    seen: set[str] = set()
    record = state.authority(ca).certificate_before(before)
    while record is not None and not is_self_signed(record) and ca not in seen:
        seen.add(ca)
        chain.append(certificate_der(record))
        if record.ordered.ca == EXTERNAL and record.signed is not None:
            adopted = state.authority(ca).adoptions[record.signed.fingerprint or ""]
            return (*chain, *adopted_chain(adopted))
        ca = record.ordered.ca
        record = state.authority(ca).certificate_before(before)
    return tuple(chain)


def crl_entries(revocations: Iterable[Revoked]) -> tuple[CrlEntry, ...]:
    """Return revocations as entries of a CRL, in their order."""
    return tuple(
        CrlEntry(
            serial=int(revoked.serial, 16),
            revocation_date=revoked.date,
            reason=None if revoked.reason == "unspecified" else revoked.reason,
            invalidity_date=revoked.invalidity_date,
        )
        for revoked in revocations
        if revoked.serial is not None
    )


def image_of(state: LedgerState, record: OrderRecord, der: bytes) -> Mapping[str, bytes | None]:
    """Return what a first signature changes under `issued/`; None takes a file away.

    `state` is the one before the signature.
    """
    if isinstance(record.ordered.particulars, CrlParticulars):
        return {crl_path(record.ordered.ca): der}
    changes: dict[str, bytes | None] = {order_path(record.ordered.order): None}
    if isinstance(record.ordered.particulars, CsrParticulars):
        pem = to_pem(der, CSR_LABEL).encode()
        return changes | {csr_path(record.ordered.particulars.authority): pem}
    if record.certificate.cross is not None:
        return changes | {cross_path(record.certificate.cross, record.ordered.ca): _pem(der)}
    if record.certificate.authority is not None:
        return changes | _authority_image(state, record, record.certificate.authority, der)
    return changes | _request_image(state, record, record.certificate.request or "", der)


def image_of_adoption(event: Adopted) -> Mapping[str, bytes | None]:
    """Return what taking an external CA's certificate into use changes under `issued/`."""
    der = base64.b64decode(event.certificate, validate=True)
    return {
        authority_path(event.authority): _pem(der),
        chain_path(event.authority): _pem(der, *adopted_chain(event)),
    }


def _authority_image(
    state: LedgerState, record: OrderRecord, authority: str, der: bytes
) -> dict[str, bytes | None]:
    changes: dict[str, bytes | None] = {authority_path(authority): _pem(der)}
    if not is_self_signed(record):
        changes[chain_path(authority)] = _pem(
            der, *authority_chain(state, record.ordered.ca, record.segment)
        )
    return changes


def _request_image(
    state: LedgerState, record: OrderRecord, request: str, der: bytes
) -> dict[str, bytes | None]:
    ca = record.ordered.ca
    changes: dict[str, bytes | None] = {}
    before = state.requests[request].current
    if before is not None and before.ordered.ca != ca:
        changes[certificate_path(before.ordered.ca, request)] = None
    return changes | {
        certificate_path(ca, request): _pem(der, *authority_chain(state, ca, record.segment))
    }


def _pem(*certificates: bytes) -> bytes:
    return "".join(to_pem(der, CERTIFICATE_LABEL) for der in certificates).encode()
