"""The date of a revocation: a run's clock gives it, and no CRL lists one that is yet to come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ca_documents import request, revocation
from ca_fixtures import both_layouts
from ca_forger import blob, crl_order, push_events
from ca_signers import failing_after
from ca_world import Clone, git
from gitca.ledger.draft import LEASE
from gitca.ledger.events import Revoked

STOP = "requests/stop.yaml"
API = "payments/api"


def ask(clone: Clone) -> str:
    """Let a document ask for a revocation; return the serial number."""
    clone.save({STOP: revocation("superseded", certificate=API)})
    return clone.current(API).certificate.serial


def push_revocation(clone: Clone, date: datetime) -> str:
    """Write the revocation that a document asks for into the ledger, dated by who pushes."""
    serial = ask(clone)
    named = {"ca": "issuing", "serial": serial}
    push_events(clone, Revoked("superseded", date, blob(clone, STOP), **named))
    return serial


def rules(clone: Clone) -> list[str]:
    report = clone.reconcile(take_over=True)
    assert report.exit_code == 1
    return [finding.rule for finding in report.findings if finding.is_error]


@both_layouts
def test_no_crl_lists_a_revocation_that_is_dated_ahead_until_its_time_has_come(
    issued: Clone,
) -> None:
    """Who weighs the date would trust the certificate until then, whoever reads that CRL."""
    serial = push_revocation(issued, issued.clock.now + timedelta(days=2))
    before = issued.crl()
    assert rules(issued) == ["crl.revocation-date"]
    assert issued.crl() == before
    assert issued.state.authority("root").pending_crl is None
    issued.clock.forward(days=2)
    assert issued.reconcile().exit_code == 0
    assert serial in issued.revoked()


@both_layouts
def test_what_other_cas_have_to_do_does_not_wait_for_a_revocation_that_is_dated_ahead(
    issued: Clone,
) -> None:
    push_revocation(issued, issued.clock.now + timedelta(days=365))
    issued.clock.forward(days=200)  # the root's CRL is due by then
    number = issued.state.authority("root").last_crl_number
    assert "crl.revocation-date" in rules(issued)
    assert issued.state.authority("root").last_crl_number > number


@both_layouts
def test_an_order_for_a_crl_that_lists_a_revocation_dated_ahead_is_given_up(
    issued: Clone,
) -> None:
    """Whoever writes the one can write the other beside it."""
    push_revocation(issued, issued.clock.now + timedelta(days=2))
    ordered, _ = crl_order(issued)
    push_events(issued, ordered)
    before = issued.crl()
    assert rules(issued) == ["crl.revocation-date"]
    abandoned = issued.state.orders[ordered.order].abandoned
    assert abandoned is not None
    assert abandoned.reason == "a revocation is dated later than the CRL that would list it"
    assert issued.crl() == before


@pytest.mark.parametrize("ahead", [timedelta(0), LEASE], ids=["now", "a lease ahead"])
def test_a_revocation_by_a_clock_that_is_minutes_ahead_goes_out_at_once(
    issued: Clone, ahead: timedelta
) -> None:
    serial = push_revocation(issued, issued.clock.now + ahead)
    assert issued.reconcile().exit_code == 0
    assert serial in issued.revoked()
    assert issued.verify().contradictions == []


@both_layouts
def test_a_clock_that_was_days_ahead_and_signed_holds_up_no_later_crl(issued: Clone) -> None:
    """Its CRL is of that time, and so is each after it: none lists what is yet to come for it."""
    issued.save({"requests/web.yaml": request("web", "web.example.internal")})
    assert issued.reconcile().exit_code == 0
    issued.clock.forward(days=10)
    first = ask(issued)
    assert issued.reconcile().exit_code == 0
    issued.clock.forward(days=-10)
    issued.save({"requests/other.yaml": revocation("superseded", certificate="web")})
    assert issued.reconcile().exit_code == 0
    second = issued.current("web").certificate.serial
    assert issued.revoked().keys() == {first, second}
    assert issued.verify().contradictions == []


@both_layouts
def test_a_run_dates_a_revocation_as_its_commit_whatever_its_clock_does(issued: Clone) -> None:
    """It stands still for nobody: it steps back between recording and signing, and on again."""
    ask(issued)
    dead = failing_after(issued.keys.named("issuing"), 0)
    issued.clock.forward(days=-3)
    assert issued.reconcile(opener=issued.keys.but(issuing=dead)).exit_code == 4
    ((_, event),) = issued.state.revoked.items()
    when = int(git(issued.folder, "log", "-1", "--format=%ct", issued.tip))
    assert datetime.fromtimestamp(when, UTC) == event.date == issued.clock.now
    issued.clock.forward(days=6)
    assert issued.reconcile(take_over=True).exit_code == 0
    assert issued.verify().contradictions == []


def ends(clone: Clone) -> datetime:
    return clone.current(API).certificate.not_after


def long_ago(_: Clone) -> datetime:
    return datetime(2001, 1, 1, tzinfo=UTC)


def eleven_minutes_ago(clone: Clone) -> datetime:
    return clone.clock.now - timedelta(minutes=11)


@pytest.mark.parametrize("date", [ends, long_ago, eleven_minutes_ago])
@both_layouts
def test_a_revocation_whose_date_is_not_its_commits_is_found(
    issued: Clone, date: Callable[[Clone], datetime]
) -> None:
    push_revocation(issued, date(issued))
    (contradiction,) = issued.verify().contradictions
    assert contradiction.invariant == "I8"
    assert contradiction.commit == issued.tip
    assert "and the commit that says so" in contradiction.message
