"""What a CA's own certificate or CSR must show before the ledger's fold takes it into the state.

Whoever may push could write one on his own key behind its order, and it would tell every later run
what the CA's key is. So it must hold the bytes of its order, and the signature of its issuer's key:
of a self-signed certificate, and of a CSR, that is no more than its own. Certificates of requests
tell no run anything that is signed afterwards, and there are many: `gitca verify` checks those.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterator

from gitca.ledger.events import CertificateParticulars, CrlParticulars, CsrParticulars, Signed
from gitca.ledger.records import OrderRecord
from gitca.x509.certificate import Certificate, parse_certificate
from gitca.x509.csr_writing import csr_spki
from gitca.x509.signed import tbs_of, verify_signature
from gitca.x509.template import spki_identifier

# CAs are few, and theirs is asked for with every certificate that they sign.
read_certificate = functools.lru_cache(maxsize=64)(parse_certificate)
"""Return a CA's certificate (DER), read. Raises: CertificateError."""


def is_of_kind(record: OrderRecord, event: Signed) -> bool:
    """Whether a signed event holds what an order is for."""
    match record.ordered.particulars:
        case CrlParticulars():
            return event.signature is not None
        case CsrParticulars():
            return event.csr is not None
        case CertificateParticulars():
            return event.certificate is not None


def check_authority_object(record: OrderRecord, event: Signed, issuer: OrderRecord | None) -> None:
    """Raise where a CA's certificate or CSR is not its order's, or its signature not its issuer's.

    `issuer` is the standing certificate of the CA that signed. Other objects are not looked at.
    Raises: ValueError, with what is wrong in words.
    """
    match record.ordered.particulars:
        case CsrParticulars(key=key):
            der = _object_of(record, event, event.csr)
            _check_key(spki_identifier(csr_spki(der)), key, "CSR")
            _check_signature(der, csr_spki(der), "the CSR's signature is not by its own key")
        case CertificateParticulars(request=None) as given:
            der = _object_of(record, event, event.certificate)
            certificate = read_certificate(der)
            for what in differences(certificate, given):
                raise ValueError(f"the certificate's {what} is not the order's")
            wrong = f"the signature is not one of CA {record.ordered.ca}'s key"
            _check_signature(der, _issuer_key(record, certificate, issuer), wrong)
        case _:
            pass


def differences(certificate: Certificate, given: CertificateParticulars) -> Iterator[str]:
    """Yield, in words, what a certificate has otherwise than the order that it is for."""
    pairs = {
        "serial number": (f"{certificate.serial:x}", given.serial),
        "notBefore": (certificate.not_before, given.not_before),
        "notAfter": (certificate.not_after, given.not_after),
        "content": (certificate.template.digest, given.template),
        "key": (certificate.template.key_identifier, given.key),
    }
    return (what for what, (seen, ordered) in pairs.items() if seen != ordered)


def _object_of(record: OrderRecord, event: Signed, text: str | None) -> bytes:
    """Return the DER of a signed object that holds the bytes of its order."""
    der = base64.b64decode(text or "", validate=True)
    if f"sha256:{hashlib.sha256(tbs_of(der)).hexdigest()}" != record.ordered.tbs:
        raise ValueError("what was signed is not what was ordered")
    if f"sha256:{hashlib.sha256(der).hexdigest()}" != event.fingerprint:
        raise ValueError("the fingerprint is of another object")
    return der


def _issuer_key(record: OrderRecord, own: Certificate, issuer: OrderRecord | None) -> bytes:
    if record.ordered.ca == record.certificate.authority:
        return own.template.spki_der  # self-signed; a renewal's key is the last one's
    signed = issuer.signed if issuer else None
    if signed is None or signed.certificate is None:
        raise ValueError(f"CA {record.ordered.ca} signed before it had a certificate")
    return read_certificate(base64.b64decode(signed.certificate)).template.spki_der


def _check_key(seen: str, ordered: str, what: str) -> None:
    if seen != ordered:
        raise ValueError(f"the {what}'s key is not the order's")


def _check_signature(der: bytes, spki_der: bytes, wrong: str) -> None:
    if not verify_signature(der, spki_der):
        raise ValueError(wrong)
