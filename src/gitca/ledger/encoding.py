"""Events as JSON lines; `decoding.py` reads them. A field that does not apply is left out."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gitca.ledger.events import (
    Abandoned,
    Adopted,
    CrlParticulars,
    CsrParticulars,
    DocumentReference,
    Event,
    Ordered,
    Particulars,
    Revoked,
    Signed,
    time_text,
)

JsonObject = dict[str, object]


def encode_line(record: Mapping[str, object]) -> bytes:
    """Return one JSON object as a line: compact, ASCII, ending in a line feed."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def event_record(event: Event) -> JsonObject:
    """Return the event as the JSON object that a segment holds."""
    match event:
        case Ordered():
            return _ordered_record(event)
        case Signed():
            return _signed_record(event)
        case Adopted():
            return _adopted_record(event)
        case Revoked():
            return _revoked_record(event)
        case Abandoned():
            return {"event": "abandoned", "order": event.order, "reason": event.reason}


def _signed_record(event: Signed) -> JsonObject:
    record: JsonObject = {"event": "signed", "order": event.order, "key": event.key}
    optional = {
        "fingerprint": event.fingerprint,
        "requestId": event.request_id,
        "certificate": event.certificate,
        "signature": event.signature,
        "csr": event.csr,
        "spent": event.spent or None,
    }
    return record | _present(optional)


def _adopted_record(event: Adopted) -> JsonObject:
    return {
        "event": "adopted",
        "authority": event.authority,
        "fingerprint": event.fingerprint,
        "certificate": event.certificate,
        "chain": list(event.chain),
        "document": _reference(event.document),
        "file": _reference(event.file),
        "source": event.source,
        "run": event.run,
        "date": time_text(event.date),
    }


def _present(record: Mapping[str, object]) -> JsonObject:
    return {key: value for key, value in record.items() if value is not None}


def _reference(reference: DocumentReference | None) -> JsonObject | None:
    return None if reference is None else {"path": reference.path, "blob": reference.blob}


def _ordered_record(event: Ordered) -> JsonObject:
    documents = event.documents
    references = {
        "request": _reference(documents.request),
        "csr": _reference(documents.csr),
        "policy": _reference(documents.policy),
        "ca": _reference(documents.ca),
    }
    return (
        {"event": "ordered", "order": event.order, "ca": event.ca}
        | _particulars_record(event.particulars)
        | {
            "tbs": event.tbs,
            "signatureAlgorithm": event.signature_algorithm,
            "documents": _present(references),
            "source": event.source,
            "run": event.run,
            "lease": time_text(event.lease),
        }
    )


def _particulars_record(particulars: Particulars) -> JsonObject:
    if isinstance(particulars, CsrParticulars):
        return {
            "object": "csr",
            "authority": particulars.authority,
            "template": particulars.template,
            "key": particulars.key,
        }
    if isinstance(particulars, CrlParticulars):
        return {
            "object": "crl",
            "crlNumber": particulars.number,
            "thisUpdate": time_text(particulars.this_update),
            "nextUpdate": time_text(particulars.next_update),
            "revocations": particulars.revocations,
        }
    return {"object": "certificate", "serial": particulars.serial} | _present(
        {
            "request": particulars.request,
            "authority": particulars.authority,
            "cross": particulars.cross,
            "template": particulars.template,
            "key": particulars.key,
            "notBefore": time_text(particulars.not_before),
            "notAfter": time_text(particulars.not_after),
        }
    )


def _revoked_record(event: Revoked) -> JsonObject:
    invalidity = event.invalidity_date
    optional = {
        "ca": event.ca,
        "serial": event.serial,
        "key": event.key,
        "reason": event.reason,
        "date": time_text(event.date),
        "invalidityDate": None if invalidity is None else time_text(invalidity),
        "document": _reference(event.document),
    }
    return {"event": "revoked"} | _present(optional)
