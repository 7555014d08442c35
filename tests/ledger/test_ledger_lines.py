"""Events as JSON lines: what is written reads back as it was, and nothing else reads at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_material import (
    certificate_order,
    chain,
    crl_order,
    digest,
    events,
    revoked,
    signed,
)

from gitca.errors import ContradictionError
from gitca.ledger.events import Abandoned, Event, Revoked
from gitca.ledger.segment import SegmentHead, parse_segment, render_segment

SAMPLES: dict[str, Event] = {
    "ordered": certificate_order("a", serial="3f2a"),
    "authority": certificate_order("b", serial="1", authority="issuing", ca="root"),
    "crl": crl_order("c", 1, 0),
    "signed": signed("a"),
    "signed crl": signed("c", crl=True),
    "revoked": revoked("3f2a"),
    "key": Revoked("keyCompromise", revoked("1").date, revoked("1").document, key=digest("k")),
    "abandoned": Abandoned("0" * 32, "the certificate would have expired already"),
}
CHANGES: list[tuple[str, str, Any]] = [
    ("ordered", "order", "0" * 32),
    ("ordered", "order", "../../policies/server"),
    ("ordered", "ca", "../issuing"),
    ("ordered", "ca", 7),
    ("ordered", "object", "attribute-certificate"),
    ("ordered", "serial", "3F2A"),
    ("ordered", "serial", "03f2a"),
    ("ordered", "serial", "0"),
    ("ordered", "serial", "f" * 41),
    ("ordered", "request", "payments/../../ca/root"),
    ("ordered", "authority", "issuing"),
    ("ordered", "template", digest("x")[:-1]),
    ("ordered", "key", digest("x").upper()),
    ("ordered", "notBefore", "2026-11-24T12:00:00+00:00"),
    ("ordered", "notBefore", "2026-W48-2T12:00:00Z"),
    ("ordered", "notBefore", "20261124T120000.000Z"),
    ("ordered", "notAfter", "2026-02-30T12:00:00Z"),
    ("ordered", "notAfter", 1795521600),
    ("ordered", "lease", "0001-01-01T00:00:00Z"),
    ("ordered", "signatureAlgorithm", "md5"),
    ("ordered", "source", "main"),
    ("ordered", "run", None),
    ("ordered", "documents", {"ca": {"path": "ca/issuing.yaml", "blob": "b" * 40}}),
    ("ordered", "documents", ["ca/issuing.yaml"]),
    ("authority", "request", "payments/api"),
    ("crl", "crlNumber", -1),
    ("crl", "crlNumber", 1.0),
    ("crl", "crlNumber", True),
    ("crl", "crlNumber", "1"),
    ("crl", "revocations", None),
    ("signed", "certificate", "not base64!"),
    ("signed", "signature", "AAAA"),
    ("signed", "spent", "yes"),
    ("signed", "fingerprint", "sha1:00"),
    ("signed crl", "certificate", "AAAA"),
    ("revoked", "reason", "removeFromCRL"),
    ("revoked", "reason", "because"),
    ("revoked", "key", digest("k")),
    ("revoked", "date", "yesterday"),
    ("revoked", "document", {"path": "requests/x.yaml", "blob": "zz"}),
    ("revoked", "document", {"path": "/etc/passwd", "blob": "b" * 40}),
    ("key", "ca", "issuing"),
    ("key", "serial", "1"),
    ("abandoned", "order", "0" * 31),
    ("abandoned", "reason", 3),
]


def one_line(event: Event) -> tuple[str, list[bytes]]:
    path, data = chain([event])[0]
    return path, data.splitlines(keepends=True)


def reread(event: Event, change: Callable[[dict[str, Any]], None]) -> None:
    """Parse a segment whose one event was changed as a JSON object."""
    path, (head, line) = one_line(event)
    record = json.loads(line)
    change(record)
    parse_segment(path, head + json.dumps(record).encode() + b"\n")


@given(st.lists(events, max_size=5))
def test_events_read_back_from_their_lines_as_they_were(written: list[Event]) -> None:
    path, data = render_segment(SegmentHead(6, digest("before")), written)
    segment = parse_segment(path, data)
    assert segment.events == tuple(written)
    assert (segment.head.number, segment.previous) == (7, digest("before"))


@given(events)
def test_an_event_is_one_line_of_ascii(event: Event) -> None:
    _, data = chain([event])[0]
    assert data.isascii()
    assert data.count(b"\n") == 2
    assert data.endswith(b"}\n")


@pytest.mark.parametrize(("sample", "field", "value"), CHANGES)
def test_a_field_in_no_form_that_gitca_writes_is_refused_with_its_line(
    sample: str, field: str, value: object
) -> None:
    with pytest.raises(ContradictionError) as refusal:
        reread(SAMPLES[sample], lambda record: record.update({field: value}))
    assert refusal.value.exit_code == 5
    assert refusal.value.message.startswith("issued/ledger/00000001.jsonl:2: ")
    assert "git log -- issued/ledger/00000001.jsonl" in refusal.value.remedy


@pytest.mark.parametrize("sample", SAMPLES)
def test_an_unknown_field_is_refused(sample: str) -> None:
    with pytest.raises(ContradictionError, match=r"00000001\.jsonl:2: .*unknown field 'colour'"):
        reread(SAMPLES[sample], lambda record: record.update(colour="red"))


@pytest.mark.parametrize("place", ["documents", "request", "csr", "policy", "ca"])
def test_an_unknown_field_within_the_documents_is_refused(place: str) -> None:
    def change(record: dict[str, Any]) -> None:
        documents = record["documents"]
        (documents if place == "documents" else documents[place])["colour"] = "red"

    with pytest.raises(ContradictionError, match="unknown field 'colour'"):
        reread(SAMPLES["ordered"], change)


@pytest.mark.parametrize(
    ("sample", "field"),
    [
        (name, field)
        for name, sample in SAMPLES.items()
        for field in json.loads(one_line(sample)[1][1])
        if (name, field) not in {("signed", "spent")}
    ],
)
def test_a_field_that_is_missing_is_refused(sample: str, field: str) -> None:
    with pytest.raises(ContradictionError, match=r"00000001\.jsonl:2: "):
        reread(SAMPLES[sample], lambda record: record.pop(field))


@pytest.mark.parametrize("name", ["issued", "Signed", "", "retired"])
def test_an_unknown_event_is_refused(name: str) -> None:
    with pytest.raises(ContradictionError, match="unknown event"):
        reread(SAMPLES["signed"], lambda record: record.update(event=name))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b'"ordered"',
        b"{",
        b"{}",
        b'{"event": NaN}',
        b"\xff\xfe",
        '{"event": "abandoned", "order": "ä"}'.encode(),
        b"[" * 100_000,
        b'{"event": "ordered", "crlNumber": ' + b"9" * 5000 + b"}",
        json.dumps({"event": "abandoned"}).encode("utf-16"),
    ],
    ids=lambda line: line[:24].decode("latin-1"),
)
def test_a_line_that_is_no_event_is_refused_and_named(line: bytes) -> None:
    path, (head, first) = one_line(SAMPLES["abandoned"])
    with pytest.raises(ContradictionError, match=r"00000001\.jsonl:3: "):
        parse_segment(path, head + first + line + b"\n")


def test_a_field_that_stands_twice_is_refused() -> None:
    path, (head, line) = one_line(SAMPLES["revoked"])
    twice = line.replace(b'"serial":', b'"serial":"1","serial":')
    assert parse_segment(path, head + line)
    with pytest.raises(ContradictionError, match="a field stands twice"):
        parse_segment(path, head + twice)


@pytest.mark.parametrize(
    "head",
    [
        {"segment": 1, "previous": None, "format": 2},
        {"segment": 1, "previous": None},
        {"segment": 1, "format": 1},
        {"segment": "1", "previous": None, "format": 1},
        {"segment": 1, "previous": "nothing", "format": 1},
        {"segment": 1, "previous": None, "format": 1, "more": 1},
        {"segment": 2, "previous": None, "format": 1},
        {},
    ],
    ids=str,
)
def test_a_head_that_gitca_did_not_write_is_refused(head: dict[str, Any]) -> None:
    path, (_, line) = one_line(SAMPLES["abandoned"])
    with pytest.raises(ContradictionError, match=r"00000001\.jsonl:1: "):
        parse_segment(path, json.dumps(head).encode() + b"\n" + line)


def test_a_segment_whose_last_line_is_cut_off_is_refused() -> None:
    path, (head, line) = one_line(SAMPLES["abandoned"])
    with pytest.raises(ContradictionError, match=r"00000001\.jsonl:2: .*last line is not whole"):
        parse_segment(path, head + line[:-1])


def test_an_empty_segment_is_refused() -> None:
    with pytest.raises(ContradictionError, match=r"00000001\.jsonl:1: "):
        parse_segment("issued/ledger/00000001.jsonl", b"")
