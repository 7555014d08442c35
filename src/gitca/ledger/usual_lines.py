"""Lines in the very form that gitca gives almost all of them, read by one expression each.

Every run reads the whole ledger, so the time that a line takes is what a large repository waits
for; here it is a third of the strict reader's (`decoding.parse_event`). A form below allows nothing
that the strict reader refuses. What is in none of them, as rare events, unusual text and everything
that gitca did not write, is left to that one, which also says what is wrong with it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from sys import intern

from gitca.ledger.events import (
    CertificateParticulars,
    DocumentReference,
    Event,
    Ordered,
    Revoked,
    Signed,
    SourceDocuments,
)
from gitca.ledger.fields import (
    BASE64,
    CA_NAME,
    DIGEST,
    DOCUMENT_PATH,
    OBJECT_ID,
    ORDER,
    REQUEST_NAME,
    SERIAL,
)
from gitca.x509.algorithms import SIGNATURE_ALGORITHMS
from gitca.x509.crl import REASONS


def usual_event(line: bytes) -> Event | None:
    """Return the event of a line, None where it is in another form than the usual ones."""
    # What is not ASCII matches no form, in whatever way it is decoded.
    text = line.decode("latin-1")
    reader = _READERS.get(text[: len(_BEGINNING)])
    try:
        return reader(text) if reader else None
    except ValueError:  # a month 13
        return None


_BEGINNING = '{"event":"ordered"'

# From 1970 on, as the strict reader wants it of leases.
_TIME = r"(?:19[7-9]|[2-9][0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
_TEXT = r"[ !#-\[\]-~]*"  # printable, and the same within JSON's quotes as without
_VALUES = {
    "order": ORDER.pattern,
    "tbs": r"sha256:\1[0-9a-f]{32}",  # it begins with the order, which is the first value
    "ca": CA_NAME.pattern,
    "serial": SERIAL.pattern,
    "request": REQUEST_NAME.pattern,
    "digest": DIGEST.pattern,
    "path": DOCUMENT_PATH.pattern,
    "object": OBJECT_ID.pattern,
    "base64": BASE64.pattern,
    "algorithm": "|".join(SIGNATURE_ALGORITHMS),
    "reason": "|".join(("unspecified", *REASONS)),
    "time": _TIME,
    "text": _TEXT,
}
_OPTIONAL = {
    "requestId": f'(?:"requestId":"({_TEXT})",)?',
    "invalidityDate": f'(?:"invalidityDate":"({_TIME})",)?',
}


def _form(line: str) -> re.Pattern[str]:
    """Return the expression of a line: `<digest>` stands for any digest, and so on."""

    def expression(place: re.Match[str]) -> str:
        return _OPTIONAL.get(place[1]) or f"({_VALUES[place[1]]})"

    return re.compile(re.sub(r"<([A-Za-z0-9]+)>", expression, re.sub(r"([{}])", r"\\\1", line)))


_ORDERED = _form(
    '{"event":"ordered","order":"<order>","ca":"<ca>","object":"certificate","serial":"<serial>"'
    ',"request":"<request>","template":"<digest>","key":"<digest>","notBefore":"<time>"'
    ',"notAfter":"<time>","tbs":"<tbs>","signatureAlgorithm":"<algorithm>","documents":{'
    '"request":{"path":"<path>","blob":"<object>"},"csr":{"path":"<path>","blob":"<object>"}'
    ',"policy":{"path":"<path>","blob":"<object>"},"ca":{"path":"<path>","blob":"<object>"}}'
    ',"source":"<object>","run":"<text>","lease":"<time>"}'
)
_SIGNED = _form(
    '{"event":"signed","order":"<order>","key":"<text>","fingerprint":"<digest>"'
    ',<requestId>"certificate":"<base64>"}'
)
_REVOKED = _form(
    '{"event":"revoked","ca":"<ca>","serial":"<serial>","reason":"<reason>","date":"<time>"'
    ',<invalidityDate>"document":{"path":"<path>","blob":"<object>"}}'
)

# Most events share their moments, policy and CA with others.
_time = functools.lru_cache(maxsize=4096)(datetime.fromisoformat)
_shared = functools.lru_cache(maxsize=256)(DocumentReference)


def _ordered(line: str) -> Event | None:
    match = _ORDERED.fullmatch(line)
    if match is None:
        return None
    order, ca, serial, request, template, key, *rest = match.groups()
    not_before, not_after, tbs, algorithm, *references, source, run, lease = rest
    asked = DocumentReference(references[0], references[1])
    csr = asked if references[:2] == references[2:4] else DocumentReference(*references[2:4])
    return Ordered(
        order=order,
        ca=intern(ca),
        particulars=CertificateParticulars(
            serial=serial,
            request=request,
            authority=None,
            template=template,
            key=key,
            not_before=_time(not_before),
            not_after=_time(not_after),
        ),
        tbs=tbs,
        signature_algorithm=intern(algorithm),
        documents=SourceDocuments(
            _shared(*references[6:]), asked, csr, _shared(references[4], references[5])
        ),
        source=intern(source),
        run=intern(run),
        lease=_time(lease),
    )


def _signed(line: str) -> Event | None:
    match = _SIGNED.fullmatch(line)
    if match is None:
        return None
    order, key, fingerprint, request_id, certificate = match.groups()
    return Signed(order, fingerprint, intern(key), request_id, certificate)


def _revoked(line: str) -> Event | None:
    match = _REVOKED.fullmatch(line)
    if match is None:
        return None
    ca, serial, reason, date, invalidity_date, path, blob = match.groups()
    return Revoked(
        reason=intern(reason),
        date=_time(date),
        document=DocumentReference(path, blob),
        ca=intern(ca),
        serial=serial,
        invalidity_date=None if invalidity_date is None else _time(invalidity_date),
    )


_READERS: Mapping[str, Callable[[str], Event | None]] = {
    _BEGINNING: _ordered,
    '{"event":"signed",': _signed,
    '{"event":"revoked"': _revoked,
}
