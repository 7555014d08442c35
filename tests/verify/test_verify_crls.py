"""One CRL after another: what the next may not say (I6, I7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from verify_material import found

from ca_documents import revocation
from ca_world import NOW, Clone
from gitca.ledger.events import CrlParticulars, DocumentReference, Revoked
from gitca.ledger.state import LedgerState
from gitca.verify.crls import CrlView, compare_crls


@pytest.fixture
def state(rich: Clone) -> LedgerState:
    """A ledger in which payments/api is revoked, and on the CRL."""
    return rich.state


def view(state: LedgerState, number: int, this_update: datetime, *serials: str) -> CrlView:
    given = CrlParticulars(number, this_update, this_update + timedelta(days=7), 1)
    entries = {serial: state.revoked["issuing", serial] for serial in serials}
    return CrlView("issuing", given, entries)


def revoked_serial(state: LedgerState) -> str:
    ((_, serial),) = state.revoked
    return serial


def said(state: LedgerState, last: CrlView | None, new: CrlView) -> Iterator[str]:
    yield from compare_crls(state, last, new)


def test_the_next_crl_with_the_same_entries_is_sound(state: LedgerState) -> None:
    serial = revoked_serial(state)
    last = view(state, 2, NOW, serial)
    assert list(said(state, last, view(state, 3, NOW + timedelta(1), serial))) == []


@pytest.mark.parametrize(
    ("number", "later", "words"),
    [(2, 1, "follows CRL 2"), (1, 1, "follows CRL 2"), (3, 0, "not later"), (3, -1, "not later")],
)
def test_number_and_this_update_rise(
    state: LedgerState, number: int, later: int, words: str
) -> None:
    serial = revoked_serial(state)
    last = view(state, 2, NOW, serial)
    (reason,) = said(state, last, view(state, number, NOW + timedelta(later), serial))
    assert words in reason


def test_an_entry_may_not_leave_before_it_was_on_a_crl_beyond_its_expiry(
    state: LedgerState,
) -> None:
    serial = revoked_serial(state)
    expiry = state.serials["issuing", serial].certificate.not_after
    on_time = view(state, 2, expiry, serial)
    (reason,) = said(state, on_time, view(state, 3, expiry + timedelta(9)))
    assert f"lacks {serial}, which was revoked before" in reason
    beyond = view(state, 2, expiry + timedelta(seconds=1), serial)
    assert list(said(state, beyond, view(state, 3, expiry + timedelta(9)))) == []


def test_an_entry_may_not_change(state: LedgerState) -> None:
    serial = revoked_serial(state)
    last, new = view(state, 2, NOW, serial), view(state, 3, NOW + timedelta(1), serial)
    other = replace(new.entries[serial], reason="superseded")
    (reason,) = said(state, last, replace(new, entries={serial: other}))
    assert "says something else" in reason


def test_what_was_revoked_since_is_on_it(state: LedgerState) -> None:
    serial = revoked_serial(state)
    (reason,) = said(state, None, view(state, 2, NOW))
    assert f"lacks {serial}, which was revoked since" in reason


def test_an_entry_that_left_in_time_is_no_contradiction(issued: Clone) -> None:
    """A whole life: revoked, expired, once more on a CRL, and gone from the next."""
    issued.save({"requests/stop.yaml": revocation(certificate="payments/api")})
    assert issued.reconcile().exit_code == 0
    for _ in range(30):
        issued.clock.forward(days=6)
        issued.reconcile()
    assert issued.revoked() == {}
    assert found(issued) == []


def test_a_refused_key_is_on_no_crl(state: LedgerState) -> None:
    document = DocumentReference("requests/x.yaml", "0" * 40)
    key = Revoked(reason="keyCompromise", date=NOW, document=document, key="sha256:" + "0" * 64)
    state.authority("issuing").revocations.append(key)
    serial = revoked_serial(state)
    new = view(state, 3, NOW + timedelta(1), serial)
    counted = replace(new, given=replace(new.given, revocations=2))
    assert list(said(state, view(state, 2, NOW, serial), counted)) == []
