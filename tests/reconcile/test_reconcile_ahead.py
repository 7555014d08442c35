"""Orders that are dated ahead of the clock, and orders under the name of the run that meets them.

A machine whose clock was ahead died before it signed, or somebody who may push wrote them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from ca_documents import GOVERNING, authority, request, revocation
from ca_fixtures import both_layouts
from ca_forger import API, NAME, Forger, crl_order, forger_of, push_events
from ca_signers import Watched, failing_after
from ca_world import Clone, KeyRing
from gitca.errors import ContradictionError, UsageError
from gitca.ledger.draft import LEASE
from gitca.ledger.events import Abandoned
from gitca.policy.period import LAST_MOMENT
from gitca.reconcile.report import Report

REASON = "it is dated ahead of the clock"
YEARS = timedelta(days=3 * 365)
WEB = {"requests/web.yaml": request("web", "web.example.internal")}


def die_ahead(clone: Clone, *names: str, **ahead: float) -> None:
    """Let a run whose clock is ahead record its orders, and die before it signs."""
    clone.clock.forward(**ahead)
    dead = {name: failing_after(clone.keys.named(name), 0) for name in names or ["issuing"]}
    assert clone.reconcile(opener=clone.keys.but(**dead)).exit_code == 4
    clone.clock.forward(**{unit: -amount for unit, amount in ahead.items()})


def sound(clone: Clone) -> None:
    assert clone.verify().contradictions == []
    assert clone.plan().actions == ()
    assert clone.status == ""


def crl_outcomes(clone: Clone, ca: str = "issuing") -> list[tuple[int, str]]:
    """Return each CRL number of a CA and what became of it."""
    return [
        (
            record.ordered.particulars.number,
            record.abandoned.reason if record.abandoned else "signed" if record.signed else "",
        )
        for record in clone.state.orders.values()
        if record.about.startswith("CRL") and record.ordered.ca == ca
    ]


def interrupted(clone: Clone, pushes: Callable[[Clone], None]) -> Report:
    """Run as "abc", in whose midst somebody else pushes to the branch."""
    evil, done = clone.beside("evil"), []

    def before(_: bytes) -> None:
        if not done:
            done.append(True)
            evil.pull()
            pushes(evil)

    issuing = Watched(clone.keys.named("issuing"), before)
    return clone.reconcile(opener=clone.keys.but(issuing=issuing), world=clone.world("abc"))


def push_forged(forger: Forger, clone: Clone, ahead: timedelta) -> None:
    """Push an order for the request payments/api under the run's own name."""
    begin = clone.clock.now + ahead - timedelta(minutes=5)
    times = {"not_before": begin, "not_after": begin + timedelta(days=30, seconds=-1)}
    elsewhere = replace(forger, clone=clone)
    ordered, tbs = elsewhere.certificate(
        particulars={"serial": "1234567890abcdef", **times},
        run="abc",
        lease=clone.clock.now + ahead + LEASE,
    )
    elsewhere.push(ordered, tbs)


@both_layouts
@pytest.mark.parametrize("ahead", [timedelta(0), YEARS], ids=["dated today", "dated ahead"])
def test_an_order_under_the_runs_own_name_is_judged_as_anybody_elses(
    shared: Clone, ahead: timedelta
) -> None:
    """The name stands in the first orders that a run pushes. The request was taken back."""
    forger = forger_of(shared)
    shared.pull()
    shared.save({API: None, **WEB})
    report = interrupted(shared, lambda evil: push_forged(forger, evil, ahead))
    assert (report.exit_code, len(report.signed), len(report.held)) == (3, 1, 1)
    shared.pull()
    assert shared.state.requests["payments/api"].current is None
    if not ahead:
        shared.clock.forward(minutes=11)
        assert shared.reconcile().exit_code == 0
        forged = shared.state.requests["payments/api"].orders[-1]
        assert forged.abandoned is not None
        assert forged.abandoned.reason == "the request is gone"
        sound(shared)


@both_layouts
def test_a_crl_order_under_the_runs_own_name_is_not_signed_before_its_date(shared: Clone) -> None:
    """Every later CRL would be dated after it: not valid yet, for three years."""
    shared.save(WEB)

    def push(evil: Clone) -> None:
        evil.clock.forward(days=YEARS.days)
        ordered, _ = crl_order(evil)
        evil.clock.forward(days=-YEARS.days)
        push_events(evil, replace(ordered, run="abc"))

    assert interrupted(shared, push).exit_code == 3
    shared.pull()
    shared.save({"requests/stop.yaml": revocation(certificate="web")})
    assert shared.reconcile().exit_code == 0
    assert shared.crl().last_update_utc <= shared.clock.now
    assert list(shared.revoked()) == [shared.current("web").certificate.serial]
    sound(shared)


@both_layouts
def test_a_run_whose_clock_is_behind_the_last_crl_signs_the_next_in_one_go(issued: Clone) -> None:
    issued.clock.forward(days=5)
    assert issued.reconcile().exit_code == 0
    issued.clock.forward(days=-4)
    issued.save({"requests/stop.yaml": revocation(certificate="payments/api")})
    last = issued.crl().last_update_utc
    report = issued.reconcile()
    assert (report.exit_code, report.held) == (0, ())
    assert issued.crl().last_update_utc == last + timedelta(seconds=1)
    assert len(issued.revoked()) == 1
    sound(issued)


@both_layouts
def test_a_revocation_does_not_wait_for_a_crl_that_is_dated_ahead(issued: Clone) -> None:
    die_ahead(issued, days=365)
    issued.save({"requests/stop.yaml": revocation(certificate="payments/api")})
    report = issued.reconcile()
    assert (report.exit_code, len(report.abandoned)) == (0, 2)  # the renewal as well
    assert issued.current("payments/api").certificate.serial in issued.revoked()
    assert issued.crl().last_update_utc <= issued.clock.now
    overtaken = "revocations were recorded since; the next CRL lists them"
    assert crl_outcomes(issued) == [(1, "signed"), (2, overtaken), (3, "signed")]
    sound(issued)


@both_layouts
def test_taking_over_gives_up_what_is_dated_ahead_and_orders_it_anew(issued: Clone) -> None:
    die_ahead(issued, days=365)
    issued.clock.forward(days=5)
    report = issued.reconcile()
    assert (report.exit_code, len(report.held), report.abandoned) == (3, 2, [])
    report = issued.reconcile(take_over=True)
    assert (report.exit_code, len(report.abandoned)) == (0, 2)
    assert crl_outcomes(issued) == [(1, "signed"), (2, REASON), (3, "signed")]
    assert issued.crl().last_update_utc <= issued.clock.now
    assert issued.openssl_verify("payments/api") == "OK"
    sound(issued)


@both_layouts
def test_a_certificate_that_is_dated_ahead_is_ordered_anew_on_a_serial_number_of_its_own(
    made: Clone,
) -> None:
    made.save({API: request("api", NAME)})
    die_ahead(made, hours=3)
    assert made.reconcile().exit_code == 3
    assert made.reconcile(take_over=True).exit_code == 0
    first, second = made.state.requests["payments/api"].orders
    assert first.abandoned == Abandoned(first.ordered.order, REASON)
    assert first.certificate.serial != second.certificate.serial
    assert made.openssl_verify("payments/api") == "OK"
    made.clock.forward(hours=4)
    assert made.reconcile().exit_code == 0
    sound(made)


def test_a_cas_renewal_that_is_dated_ahead_is_given_up_for_its_date(
    tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing
) -> None:
    """The documents ask for none by now as well, which verify could not tell."""
    issuing = authority("issuing", "root", validity="1y", renewBefore="30d")
    clone = Clone.create(
        tmp_path_factory.mktemp("ahead") / "clone",
        key_ring,
        {**GOVERNING, "ca/issuing.yaml": issuing},
    )
    assert clone.reconcile().exit_code == 0
    die_ahead(clone, "root", "issuing", days=350)
    report = clone.reconcile(take_over=True)
    assert report.exit_code == 0
    reasons = {record.about: record.abandoned for record in clone.state.orders.values()}
    assert reasons["CA issuing"] is not None
    assert {item.reason for item in reasons.values() if item} == {REASON}
    sound(clone)


def test_a_ca_that_was_not_selected_keeps_its_orders_that_are_dated_ahead(issued: Clone) -> None:
    die_ahead(issued, days=365)
    report = issued.reconcile(take_over=True, selected=["root"])
    assert (report.exit_code, report.abandoned) == (0, [])
    assert {item.missing for item in report.waiting} == {"not selected"}
    assert issued.reconcile(take_over=True).exit_code == 0
    sound(issued)


def test_a_forged_order_is_not_given_up_for_being_dated_ahead(made: Clone) -> None:
    """Nobody would look at it any more."""
    forger = forger_of(made)
    when = made.clock.now + YEARS
    times = {"not_before": when, "not_after": when + timedelta(days=300)}
    forger.push(*forger.certificate(particulars=times, lease=when + LEASE))
    assert made.reconcile().exit_code == 3
    with pytest.raises(ContradictionError, match="does not come from"):
        made.reconcile(take_over=True)
    assert len(made.state.pending) == 1


def test_an_order_that_is_dated_at_the_end_of_time_is_found_and_breaks_nothing(
    issued: Clone,
) -> None:
    ordered, _ = crl_order(issued)
    push_events(issued, replace(ordered, lease=LAST_MOMENT))
    (found,) = issued.verify().contradictions
    assert "its dates are not those that the CA's document gives" in found.message
    assert issued.reconcile().exit_code == 3
    with pytest.raises(ContradictionError, match="its dates are not those"):
        issued.reconcile(take_over=True)


def test_an_order_that_was_not_ahead_when_it_was_given_up_for_that_is_found(made: Clone) -> None:
    made.save({API: request("api", NAME)})
    die_ahead(made, minutes=10)
    (order,) = made.state.pending
    path = f"issued/orders/{order}.der"
    push_events(made, Abandoned(order, REASON), files={path: None})
    (found,) = made.verify().contradictions
    assert (found.place, found.invariant) == (f"order {order}", "I8")
    assert "which did not hold then" in found.message


def test_a_ceremony_signs_nothing_that_is_dated_ahead_and_gives_nothing_up(issued: Clone) -> None:
    """A machine without a network may have any time; its clock may be the one that is wrong."""
    die_ahead(issued, days=365)
    before = issued.tip
    with pytest.raises(UsageError, match="clock of this machine") as refusal:
        issued.sign("issuing")
    assert "reconcile --take-over" in refusal.value.remedy
    assert issued.tip == before
