"""One signature against its order: the same bytes, the CA's key, and what the order said."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from gitca.ledger.endorsement import differences
from gitca.ledger.events import CertificateParticulars, CsrParticulars, Signed
from gitca.ledger.image import is_self_signed, standing_certificate
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState
from gitca.verify.report import FIND, Contradiction
from gitca.x509.certificate import parse_certificate
from gitca.x509.csr_writing import csr_spki
from gitca.x509.signed import tbs_of, verify_signature
from gitca.x509.template import spki_identifier


def digest(data: bytes) -> str:
    """Return `sha256:` and the hexadecimal SHA-256 of the bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def check_signature(
    state: LedgerState, record: OrderRecord, event: Signed, der: bytes
) -> Iterator[Contradiction]:
    """Yield what is wrong with a signed object; `state` is the one before its signature.

    Raises: RefusedError or ValueError when the object cannot be read at all.
    """
    ordered = record.ordered
    place = f"order {ordered.order}"
    if digest(tbs_of(der)) != ordered.tbs:
        yield Contradiction("I1", place, "what was signed is not what was ordered", FIND)
    if digest(der) != event.fingerprint:
        yield Contradiction("I3", place, "the fingerprint is of another object", FIND)
    if not verify_signature(der, _signing_key(state, record, der)):
        message = f"the signature is not one of CA {ordered.ca}'s key"
        yield Contradiction("I5", place, message, FIND)
    match ordered.particulars:
        case CertificateParticulars() as given:
            certificate = parse_certificate(der)
            exact = () if certificate.is_exact else ("encoding",)
            for what in (*differences(certificate, given), *exact):
                message = f"the certificate's {what} is not the order's"
                yield Contradiction("I5", place, message, FIND)
        case CsrParticulars(key=key) if spki_identifier(csr_spki(der)) != key:
            yield Contradiction("I5", place, "the CSR's key is not the order's", FIND)


def _signing_key(state: LedgerState, record: OrderRecord, der: bytes) -> bytes:
    if isinstance(record.ordered.particulars, CsrParticulars):
        return csr_spki(der)
    authority = state.authority(record.ordered.ca).certificate
    if authority is not None:
        return standing_certificate(authority).template.spki_der
    if isinstance(record.ordered.particulars, CertificateParticulars) and is_self_signed(record):
        return parse_certificate(der).template.spki_der
    raise ValueError(f"CA {record.ordered.ca} signed before it had a certificate")
