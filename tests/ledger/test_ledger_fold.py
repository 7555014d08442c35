"""The fold: what an event may follow, and what the state says afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from authority_material import Authority
from ledger_material import (
    T0,
    certificate_order,
    crl_order,
    digest,
    fold,
    fold_segments,
    order_id,
    revoked,
    signed,
)

from gitca.errors import ContradictionError
from gitca.ledger.events import Abandoned, CsrParticulars, Event, Revoked
from gitca.ledger.refused import refusal_words, refused_orders

CERTIFICATE = certificate_order("a", serial="a1")
ABANDONED = Abandoned(order_id("a"), "no longer wanted")

IMPOSSIBLE: dict[str, tuple[str, list[Event]]] = {
    "a serial number twice": (
        "serial number a1 of CA issuing is used twice",
        [CERTIFICATE, certificate_order("b", serial="a1")],
    ),
    "a serial number twice after its order was abandoned": (
        "serial number a1 of CA issuing is used twice",
        [CERTIFICATE, ABANDONED, certificate_order("b", serial="a1")],
    ),
    "an order twice": ("recorded twice", [CERTIFICATE, CERTIFICATE]),
    "a signature without an order": ("signed and not recorded before", [signed("a")]),
    "a signature twice": ("has its outcome already", [CERTIFICATE, signed("a"), signed("a")]),
    "a signature on an abandoned order": (
        "has its outcome already",
        [CERTIFICATE, ABANDONED, signed("a")],
    ),
    "a spent signature before the first": (
        "still awaits its signature",
        [CERTIFICATE, signed("a", spent=True)],
    ),
    "a CRL number again": (
        "CRL number 1 of CA issuing is not the one after 1",
        [crl_order("c", 1, 0), signed("c", crl=True), crl_order("d", 1, 0)],
    ),
    "a CRL number that falls": (
        "CRL number 1 of CA issuing is not the one after 2",
        [
            *(crl_order("c", 1, 0), signed("c", crl=True)),
            *(crl_order("d", 2, 0), signed("d", crl=True), crl_order("e", 1, 0)),
        ],
    ),
    "a CRL number that leaps to the last there is": (
        f"CRL number {2**159 - 1} of CA issuing is not the one after 1",
        [crl_order("c", 1, 0), signed("c", crl=True), crl_order("d", 2**159 - 1, 0)],
    ),
    "a CRL number that leaves one out": (
        "CRL number 3 of CA issuing is not the one after 1",
        [crl_order("c", 1, 0), Abandoned(order_id("c"), "lapsed"), crl_order("d", 3, 0)],
    ),
    "a first CRL number that is not 1": (
        "CRL number 2 of CA issuing is not the one after 0",
        [crl_order("c", 2, 0)],
    ),
    "the CRL number of an abandoned order again": (
        "is not the one after 1",
        [crl_order("c", 1, 0), Abandoned(order_id("c"), "lapsed"), crl_order("d", 1, 0)],
    ),
    "a CRL while one is pending": (
        "has a CRL ordered already",
        [crl_order("c", 1, 0), crl_order("d", 2, 0)],
    ),
    "a CRL that leaves out a revocation": (
        "counts 0 revocations, the ledger 1",
        [CERTIFICATE, signed("a"), revoked("a1"), crl_order("c", 1, 0)],
    ),
    "a CRL that counts one too many": (
        "counts 1 revocations, the ledger 0",
        [crl_order("c", 1, 1)],
    ),
    "a revocation twice": (
        "serial number a1 is revoked twice",
        [CERTIFICATE, signed("a"), revoked("a1"), revoked("a1", reason="keyCompromise")],
    ),
    "a revocation of an unknown serial number": (
        "revoked, never ordered",
        [CERTIFICATE, revoked("a2")],
    ),
    "an unknown order abandoned": ("was not pending", [ABANDONED]),
    "a signed order abandoned": ("was not pending", [CERTIFICATE, signed("a"), ABANDONED]),
    "an order abandoned twice": ("was not pending", [CERTIFICATE, ABANDONED, ABANDONED]),
    "a CRL's signature on a certificate's order": (
        "another kind",
        [CERTIFICATE, signed("a", crl=True)],
    ),
    "a certificate on a CRL's order": ("another kind", [crl_order("c", 1, 0), signed("c")]),
    "a second certificate of a CA, on another key": (
        "has a certificate on another key",
        [
            *Authority("root").certify_itself(1),
            certificate_order("s", serial="2", authority="root", ca="root", key="other"),
        ],
    ),
    "a second certificate of a CA while one is pending": (
        "has a certificate",
        [
            certificate_order("r", serial="1", authority="root", ca="root"),
            certificate_order("s", serial="2", authority="root", ca="root"),
        ],
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_an_event_that_cannot_follow_is_refused(case: str) -> None:
    message, events = IMPOSSIBLE[case]
    fold(*events[:-1])
    with pytest.raises(ContradictionError, match=message) as refusal:
        fold(*events)
    assert refusal.value.exit_code == 5
    assert refusal.value.message.startswith("issued/ledger/00000001.jsonl: ")


def test_the_same_serial_number_at_two_cas_is_two_numbers() -> None:
    state = fold(CERTIFICATE, certificate_order("b", serial="a1", ca="other"))
    assert set(state.serials) == {("issuing", "a1"), ("other", "a1")}


def test_a_signed_order_is_its_requests_current_certificate() -> None:
    state = fold(CERTIFICATE, signed("a"), certificate_order("b", serial="b1"))
    record = state.requests["payments/api"]
    assert record.current is state.orders[order_id("a")]
    assert record.pending is state.orders[order_id("b")]
    assert set(state.pending) == {order_id("b")}


def test_an_abandoned_order_is_neither_pending_nor_current_and_keeps_its_serial_number() -> None:
    state = fold(CERTIFICATE, ABANDONED)
    assert not state.pending
    assert state.requests["payments/api"].current is None
    assert ("issuing", "a1") in state.serials
    assert state.live(state.requests["payments/api"].orders, T0) == ()


def test_an_abandoned_order_of_a_ca_leaves_the_ca_unmade() -> None:
    order = certificate_order("r", serial="1", authority="root", ca="root")
    state = fold(order, Abandoned(order_id("r"), "no longer wanted"))
    assert state.authority("root").pending_certificate is None
    assert state.authority("root").certificate is None


def test_an_abandoned_crl_is_followed_by_a_higher_number() -> None:
    state = fold(crl_order("c", 1, 0), Abandoned(order_id("c"), "lapsed"), crl_order("d", 2, 0))
    assert state.authority("issuing").last_crl_number == 2


@pytest.mark.parametrize("outcome", [[signed("a")], [ABANDONED]])
def test_a_spent_signature_changes_nothing_but_its_count(outcome: list[Event]) -> None:
    state = fold(CERTIFICATE, *outcome, signed("a", spent=True), signed("a", spent=True))
    record = state.orders[order_id("a")]
    assert record.spent == 2
    assert record.signed == (outcome[0] if outcome[0] != ABANDONED else None)


def test_a_certificate_is_live_until_its_last_second() -> None:
    state = fold(CERTIFICATE, signed("a"))
    end = CERTIFICATE.particulars.not_after
    orders = list(state.orders.values())
    assert state.live(orders, end)
    assert not state.live(orders, end + timedelta(seconds=1))


def test_a_certificate_that_is_only_ordered_is_live_since_it_may_have_been_signed() -> None:
    state = fold(CERTIFICATE)
    assert state.live(state.orders.values(), T0)


@pytest.mark.parametrize(
    ("reason", "refused"),
    [("keyCompromise", True), ("cACompromise", True), ("superseded", False)],
)
def test_a_key_is_refused_after_its_compromise_alone(reason: str, refused: bool) -> None:
    state = fold(CERTIFICATE, signed("a"), revoked("a1", reason=reason))
    assert (digest("key") in state.refused_keys) is refused


def test_a_revoked_key_is_refused_whatever_the_reason() -> None:
    event = Revoked("superseded", T0, revoked("a1").document, key=digest("key"))
    assert digest("key") in fold(event).refused_keys


def test_what_is_ordered_on_a_key_after_it_was_refused_is_told_until_it_is_given_up() -> None:
    event = Revoked("superseded", T0, revoked("a1").document, key=digest("key"))
    before = fold_segments([CERTIFICATE], [event])
    assert list(refused_orders(before)) == []
    for state in (fold_segments([event], [CERTIFICATE]), fold_segments([event, CERTIFICATE])):
        (record,) = refused_orders(state)
        assert record.ordered == CERTIFICATE
        assert "revoked for superseded in segment 1" in refusal_words(state, record)
    assert list(refused_orders(fold_segments([event], [CERTIFICATE], [ABANDONED]))) == []


def test_a_csr_on_a_key_that_was_refused_before_is_told() -> None:
    ca = Authority("sub")
    order, tbs = ca.csr_order()
    assert isinstance(order.particulars, CsrParticulars)
    event = Revoked("superseded", T0, revoked("a1").document, key=order.particulars.key)
    for outcome in ([], [ca.sign(order, tbs)]):
        state = fold_segments([event], [order, *outcome])
        assert [record.ordered for record in refused_orders(state)] == [order]
        assert list(refused_orders(fold_segments([order, *outcome], [event]))) == []


def test_a_crl_is_on_no_key_that_could_be_refused() -> None:
    state = fold(crl_order("c", 1, 0))
    assert refusal_words(state, state.orders[order_id("c")]) == ""


def test_a_document_of_a_revocation_is_remembered_as_executed() -> None:
    state = fold(CERTIFICATE, signed("a"), revoked("a1"))
    assert list(state.executed) == ["requests/revocations/api.yaml"]
