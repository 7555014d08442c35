"""Events as JSON lines.

A field that does not apply is left out. Reading is strict: a ledger that holds what this version
does not know is not understood, and nothing is signed on top of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from gitca.ledger.events import (
    Abandoned,
    CertificateParticulars,
    CrlParticulars,
    DocumentReference,
    Event,
    Ordered,
    Revoked,
    Signed,
    SourceDocuments,
    time_text,
)
from gitca.ledger.fields import (
    BASE64,
    CA_NAME,
    DIGEST,
    OBJECT_ID,
    ORDER,
    REQUEST_NAME,
    SERIAL,
    Fields,
)
from gitca.x509.algorithms import SIGNATURE_ALGORITHMS
from gitca.x509.crl import REASONS

JsonObject = dict[str, object]


def encode_line(record: Mapping[str, object]) -> bytes:
    """Return one JSON object as a line: compact, ASCII, ending in a line feed."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def parse_json(line: bytes) -> object:
    """Return what a line of JSON says. Raises: ValueError, RecursionError.

    Python's reader takes the last of two fields of one name, another reader the first: such a line
    would say two things.
    """
    return _DECODER.decode(line.decode("ascii"))


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a field stands twice")
    return record


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def event_record(event: Event) -> JsonObject:
    """Return the event as the JSON object that a segment holds."""
    match event:
        case Ordered():
            return _ordered_record(event)
        case Signed():
            record: JsonObject = {"event": "signed", "order": event.order, "key": event.key}
            record |= {"fingerprint": event.fingerprint}
            optional = {
                "requestId": event.request_id,
                "certificate": event.certificate,
                "signature": event.signature,
                "spent": event.spent or None,
            }
            return record | _present(optional)
        case Revoked():
            return _revoked_record(event)
        case Abandoned():
            return {"event": "abandoned", "order": event.order, "reason": event.reason}


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


def _particulars_record(particulars: CertificateParticulars | CrlParticulars) -> JsonObject:
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


def parse_event(record: object) -> Event:
    """Return the event of a segment's JSON object. Raises: ValueError for what is not one."""
    fields = Fields(record)
    name = fields.text("event")
    reader = _READERS.get(name)
    if reader is None:
        raise ValueError(f"unknown event {name!r}")
    event = reader(fields)
    fields.close()
    return event


def _parse_ordered(fields: Fields) -> Ordered:
    order, tbs = fields.matching("order", ORDER), fields.matching("tbs", DIGEST)
    if not tbs.removeprefix("sha256:").startswith(order):
        raise ValueError(f"order {order} is not the beginning of its digest {tbs}")
    particulars, sources = _parse_particulars(fields), _parse_documents(fields.fields("documents"))
    _check_documents(particulars, sources)
    return Ordered(
        order=order,
        ca=fields.matching("ca", CA_NAME),
        particulars=particulars,
        tbs=tbs,
        signature_algorithm=fields.one_of("signatureAlgorithm", SIGNATURE_ALGORITHMS),
        documents=sources,
        source=fields.matching("source", OBJECT_ID),
        run=fields.text("run"),
        lease=_parse_lease(fields),
    )


def _parse_lease(fields: Fields) -> datetime:
    lease = fields.time("lease")
    if lease < _EPOCH:
        # The moment of recording is computed from it, and calendars have a beginning.
        raise ValueError(f"'lease' is {lease.isoformat()}, before 1970")
    return lease


def _parse_documents(fields: Fields) -> SourceDocuments:
    sources = SourceDocuments(
        request=fields.optional_reference("request"),
        csr=fields.optional_reference("csr"),
        policy=fields.optional_reference("policy"),
        ca=fields.reference("ca"),
    )
    fields.close()
    return sources


def _check_documents(
    particulars: CertificateParticulars | CrlParticulars, sources: SourceDocuments
) -> None:
    given = (sources.request, sources.csr, sources.policy)
    if isinstance(particulars, CertificateParticulars) and particulars.request is not None:
        if None in given:
            raise ValueError("an order for a request names a request, a csr and a policy")
    elif given != (None, None, None):
        raise ValueError("an order for a CA's certificate or CRL names no document but the CA's")


def _parse_particulars(fields: Fields) -> CertificateParticulars | CrlParticulars:
    kind = fields.one_of("object", ("certificate", "crl"))
    if kind == "crl":
        return CrlParticulars(
            number=fields.number("crlNumber"),
            this_update=fields.time("thisUpdate"),
            next_update=fields.time("nextUpdate"),
            revocations=fields.number("revocations"),
        )
    particulars = CertificateParticulars(
        serial=fields.matching("serial", SERIAL),
        request=fields.optional("request", REQUEST_NAME),
        authority=fields.optional("authority", CA_NAME),
        template=fields.matching("template", DIGEST),
        key=fields.matching("key", DIGEST),
        not_before=fields.time("notBefore"),
        not_after=fields.time("notAfter"),
    )
    if (particulars.request is None) == (particulars.authority is None):
        raise ValueError("an order is for a request or for an authority, one of the two")
    return particulars


def _parse_signed(fields: Fields) -> Signed:
    signed = Signed(
        order=fields.matching("order", ORDER),
        key=fields.text("key"),
        fingerprint=fields.matching("fingerprint", DIGEST),
        request_id=fields.optional_text("requestId"),
        certificate=fields.optional("certificate", BASE64),
        signature=fields.optional("signature", BASE64),
        spent=fields.flag("spent"),
    )
    if (signed.certificate is None) == (signed.signature is None):
        raise ValueError("a signed event holds a certificate or a signature, one of the two")
    return signed


def _parse_revoked(fields: Fields) -> Revoked:
    revoked = Revoked(
        ca=fields.optional("ca", CA_NAME),
        serial=fields.optional("serial", SERIAL),
        key=fields.optional("key", DIGEST),
        reason=fields.one_of("reason", ("unspecified", *REASONS)),
        date=fields.time("date"),
        invalidity_date=fields.optional_time("invalidityDate"),
        document=fields.reference("document"),
    )
    if (revoked.serial is None) == (revoked.key is None):
        raise ValueError("a revocation names a serial number or a key, one of the two")
    if (revoked.serial is None) != (revoked.ca is None):
        raise ValueError("a revoked serial number comes with its CA, and a CA with a serial number")
    return revoked


def _parse_abandoned(fields: Fields) -> Abandoned:
    return Abandoned(order=fields.matching("order", ORDER), reason=fields.text("reason"))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_READERS: Mapping[str, Callable[[Fields], Event]] = {
    "ordered": _parse_ordered,
    "signed": _parse_signed,
    "revoked": _parse_revoked,
    "abandoned": _parse_abandoned,
}
