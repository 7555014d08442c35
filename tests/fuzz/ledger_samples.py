"""Segments of the ledger with every kind of event in every form, as gitca writes them."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta

from gitca.ledger.events import (
    Abandoned,
    Adopted,
    CertificateParticulars,
    CrlParticulars,
    CsrParticulars,
    DocumentReference,
    Event,
    Ordered,
    Particulars,
    Revoked,
    Signed,
    SourceDocuments,
)
from gitca.ledger.segment import SegmentHead, render_segment

_NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_ORDER, _BLOB = "0a" * 16, "b" * 40
_DIGEST = f"sha256:{'0a' * 32}"
_DER = b64encode(bytes(range(200))).decode()
_CA = DocumentReference("ca/issuing.yaml", _BLOB)
_REQUEST = DocumentReference("requests/payments/api.yaml", "b" * 64)
_OWN = SourceDocuments(_CA)
_ASKED = SourceDocuments(_CA, _REQUEST, _REQUEST, DocumentReference("policies/server.yaml", _BLOB))


def _ordered(particulars: Particulars, documents: SourceDocuments = _OWN) -> Ordered:
    return Ordered(
        order=_ORDER,
        ca="issuing",
        particulars=particulars,
        tbs=_DIGEST,
        signature_algorithm="ecdsa-sha256",
        documents=documents,
        source="c" * 40,
        run="5f2a",
        lease=_NOW + timedelta(minutes=10),
    )


def _certificate(**subject: str | None) -> CertificateParticulars:
    given = {"request": None, "authority": None, "cross": None} | subject
    return CertificateParticulars(
        serial="3f2a",
        template=_DIGEST,
        key=_DIGEST,
        not_before=_NOW,
        not_after=_NOW + timedelta(days=30),
        **given,
    )


def _signed(**what: str | bool | None) -> Signed:
    given = {"fingerprint": _DIGEST, "key": "file:.gitca/keys/issuing.pem", "request_id": "r-1"}
    return Signed(order=_ORDER, **(given | what))


EVENTS: dict[str, Event] = {
    "certificate": _ordered(_certificate(request="payments/api"), _ASKED),
    "authority": _ordered(_certificate(authority="issuing")),
    "cross": _ordered(_certificate(cross="other")),
    "csr": _ordered(CsrParticulars("issuing", _DIGEST, _DIGEST)),
    "crl": _ordered(CrlParticulars(7, _NOW, _NOW + timedelta(days=7), 2)),
    "signed certificate": _signed(certificate=_DER),
    "signed csr": _signed(csr=_DER, request_id=None),
    "signed crl": _signed(signature=_DER),
    "spent": _signed(signature=_DER, spent=True),
    "lost": _signed(fingerprint=None, spent=True),
    "adopted": Adopted(
        "issuing", _DIGEST, _DER, (_DER, _DER), _CA, _REQUEST, "c" * 40, "5f2a", _NOW
    ),
    "revoked": Revoked("superseded", _NOW, _REQUEST, ca="issuing", serial="3f2a"),
    "revoked long ago": Revoked(
        "keyCompromise", _NOW, _REQUEST, ca="issuing", serial="3f2a", invalidity_date=_NOW
    ),
    "key": Revoked("keyCompromise", _NOW, _REQUEST, key=_DIGEST),
    "abandoned": Abandoned(_ORDER, "the certificate would have expired already"),
}


def ledger_samples() -> tuple[bytes, ...]:
    """Return first segments: one of each event, and one of all."""
    alone = tuple(render_segment(SegmentHead(), (event,))[1] for event in EVENTS.values())
    return (*alone, render_segment(SegmentHead(), EVENTS.values())[1])
