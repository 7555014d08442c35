"""Signatures that came after their order was abandoned: what the fold keeps of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ledger_material import T0, certificate_order, digest, fold, order_id, revoked, signed

from gitca.errors import ContradictionError
from gitca.ledger.events import Abandoned, Event, Signed
from gitca.ledger.image import certificate_der

CERTIFICATE = certificate_order("a", serial="a1")
ABANDONED = Abandoned(order_id("a"), "the request is gone")
LATE = signed("a", spent=True)
LOST = Signed(order_id("a"), None, "file:issuing.pem", spent=True)
AGAIN = replace(LATE, fingerprint=digest("another signature"))


def test_what_was_signed_after_it_was_abandoned_is_live_until_it_is_revoked() -> None:
    state = fold(CERTIFICATE, ABANDONED, LATE)
    record = state.serials["issuing", "a1"]
    assert state.live([record], T0) == (record,)
    assert record.outcome == LATE
    assert certificate_der(record) == b"a"
    assert state.requests["payments/api"].current is None
    state = fold(CERTIFICATE, ABANDONED, LATE, revoked("a1"))
    assert state.live([state.serials["issuing", "a1"]], T0) == ()


@pytest.mark.parametrize("events", [[], [LOST]], ids=["no trace", "a lost answer"])
def test_what_nobody_is_known_to_have_signed_is_given_up(events: list[Event]) -> None:
    state = fold(CERTIFICATE, *events[:1], ABANDONED, *events)
    record = state.serials["issuing", "a1"]
    assert record.is_given_up
    assert record.outcome is None
    assert state.live([record], T0) == ()
    with pytest.raises(ContradictionError, match="has no signed certificate"):
        certificate_der(record)


def test_of_several_late_signatures_the_first_one_is_kept_and_all_are_counted() -> None:
    record = fold(CERTIFICATE, ABANDONED, LOST, LATE, AGAIN).serials["issuing", "a1"]
    assert (record.late, record.spent) == (LATE, 3)


def test_a_second_signature_of_a_signed_order_is_no_late_one() -> None:
    record = fold(CERTIFICATE, signed("a"), LATE).serials["issuing", "a1"]
    assert (record.late, record.outcome, record.spent) == (None, signed("a"), 1)
