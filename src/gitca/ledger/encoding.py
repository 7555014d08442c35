"""Events as JSON lines.

A field that does not apply is left out. Reading is strict: a ledger that holds what this version
does not know is not understood, and nothing is signed on top of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime

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
    parse_time,
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


class Fields:
    """Reads one JSON object strictly: each key is taken once and `close` refuses what is left."""

    __slots__ = ("_record",)

    def __init__(self, record: object) -> None:
        if not isinstance(record, dict):
            raise ValueError(f"expected an object, found {type(record).__name__}")
        self._record = dict(record)

    def text(self, key: str) -> str:
        """Return the string at `key`. Raises: ValueError when it is absent or another type."""
        value = self._record.pop(key, None)
        if not isinstance(value, str):
            raise ValueError(f"{key!r} must be a string, found {value!r:.60}")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return the string at `key`, or None where the key is absent."""
        return self.text(key) if key in self._record else None

    def nullable_text(self, key: str) -> str | None:
        """Return the string at `key`, or None for null. Raises: ValueError when it is absent."""
        if key in self._record and self._record[key] is None:
            del self._record[key]
            return None
        return self.text(key)

    def number(self, key: str) -> int:
        """Return the whole number at `key`. Raises: ValueError when it is anything else."""
        value = self._record.pop(key, None)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError(f"{key!r} must be a whole number, found {value!r:.60}")
        return value

    def flag(self, key: str) -> bool:
        """Return the boolean at `key`, False where the key is absent."""
        value = self._record.pop(key, False)
        if not isinstance(value, bool):
            raise ValueError(f"{key!r} must be true or false, found {value!r:.60}")
        return value

    def time(self, key: str) -> datetime:
        """Return the time at `key`. Raises: ValueError for any but the ledger's form."""
        return parse_time(self.text(key))

    def optional_time(self, key: str) -> datetime | None:
        """Return the time at `key`, or None where the key is absent."""
        return self.time(key) if key in self._record else None

    def fields(self, key: str) -> Fields:
        """Return the object at `key`."""
        return Fields(self._record.pop(key, None))

    def reference(self, key: str) -> DocumentReference:
        """Return the document reference at `key`."""
        fields = self.fields(key)
        reference = DocumentReference(fields.text("path"), fields.text("blob"))
        fields.close()
        return reference

    def optional_reference(self, key: str) -> DocumentReference | None:
        """Return the document reference at `key`, or None where the key is absent."""
        return self.reference(key) if key in self._record else None

    def close(self) -> None:
        """Raises: ValueError when a key was not taken."""
        if self._record:
            raise ValueError(f"unknown field {min(self._record)!r}")


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
    documents = fields.fields("documents")
    sources = SourceDocuments(
        request=documents.optional_reference("request"),
        csr=documents.optional_reference("csr"),
        policy=documents.optional_reference("policy"),
        ca=documents.reference("ca"),
    )
    documents.close()
    return Ordered(
        order=fields.text("order"),
        ca=fields.text("ca"),
        particulars=_parse_particulars(fields),
        tbs=fields.text("tbs"),
        signature_algorithm=fields.text("signatureAlgorithm"),
        documents=sources,
        source=fields.text("source"),
        run=fields.text("run"),
        lease=fields.time("lease"),
    )


def _parse_particulars(fields: Fields) -> CertificateParticulars | CrlParticulars:
    kind = fields.text("object")
    if kind == "crl":
        return CrlParticulars(
            number=fields.number("crlNumber"),
            this_update=fields.time("thisUpdate"),
            next_update=fields.time("nextUpdate"),
            revocations=fields.number("revocations"),
        )
    if kind != "certificate":
        raise ValueError(f"unknown object {kind!r}")
    particulars = CertificateParticulars(
        serial=fields.text("serial"),
        request=fields.optional_text("request"),
        authority=fields.optional_text("authority"),
        template=fields.text("template"),
        key=fields.text("key"),
        not_before=fields.time("notBefore"),
        not_after=fields.time("notAfter"),
    )
    if (particulars.request is None) == (particulars.authority is None):
        raise ValueError("an order is for a request or for an authority, one of the two")
    return particulars


def _parse_signed(fields: Fields) -> Signed:
    signed = Signed(
        order=fields.text("order"),
        key=fields.text("key"),
        fingerprint=fields.text("fingerprint"),
        request_id=fields.optional_text("requestId"),
        certificate=fields.optional_text("certificate"),
        signature=fields.optional_text("signature"),
        spent=fields.flag("spent"),
    )
    if (signed.certificate is None) == (signed.signature is None):
        raise ValueError("a signed event holds a certificate or a signature, one of the two")
    return signed


def _parse_revoked(fields: Fields) -> Revoked:
    revoked = Revoked(
        ca=fields.optional_text("ca"),
        serial=fields.optional_text("serial"),
        key=fields.optional_text("key"),
        reason=fields.text("reason"),
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
    return Abandoned(order=fields.text("order"), reason=fields.text("reason"))


_READERS: Mapping[str, Callable[[Fields], Event]] = {
    "ordered": _parse_ordered,
    "signed": _parse_signed,
    "revoked": _parse_revoked,
    "abandoned": _parse_abandoned,
}
