"""Every parser reads its samples, every file of a public corpus, and both with random damage."""

from __future__ import annotations

import time
from dataclasses import fields
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.ledger_samples import ledger_samples
from fuzz.targets import TARGETS, samples, vectors
from gitca.ledger.events import Event, Ordered, Particulars
from gitca.ledger.segment import parse_segment, segment_path

SLOWEST_SECONDS = 10.0
"""For one odd file; a busy machine is no reason to fail."""

REPEATED = (
    *(b"[", b"{a: ", b"- ", b"\x30\x80", b"\xa0\x84", b"-----BEGIN X-----\n", b'{"a":'),
    *(b"a.", b"*.", b"&a ", b"? ", b"|\n ", b"\xef\xbb\xbf", b"\n"),
)
Edit = tuple[int, int, bytes]
EDITS = st.lists(
    st.tuples(st.integers(0, 2**16), st.integers(0, 40), st.binary(max_size=8)), max_size=6
)


def damaged(sample: bytes, edits: list[Edit]) -> bytes:
    """Replace some octets at places of a sample by others."""
    for place, length, octets in edits:
        start = place % (len(sample) + 1)
        sample = sample[:start] + octets + sample[start + length :]
    return sample


@pytest.mark.parametrize("name", TARGETS)
def test_samples_are_read_or_refused(name: str) -> None:
    assert samples(name)
    for sample in samples(name):
        TARGETS[name](sample)


def test_the_ledgers_samples_hold_every_kind_of_event_in_every_form() -> None:
    segments = [parse_segment(segment_path(1), sample) for sample in ledger_samples()]
    events = [event for segment in segments for event in segment.events]
    assert {type(event) for event in events} == set(get_args(Event))
    orders = [event for event in events if isinstance(event, Ordered)]
    assert {type(order.particulars) for order in orders} == set(get_args(Particulars))
    for kind in get_args(Event):
        of_kind = [event for event in events if isinstance(event, kind)]
        for field in fields(kind):
            assert any(getattr(event, field.name) for event in of_kind), (kind, field.name)


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_samples_are_read_or_refused(name: str) -> None:
    pool = samples(name)

    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    @given(number=st.integers(0, len(pool) - 1), edits=EDITS)
    def check(number: int, edits: list[Edit]) -> None:
        TARGETS[name](damaged(pool[number], edits))

    check()


@pytest.mark.parametrize("name", TARGETS)
def test_anything_at_all_is_read_or_refused(name: str) -> None:
    @settings(max_examples=100)
    @given(data=st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
    def check(data: bytes) -> None:
        TARGETS[name](data)

    check()


@pytest.mark.parametrize("name", TARGETS)
def test_every_odd_file_of_the_vectors_is_read_or_refused(name: str) -> None:
    files = vectors(
        "x509/**/*", "asymmetric/**/*.pem", "asymmetric/**/*.der", "pkcs7/*", "pkcs12/*"
    )
    assert len(files) > 1900
    for data in files:
        before = time.monotonic()
        TARGETS[name](data)
        assert time.monotonic() - before < SLOWEST_SECONDS


@pytest.mark.parametrize("name", ["yaml", "csr", "pem", "der", "names", "segment"])
def test_much_of_one_thing_is_bounded(name: str) -> None:
    for unit in (
        b"[",
        b"{a: ",
        b"- ",
        b"\x30\x80",
        b"\xa0\x84",
        b"-----BEGIN X-----\n",
        b'{"a":',
        b"a.",
    ):
        data = unit * (256 * 1024 // len(unit))
        before = time.monotonic()
        TARGETS[name](data)
        assert time.monotonic() - before < SLOWEST_SECONDS, unit
