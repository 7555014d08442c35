"""What a CA ordered after it, or one above it, was revoked: told, until it is given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from authority_material import Authority
from ledger_material import (
    CA_DOCUMENT,
    T0,
    certificate_order,
    crl_order,
    fold_segments,
    order_id,
    signed,
)

from gitca.ledger.events import Abandoned, Event, Revoked
from gitca.ledger.refused import refusal_words, refused_orders
from gitca.ledger.state import LedgerState

ROOT = Authority("root")
ROOT_MADE = ROOT.certify_itself(1)
SUB = Authority("issuing")
SUB_MADE = ROOT.certify(SUB, 2)
SUB_AGAIN = ROOT.certify(SUB, 3)
LEAF = certificate_order("leaf", serial="aa")
GIVEN_UP = Abandoned(order_id("leaf"), "no longer wanted")
MADE: tuple[Event, ...] = (*ROOT_MADE, *SUB_MADE)


def end_of(ca: str, serial: str, reason: str = "cessationOfOperation") -> Revoked:
    return Revoked(reason, T0, CA_DOCUMENT, ca=ca, serial=serial)


SUB_ENDED = end_of("root", "2")
ROOT_ENDED = Revoked("superseded", T0, CA_DOCUMENT, key=ROOT.template.key_identifier)


def told(state: LedgerState) -> list[str]:
    return [refusal_words(state, record) for record in refused_orders(state)]


@pytest.mark.parametrize("outcome", [[], [signed("leaf")]], ids=["pending", "signed"])
@pytest.mark.parametrize(
    ("event", "words"),
    [
        (SUB_ENDED, "CA issuing was revoked by then: for cessationOfOperation in segment 2"),
        (end_of("root", "2", "cACompromise"), "CA issuing was revoked by then: for cACompromise"),
        (ROOT_ENDED, "CA root was revoked by then: for superseded in segment 2"),
    ],
    ids=["its certificate", "its key with it", "the key of the one above"],
)
def test_what_is_ordered_after_the_ca_was_revoked_is_told(
    event: Revoked, words: str, outcome: list[Event]
) -> None:
    (said,) = told(fold_segments(MADE, [event], [LEAF, *outcome]))
    assert said.startswith(words)
    assert said.endswith("ordered in segment 3")


@pytest.mark.parametrize(
    "segments",
    [
        (MADE, [LEAF], [SUB_ENDED], [signed("leaf")]),
        (MADE, [LEAF, SUB_ENDED]),
        (MADE, [SUB_ENDED], [LEAF], [GIVEN_UP]),
        (MADE, SUB_AGAIN, [SUB_ENDED], [LEAF]),
        (MADE, [SUB_ENDED], SUB_AGAIN, [LEAF]),
    ],
    ids=["before", "at once", "given up", "an older certificate", "certified anew"],
)
def test_what_the_ca_may_order_is_not_told(segments: Sequence[Sequence[Event]]) -> None:
    assert told(fold_segments(*segments)) == []


def test_what_was_ordered_by_the_revoked_certificate_stays_told_when_the_ca_has_another() -> None:
    assert len(told(fold_segments(MADE, [SUB_ENDED], [LEAF], SUB_AGAIN))) == 1


def test_a_crl_of_a_revoked_ca_is_never_told() -> None:
    state = fold_segments(MADE, [ROOT_ENDED], [crl_order("c", 1, 0)])
    assert told(state) == []
    assert refusal_words(state, state.orders[order_id("c")]) == ""


def test_a_cross_certificate_by_a_revoked_ca_is_told() -> None:
    other = Authority("other")
    cross, _ = SUB.order(other, 5, is_cross=True)
    made = (*MADE, *other.certify_itself(4))
    (said,) = told(fold_segments(made, [SUB_ENDED], [cross]))
    assert said.startswith("CA issuing was revoked by then")


def test_an_order_by_a_ca_that_has_no_certificate_yet_is_not_told() -> None:
    order, _ = ROOT.order(ROOT, 9)
    assert told(fold_segments(MADE, [SUB_ENDED], [replace(order, ca="another")])) == []
