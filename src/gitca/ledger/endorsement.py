"""What a signed object must show: the bytes of its order, and the signature of its issuer's key.

Whoever may push could write one on his own key behind its order. A CA's own certificate or CSR
would tell every later run what the CA's key is: the ledger's fold takes none into the state that
does not show it (of a self-signed certificate, and of a CSR, that is no more than its own). CRLs
and the certificates of requests tell no run anything that is signed afterwards, and there are many:
a run looks at the newest (`gitca.git.signatures`), `gitca verify` at all.
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
from gitca.x509.signed import assemble, tbs_of, verify_signature
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
            der = _object_of(event.csr)
            _check_object(record, event, der)
            _check_key(spki_identifier(csr_spki(der)), key, "CSR")
            _check_signature(der, csr_spki(der), "the CSR's signature is not by its own key")
        case CertificateParticulars(request=None) as given:
            der = _object_of(event.certificate)
            _check_object(record, event, der)
            certificate = read_certificate(der)
            for what in differences(certificate, given):
                raise ValueError(f"the certificate's {what} is not the order's")
            own = certificate if record.ordered.ca == given.authority else None
            _check_signature(der, _issuer_key(record, issuer, own), _not_by(record))
        case _:
            pass


def check_certificate(record: OrderRecord, issuer: OrderRecord | None) -> None:
    """Raise where a request's certificate is not its order's, or its signature not its CA's.

    `issuer` is the standing certificate of the CA. That the bytes are those which the order speaks
    of is not looked at: no other bytes that the CA's key signed can be ordered once more, since an
    order is named after its bytes. Raises: ValueError, with what is wrong in words.
    """
    event = _signed(record)
    der = _object_of(event.certificate)
    _check_object(record, event, der)
    _check_signature(der, _issuer_key(record, issuer), _not_by(record))


def check_crl(record: OrderRecord, crl_der: bytes, issuer: OrderRecord | None) -> None:
    """Raise where a CA's CRL is not its order's, or its signature not the CA's. See the above."""
    event = _signed(record)
    _check_object(record, event, crl_der)
    signature = _object_of(event.signature)
    if assemble(tbs_of(crl_der), record.ordered.signature_algorithm, signature) != crl_der:
        raise ValueError("the CRL's signature is not the one in the ledger")
    _check_signature(crl_der, _issuer_key(record, issuer), _not_by(record))


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


def _signed(record: OrderRecord) -> Signed:
    if record.signed is None:
        raise ValueError("the order is not signed")
    return record.signed


def _object_of(text: str | None) -> bytes:
    return base64.b64decode(text or "", validate=True)


def _check_object(record: OrderRecord, event: Signed, der: bytes) -> None:
    """Raise where a signed object does not hold the bytes of its order."""
    if f"sha256:{hashlib.sha256(tbs_of(der)).hexdigest()}" != record.ordered.tbs:
        raise ValueError("what was signed is not what was ordered")
    if f"sha256:{hashlib.sha256(der).hexdigest()}" != event.fingerprint:
        raise ValueError("the fingerprint is of another object")


def _issuer_key(
    record: OrderRecord, issuer: OrderRecord | None, own: Certificate | None = None
) -> bytes:
    """Return the key (SPKI) of the CA that signed; `own` is a certificate that it signed itself."""
    if own is not None:
        return own.template.spki_der  # a renewal's key is the last one's
    signed = issuer.signed if issuer else None
    if signed is None or signed.certificate is None:
        raise ValueError(f"CA {record.ordered.ca} signed before it had a certificate")
    return read_certificate(base64.b64decode(signed.certificate)).template.spki_der


def _not_by(record: OrderRecord) -> str:
    return f"the signature is not one of CA {record.ordered.ca}'s key"


def _check_key(seen: str, ordered: str, what: str) -> None:
    if seen != ordered:
        raise ValueError(f"the {what}'s key is not the order's")


def _check_signature(der: bytes, spki_der: bytes, wrong: str) -> None:
    if not verify_signature(der, spki_der):
        raise ValueError(wrong)
