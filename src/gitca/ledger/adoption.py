"""Certificates that an external CA gave: as records, and the chain above them."""

from __future__ import annotations

import base64
import hashlib

from gitca.ledger.events import Adopted, CertificateParticulars, Ordered, Signed, SourceDocuments
from gitca.ledger.records import EXTERNAL, OrderRecord
from gitca.x509.certificate import parse_certificate
from gitca.x509.certificate_file import check_serial, path_from
from gitca.x509.refusal import RefusedError
from gitca.x509.signed import algorithm_name, tbs_of


def adopted_record(event: Adopted, segment: int) -> OrderRecord:
    """Return an adopted certificate as if its external issuer had recorded an order for it.

    Raises: ValueError when the event holds no certificate, or another than it says.
    """
    try:
        der = base64.b64decode(event.certificate, validate=True)
        check_serial(der)
        certificate, tbs = parse_certificate(der), tbs_of(der)
    except RefusedError as error:
        raise ValueError(
            f"CA {event.authority} is given no certificate: {error.message}"
        ) from error
    if certificate.fingerprint != event.fingerprint:
        raise ValueError(f"the certificate given to CA {event.authority} has another fingerprint")
    digest = hashlib.sha256(tbs).hexdigest()
    ordered = Ordered(
        order=digest[:32],
        ca=EXTERNAL,
        particulars=CertificateParticulars(
            serial=f"{certificate.serial:x}",
            request=None,
            authority=event.authority,
            template=certificate.template.digest,
            key=certificate.template.key_identifier,
            not_before=certificate.not_before,
            not_after=certificate.not_after,
        ),
        tbs=f"sha256:{digest}",
        signature_algorithm=algorithm_name(der),
        documents=SourceDocuments(event.document),
        source=event.source,
        run=event.run,
        lease=event.date,
    )
    signed = Signed(ordered.order, event.fingerprint, EXTERNAL, certificate=event.certificate)
    return OrderRecord(ordered, segment, signed)


def check_adopted_path(event: Adopted) -> None:
    """Raise where an adopted certificate and its chain are no path, or in another order than it.

    Raises: ValueError.
    """
    who = f"the chain of the certificate given to CA {event.authority}"
    try:
        path = [base64.b64decode(text, validate=True) for text in (event.certificate, *event.chain)]
        certificate, *above = map(parse_certificate, path)
        found = path_from(certificate, above).above
    except ValueError as error:
        raise ValueError(f"{who} is none: {error}") from error
    if found != tuple(above):
        raise ValueError(f"{who} is not in the order in which its certificates sign")


def adopted_chain(event: Adopted) -> tuple[bytes, ...]:
    """Return the DER certificates above an adopted one, leaf-side first, without a root."""
    chain = tuple(base64.b64decode(text, validate=True) for text in event.chain)
    return tuple(der for der in chain if not _is_root(der))


def _is_root(der: bytes) -> bool:
    certificate = parse_certificate(der)
    return certificate.subject_der == certificate.issuer_der
