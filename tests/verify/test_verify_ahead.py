"""What is dated ahead of the clock of whoever verifies: told, and no contradiction."""

from __future__ import annotations

from datetime import datetime, timedelta

from ca_documents import revocation
from ca_signers import failing_after
from ca_world import Clone
from gitca.verify.proof import verify
from gitca.verify.report import VerifyReport


def verified(clone: Clone, now: datetime) -> VerifyReport:
    with clone.store() as store:
        return verify(store, clone.tip, now=now)


def test_what_a_clock_that_was_ahead_signed_is_told_and_contradicts_nothing(issued: Clone) -> None:
    now = issued.clock.now
    issued.clock.forward(days=365)
    assert issued.reconcile().exit_code == 0
    report = verified(issued, now)
    assert (report.contradictions, report.exit_code) == ([], 0)
    orders, *crls = report.ahead
    date = f"{issued.clock.now:%Y-%m-%dT%H:%M:%SZ}"
    assert orders.startswith("3 orders, the latest ")
    assert date in orders
    assert sorted(crls) == [
        f"CRL 2 of CA {name}, which is valid from {date} on and not before"
        for name in ("issuing", "root")
    ]
    assert verified(issued, issued.clock.now - timedelta(minutes=10)).ahead == []
    assert verified(issued, issued.clock.now - timedelta(minutes=10, seconds=1)).ahead != []


def test_a_crl_that_had_to_follow_one_that_is_dated_ahead_is_told(issued: Clone) -> None:
    """Its order is of today, and the CRL still begins after the last one."""
    issued.clock.forward(days=5)
    assert issued.reconcile().exit_code == 0
    issued.clock.forward(days=-4)
    issued.save({"requests/stop.yaml": revocation(certificate="payments/api")})
    assert issued.reconcile().exit_code == 0
    told = [text for text in verified(issued, issued.clock.now).ahead if "CRL 3" in text]
    assert [text.partition(",")[0] for text in told] == ["CRL 3 of CA issuing"]


def test_an_order_that_is_dated_ahead_is_told_until_it_is_given_up(issued: Clone) -> None:
    issued.clock.forward(days=2, hours=12)
    issued.clock.forward(days=2)
    dead = {name: failing_after(issued.keys.named(name), 0) for name in ("root", "issuing")}
    assert issued.reconcile(opener=issued.keys.but(**dead)).exit_code == 4
    issued.clock.forward(days=-1)
    assert [text.split(",")[0] for text in verified(issued, issued.clock.now).ahead] == ["2 orders"]
    assert issued.reconcile(take_over=True).exit_code == 0
    assert verified(issued, issued.clock.now).ahead == []
