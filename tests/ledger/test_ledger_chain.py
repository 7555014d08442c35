"""Segments are linked by hash: one dropped, moved, changed or doubled breaks the chain (I10)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_material import certificate_order, chain, crl_order, signed

from gitca.errors import ContradictionError
from gitca.ledger.segment import SegmentHead, parse_segment, render_segment, segment_path
from gitca.ledger.state import LedgerState

Files = list[tuple[str, bytes]]

FILES = chain(
    [certificate_order("a", serial="a1"), crl_order("crl", 1, 0)],
    [signed("a"), signed("crl", crl=True)],
    [certificate_order("b", serial="b1")],
    [signed("b")],
    [certificate_order("c", serial="c1")],
)


def folded(files: Files) -> LedgerState:
    state = LedgerState()
    for path, data in files:
        state.apply(parse_segment(path, data))
    return state


def renumbered(files: Files) -> Files:
    """The files under the names that a ledger without a gap has; the heads still tell."""
    return [(segment_path(number), data) for number, (_, data) in enumerate(files, start=1)]


def test_a_whole_chain_folds() -> None:
    state = folded(FILES)
    assert state.head.number == len(FILES)
    assert len(state.orders) == 4


@pytest.mark.parametrize("place", range(len(FILES) - 1))
@pytest.mark.parametrize("rename", [False, True])
def test_a_dropped_segment_breaks_the_chain(place: int, rename: bool) -> None:
    files = FILES[:place] + FILES[place + 1 :]
    with pytest.raises(ContradictionError) as refusal:
        folded(renumbered(files) if rename else files)
    assert refusal.value.exit_code == 5
    assert f"{place + 2:08d}.jsonl" in refusal.value.message or rename


@pytest.mark.parametrize(("one", "other"), [*itertools.combinations(range(len(FILES)), 2)])
def test_two_segments_in_each_others_place_break_the_chain(one: int, other: int) -> None:
    files = list(FILES)
    files[one], files[other] = (files[one][0], files[other][1]), (files[other][0], files[one][1])
    with pytest.raises(ContradictionError, match=f"{one + 1:08d}"):
        folded(files)


@pytest.mark.parametrize("place", range(len(FILES)))
def test_a_segment_twice_breaks_the_chain(place: int) -> None:
    again = (segment_path(len(FILES) + 1), FILES[place][1])
    with pytest.raises(ContradictionError):
        folded([*FILES, again])
    with pytest.raises(ContradictionError):
        folded([*FILES, FILES[place]])


@given(st.data())
def test_one_changed_byte_anywhere_before_the_last_segment_is_found(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(FILES) - 2))
    path, old = FILES[place]
    at = data.draw(st.integers(0, len(old) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != old[at]))
    new = old[:at] + bytes([byte]) + old[at + 1 :]
    with pytest.raises(ContradictionError, match=r"issued/ledger/0000000\d\.jsonl"):
        folded([*FILES[:place], (path, new), *FILES[place + 1 :]])


@pytest.mark.parametrize("place", range(len(FILES) - 1))
def test_an_event_that_was_dropped_doubled_or_moved_is_found(place: int) -> None:
    path, data = FILES[place]
    head, *lines = data.splitlines(keepends=True)
    for changed in ([], [*lines, lines[0]], lines[::-1] if len(lines) > 1 else []):
        files = [*FILES[:place], (path, b"".join([head, *changed])), *FILES[place + 1 :]]
        with pytest.raises(ContradictionError):
            folded(files)


def test_a_chain_that_begins_with_its_second_segment_is_refused() -> None:
    with pytest.raises(ContradictionError, match="00000002"):
        folded(FILES[1:])


def test_a_number_that_is_left_out_breaks_a_chain_whose_hashes_agree() -> None:
    first = parse_segment(*FILES[0])
    path, data = render_segment(SegmentHead(2, first.head.digest), [])
    with pytest.raises(ContradictionError, match="00000003"):
        folded([FILES[0], (path, data)])


def test_a_segment_number_of_nine_digits_keeps_the_chain_in_order_by_number() -> None:
    assert segment_path(99_999_999).endswith("/99999999.jsonl")
    assert segment_path(100_000_000).endswith("/100000000.jsonl")
