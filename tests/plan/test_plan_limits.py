"""Limits: a runaway is a finding and holds up the surplus alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ca_documents import POLICY, policy, request, revocation
from ca_world import Clone
from gitca.findings import Finding
from gitca.plan.model import IssueCertificate, Plan

API = "requests/payments/api.yaml"
NAME = "api.example.internal"


def limited(**limits: int) -> dict[str, str]:
    return {"policies/server.yaml": policy(limits=limits)}


def many(count: int, start: int = 0) -> dict[str, str]:
    return {
        f"requests/r{number:03}.yaml": request(f"k{number}", f"r{number}.example.internal")
        for number in range(start, start + count)
    }


def issued_names(plan: Plan) -> list[str]:
    return [action.request for action in plan.actions if isinstance(action, IssueCertificate)]


def about_limits(plan: Plan | Any) -> list[Finding]:
    return [finding for finding in plan.findings if finding.rule.startswith("limits.")]


@pytest.mark.parametrize("limit", ["livePerPolicy", "issuedPerDay"])
def test_one_plan_cannot_overrun_a_limit(made: Clone, limit: str) -> None:
    made.save(limited(**{limit: 3}))
    made.save(many(10))
    plan = made.plan()
    assert issued_names(plan) == ["r000", "r001", "r002"]
    (finding,) = about_limits(plan)
    assert (finding.rule, finding.policy) == (f"limits.{limit}", "server")
    assert finding.location.file == "policies/server.yaml"
    assert finding.is_error
    assert finding.message.endswith("held up: r003, r004, r005, r006, r007 and 2 more")


@pytest.mark.parametrize("limit", ["livePerPolicy", "issuedPerDay"])
def test_the_rounds_of_one_run_cannot_either(made: Clone, limit: str) -> None:
    made.save(limited(**{limit: 3}))
    made.save(many(6))
    report = made.reconcile()
    assert report.exit_code == 1
    assert sorted(made.state.requests) == ["r000", "r001", "r002"]
    assert made.reconcile().exit_code == 1
    assert len(made.state.requests) == 3


def test_below_its_limits_a_policy_says_nothing(made: Clone) -> None:
    made.save(limited(livePerPolicy=3, issuedPerDay=3, livePerRequest=2))
    made.save(many(3))
    assert made.reconcile().exit_code == 0
    assert about_limits(made.plan()) == []


def test_the_day_goes_by_and_the_rest_is_issued(made: Clone) -> None:
    made.save(limited(issuedPerDay=2))
    made.save(many(3))
    made.reconcile()
    made.clock.forward(hours=24)
    assert issued_names(made.plan(at=made.clock.now - timedelta(seconds=1))) == []
    assert issued_names(made.plan()) == ["r002"]


def test_what_expired_or_was_revoked_makes_room(made: Clone) -> None:
    made.save(limited(livePerPolicy=2))
    made.save(many(3))
    made.reconcile()
    late = made.plan(at=made.clock.now + timedelta(days=31))
    assert len(issued_names(late)) == 2
    made.save({"requests/gone.yaml": revocation("cessationOfOperation", certificate="r000")})
    assert issued_names(made.plan()) == []
    made.reconcile()
    assert "r002" in made.state.requests


def test_a_renewal_goes_before_what_is_new_and_needs_no_room_of_its_own(issued: Clone) -> None:
    issued.save(limited(livePerPolicy=1, issuedPerDay=1))
    issued.save(many(2))
    issued.clock.forward(days=25)
    plan = issued.plan()
    assert [(item.action, item.request) for item in plan.actions
            if isinstance(item, IssueCertificate)] == [("renew", "payments/api")]  # fmt: skip
    assert [finding.rule for finding in about_limits(plan)] == ["limits.livePerPolicy"]


def test_another_policys_certificates_do_not_count(made: Clone) -> None:
    made.save({**limited(livePerPolicy=1), "policies/other.yaml": policy()})
    made.save({"requests/a.yaml": request("a", NAME, policy="other")})
    made.save({"requests/b.yaml": request("b", NAME), "requests/c.yaml": request("c", NAME)})
    assert issued_names(made.plan()) == ["a", "b"]


def test_a_request_that_is_changed_again_and_again_is_held_up_at_its_document(
    made: Clone,
) -> None:
    validity = {"livePerRequest": 2}
    made.save(limited(**validity))
    for number in range(3):
        made.save({API: request("api", NAME, f"n{number}.example.internal")})
        report = made.reconcile()
    assert report.exit_code == 1
    (finding,) = about_limits(report)
    assert (finding.rule, finding.location.file) == ("limits.livePerRequest", API)
    assert finding.location.line > 1
    assert len(made.state.requests["payments/api"].orders) == 2


def test_an_order_that_awaits_its_signature_counts(made: Clone) -> None:
    made.save(limited(livePerPolicy=1, issuedPerDay=1))
    made.save(many(1))
    made.reconcile(selected=["root"])
    made.save(many(1, start=1))
    plan = made.plan()
    assert issued_names(plan) == []
    assert about_limits(plan)


def test_a_limit_is_no_reason_to_doubt_what_was_issued_before_it(made: Clone) -> None:
    made.save(many(3))
    made.reconcile()
    made.save(limited(livePerPolicy=1))
    assert made.verify().contradictions == []
    plan = made.plan()
    assert (plan.actions, about_limits(plan)) == ((), [])


def test_a_policy_without_limits_is_not_counted(made: Clone) -> None:
    assert "limits" not in POLICY
    made.save(many(5))
    assert len(issued_names(made.plan())) == 5
