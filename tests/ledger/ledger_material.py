"""Events of a small ledger, and hypothesis strategies for all events."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

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
)
from gitca.ledger.segment import Segment, SegmentHead, parse_segment, render_segment
from gitca.ledger.state import LedgerState
from gitca.x509.algorithms import SIGNATURE_ALGORITHMS
from gitca.x509.crl import REASONS

T0 = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
BLOB = "b" * 40
CA_DOCUMENT = DocumentReference("ca/issuing.yaml", BLOB)
REVOCATION = DocumentReference("requests/revocations/api.yaml", BLOB)


def digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def order_id(label: str) -> str:
    return digest(label).removeprefix("sha256:")[:32]


def _ordered(
    label: str, particulars: CertificateParticulars | CrlParticulars, ca: str, at: datetime
) -> Ordered:
    documents = SourceDocuments(ca=CA_DOCUMENT)
    if isinstance(particulars, CertificateParticulars) and particulars.request:
        paths = ("requests/api.yaml", "requests/api.csr", "policies/server.yaml")
        documents = SourceDocuments(CA_DOCUMENT, *(DocumentReference(path, BLOB) for path in paths))
    return Ordered(
        order=order_id(label),
        ca=ca,
        particulars=particulars,
        tbs=digest(label),
        signature_algorithm="ecdsa-sha256",
        documents=documents,
        source="c" * 40,
        run="run",
        lease=at + timedelta(minutes=10),
    )


def certificate_order(
    label: str,
    *,
    serial: str,
    request: str | None = "payments/api",
    authority: str | None = None,
    ca: str = "issuing",
    key: str = "key",
    days: float = 30,
    at: datetime = T0,
) -> Ordered:
    """Return the order of a certificate that ends some days later."""
    particulars = CertificateParticulars(
        serial=serial,
        request=None if authority else request,
        authority=authority,
        template=digest("template"),
        key=digest(key),
        not_before=at,
        not_after=at + timedelta(days=days),
    )
    return _ordered(label, particulars, ca, at)


def crl_order(label: str, number: int, revocations: int, *, at: datetime = T0) -> Ordered:
    """Return the order of a CRL of the CA `issuing`."""
    particulars = CrlParticulars(number, at, at + timedelta(days=7), revocations)
    return _ordered(label, particulars, "issuing", at)


def signed(label: str, *, crl: bool = False, spent: bool = False) -> Signed:
    """Return the signature of an order with this label."""
    text = base64.b64encode(label.encode()).decode()
    return Signed(
        order=order_id(label),
        fingerprint=digest(f"{label} signed"),
        key="file:issuing.pem",
        certificate=None if crl else text,
        signature=text if crl else None,
        spent=spent,
    )


def revoked(serial: str, *, reason: str = "superseded", at: datetime = T0) -> Revoked:
    """Return the revocation of a certificate of the CA `issuing`."""
    return Revoked(reason=reason, date=at, document=REVOCATION, ca="issuing", serial=serial)


def chain(*segments: Iterable[Event]) -> list[tuple[str, bytes]]:
    """Return the files of a ledger with these segments."""
    head, files = SegmentHead(), []
    for events in segments:
        path, data = render_segment(head, events)
        head = parse_segment(path, data).head
        files.append((path, data))
    return files


def fold(*events: Event) -> LedgerState:
    """Return the state of a ledger with one segment."""
    return fold_segments(events)


def fold_segments(*segments: Sequence[Event]) -> LedgerState:
    """Return the state of a ledger with these segments."""
    state = LedgerState()
    for number, events in enumerate(segments, start=1):
        head = SegmentHead(number, digest(f"segment {number}"))
        state.apply(Segment(head, state.head.digest, tuple(events)))
    return state


# Strategies.

_HEX = "0123456789abcdef"
digests = st.text(_HEX, min_size=64, max_size=64).map(lambda digits: f"sha256:{digits}")
_blobs = st.sampled_from([40, 64]).flatmap(lambda n: st.text(_HEX, min_size=n, max_size=n))
_segments = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True)
_names = st.lists(_segments, min_size=1, max_size=3).map("/".join)
_references = st.builds(DocumentReference, _names.map(lambda name: f"{name}.yaml"), _blobs)
_times = st.integers(0, 253_402_300_799).map(  # the last second of the year 9999
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
_serials = st.integers(1, 2**159 - 1).map(lambda number: f"{number:x}")
_orders = st.text(_HEX, min_size=32, max_size=32)
_base64 = st.binary(min_size=1, max_size=40).map(lambda data: base64.b64encode(data).decode())
_any_text = st.text(max_size=20)
_reasons = st.sampled_from(["unspecified", *REASONS])


@st.composite
def _particulars(
    draw: st.DrawFn, kind: str
) -> tuple[CertificateParticulars | CrlParticulars, SourceDocuments]:
    if kind == "crl":
        numbers = st.integers(0, 2**159)
        crl = CrlParticulars(draw(numbers), draw(_times), draw(_times), draw(numbers))
        return crl, SourceDocuments(draw(_references))
    of_request = kind == "request"
    certificate = CertificateParticulars(
        serial=draw(_serials),
        request=draw(_names) if of_request else None,
        authority=None if of_request else draw(_segments),
        template=draw(digests),
        key=draw(digests),
        not_before=draw(_times),
        not_after=draw(_times),
    )
    others = [draw(_references) for _ in range(3)] if of_request else [None] * 3
    return certificate, SourceDocuments(draw(_references), *others)


@st.composite
def _ordered_events(draw: st.DrawFn) -> Ordered:
    tbs = draw(digests)
    particulars, documents = draw(
        st.sampled_from(["crl", "request", "authority"]).flatmap(_particulars)
    )
    return Ordered(
        order=tbs.removeprefix("sha256:")[:32],
        ca=draw(_segments),
        particulars=particulars,
        tbs=tbs,
        signature_algorithm=draw(st.sampled_from(sorted(SIGNATURE_ALGORITHMS))),
        documents=documents,
        source=draw(_blobs),
        run=draw(_any_text),
        lease=draw(_times),
    )


@st.composite
def _signed_events(draw: st.DrawFn) -> Signed:
    is_crl = draw(st.booleans())
    return Signed(
        order=draw(_orders),
        fingerprint=draw(digests),
        key=draw(_any_text),
        request_id=draw(st.none() | _any_text),
        certificate=None if is_crl else draw(_base64),
        signature=draw(_base64) if is_crl else None,
        spent=draw(st.booleans()),
    )


@st.composite
def _revoked_events(draw: st.DrawFn) -> Revoked:
    is_key = draw(st.booleans())
    return Revoked(
        reason=draw(_reasons),
        date=draw(_times),
        document=draw(_references),
        ca=None if is_key else draw(_segments),
        serial=None if is_key else draw(_serials),
        key=draw(digests) if is_key else None,
        invalidity_date=draw(st.none() | _times),
    )


events = st.one_of(
    _ordered_events(),
    _signed_events(),
    _revoked_events(),
    st.builds(Abandoned, _orders, _any_text),
)
"""Every event that gitca can write."""
