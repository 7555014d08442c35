"""Usual lines: whatever they read, the strict reader reads as the same."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_material import certificate_order, events, revoked, signed
from test_ledger_lines import CHANGES, SAMPLES

from gitca.errors import ContradictionError
from gitca.ledger.decoding import parse_event, parse_json
from gitca.ledger.encoding import encode_line, event_record
from gitca.ledger.events import Event, Signed
from gitca.ledger.segment import SegmentHead, parse_segment, render_segment
from gitca.ledger.usual_lines import usual_event

REQUEST = certificate_order("a", serial="3f2a")
REVOKED = revoked("3f2a")
USUAL: dict[str, Event] = {
    "ordered": REQUEST,
    "signed": signed("a"),
    "signed by a KMS": Signed("0" * 32, signed("a").fingerprint, "arn:aws:kms:1", "5d8c-1", "AAAA"),
    "revoked": REVOKED,
    "revoked, compromised before": replace(
        REVOKED, invalidity_date=datetime(2020, 1, 2, tzinfo=UTC)
    ),
}


def line_of(event: Event) -> bytes:
    return encode_line(event_record(event)).removesuffix(b"\n")


def strictly(line: bytes) -> Event | None:
    try:
        return parse_event(parse_json(line))
    except (ValueError, RecursionError):
        return None


@pytest.mark.parametrize("name", USUAL)
def test_the_lines_of_requests_and_revocations_are_usual(name: str) -> None:
    assert usual_event(line_of(USUAL[name])) == USUAL[name]


@given(events)
def test_a_line_that_gitca_writes_is_read_as_it_was_meant_or_left_alone(event: Event) -> None:
    assert usual_event(line_of(event)) in (None, event)


@given(st.sampled_from(sorted(USUAL)), st.data())
def test_a_changed_line_is_never_read_otherwise_than_strictly(
    name: str, data: st.DataObject
) -> None:
    line = line_of(USUAL[name])
    start = data.draw(st.integers(0, len(line)))
    length = data.draw(st.integers(0, 3))
    put = data.draw(st.binary(max_size=3) | st.sampled_from([b'"', b"\\u0041", b"0", b"/", b"Z"]))
    changed = line[:start] + put + line[start + length :]
    assert usual_event(changed) in (None, strictly(changed))


@pytest.mark.parametrize(("sample", "field", "value"), CHANGES)
def test_a_field_in_no_form_that_gitca_writes_is_refused_in_a_usual_line_too(
    sample: str, field: str, value: object
) -> None:
    path, data = render_segment(SegmentHead(), [])
    record = event_record(SAMPLES[sample]) | {field: value}
    compact = json.dumps(record, separators=(",", ":")).encode()
    with pytest.raises(ContradictionError):
        parse_segment(path, data + compact + b"\n")


@pytest.mark.parametrize("end", [b" ", b"\r", b",", b"\x00", b"}"])
def test_nothing_may_follow_a_usual_line(end: bytes) -> None:
    assert usual_event(line_of(REQUEST) + end) is None


def test_an_order_that_is_not_the_beginning_of_its_digest_is_left_to_the_strict_reader() -> None:
    line = line_of(REQUEST)
    assert usual_event(line.replace(b'"order":"', b'"order":"0', 1)) is None
    swapped = line.replace(REQUEST.order.encode(), b"0" * 32, 1)
    assert usual_event(swapped) is None
    assert strictly(swapped) is None


@pytest.mark.parametrize(
    "time", ["2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-02-30T00:00:00Z"]
)
def test_a_time_that_no_calendar_or_no_lease_has_is_left_to_the_strict_reader(time: str) -> None:
    lease = line_of(REQUEST).rpartition(b'"lease":"')[2]
    assert usual_event(line_of(REQUEST).replace(lease, time.encode() + b'"}')) is None
