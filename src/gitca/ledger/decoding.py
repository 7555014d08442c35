"""JSON lines as events, read strictly.

A ledger that holds what this version does not know is not understood, and nothing is signed on top
of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from gitca.ledger.events import (
    Abandoned,
    Adopted,
    CertificateParticulars,
    CrlParticulars,
    CsrParticulars,
    Event,
    Ordered,
    Particulars,
    Revoked,
    Signed,
    SourceDocuments,
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


def parse_json(line: bytes) -> object:
    """Return what a line of JSON says. Raises: ValueError, RecursionError.

    Python's reader takes the last of two fields of one name, another reader the first: such a line
    would say two things.
    """
    return _DECODER.decode(line.decode("ascii"))


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a field stands twice")
    return record


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


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


def _check_documents(particulars: Particulars, sources: SourceDocuments) -> None:
    given = (sources.request, sources.csr, sources.policy)
    if isinstance(particulars, CertificateParticulars) and particulars.request is not None:
        if None in given:
            raise ValueError("an order for a request names a request, a csr and a policy")
    elif given != (None, None, None):
        raise ValueError("an order for what is a CA's own names no document but the CA's")


def _parse_particulars(fields: Fields) -> Particulars:
    kind = fields.one_of("object", ("certificate", "crl", "csr"))
    if kind == "csr":
        return CsrParticulars(
            authority=fields.matching("authority", CA_NAME),
            template=fields.matching("template", DIGEST),
            key=fields.matching("key", DIGEST),
        )
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
        cross=fields.optional("cross", CA_NAME),
    )
    if (particulars.request, particulars.authority, particulars.cross).count(None) != 2:
        raise ValueError("an order is for a request, an authority or a cross, one of the three")
    return particulars


def _parse_signed(fields: Fields) -> Signed:
    signed = Signed(
        order=fields.matching("order", ORDER),
        key=fields.text("key"),
        fingerprint=fields.optional("fingerprint", DIGEST),
        request_id=fields.optional_text("requestId"),
        certificate=fields.optional("certificate", BASE64),
        signature=fields.optional("signature", BASE64),
        csr=fields.optional("csr", BASE64),
        spent=fields.flag("spent"),
    )
    held = 3 - (signed.certificate, signed.signature, signed.csr).count(None)
    if signed.is_lost and (held or not signed.spent):
        raise ValueError("a signed event without a fingerprint holds nothing, and is spent")
    if not signed.is_lost and held != 1:
        raise ValueError("a signed event holds a certificate, a signature or a csr, one of them")
    return signed


def _parse_adopted(fields: Fields) -> Adopted:
    return Adopted(
        authority=fields.matching("authority", CA_NAME),
        fingerprint=fields.matching("fingerprint", DIGEST),
        certificate=fields.matching("certificate", BASE64),
        chain=fields.each("chain", BASE64),
        document=fields.reference("document"),
        file=fields.reference("file"),
        source=fields.matching("source", OBJECT_ID),
        run=fields.text("run"),
        date=fields.time("date"),
    )


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
    "adopted": _parse_adopted,
    "revoked": _parse_revoked,
    "abandoned": _parse_abandoned,
}
