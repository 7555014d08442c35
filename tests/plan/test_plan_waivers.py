"""A certificate under a waiver, from the plan to the proof, and after the waiver's end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ca_documents import POLICY, document, policy, request
from ca_world import Clone, git
from gitca.findings import Severity
from gitca.plan.change import governed_by
from gitca.plan.desired import read_desired
from gitca.plan.make import make_plan
from gitca.plan.model import IssueCertificate, Plan
from gitca.plan.render_json import plan_record
from gitca.plan.render_text import render_text

API = "requests/payments/api.yaml"
WAIVER = "policies/waivers/api.yaml"
NAME = "api.example.internal"
END = datetime(2027, 1, 1, tzinfo=UTC)
LONG = request("api", NAME, validity="200d")


def waiver(rule: str = "validity.max", until: str = "2027-01-01T00:00:00Z", **spec: object) -> str:
    given = {"request": "payments/api", "rule": rule, "until": until, "reason": "INC-42"}
    return document("Waiver", given | spec)


def found(plan: Plan) -> list[tuple[str, str]]:
    return [(finding.rule, finding.severity.value) for finding in plan.findings]


@pytest.fixture
def waived(made: Clone) -> Clone:
    """A repository with a request that breaks validity.max under a waiver; nothing is issued."""
    made.save({WAIVER: waiver()})
    made.save({API: LONG})
    return made


def test_what_is_waived_is_issued_and_ends_before_the_waiver_does(waived: Clone) -> None:
    (action,) = waived.plan().actions
    assert isinstance(action, IssueCertificate)
    assert (action.waivers, action.ends_by) == ((WAIVER,), END)
    report = waived.reconcile()
    assert report.exit_code == 0
    assert waived.current("payments/api").certificate.not_after == END - timedelta(seconds=1)
    assert waived.openssl_verify("payments/api") == "OK"


def test_without_the_waiver_it_is_denied(made: Clone) -> None:
    made.save({API: LONG})
    plan = made.plan()
    assert (plan.actions, found(plan)) == ((), [("validity.max", "error")])


def test_every_plan_shows_the_waiver_also_when_there_is_nothing_to_do(waived: Clone) -> None:
    waived.reconcile()
    waived.clock.forward(days=1)
    plan = waived.plan()
    assert (plan.actions, found(plan)) == ((), [("validity.max", "warning")])
    assert f"WAIVED by {WAIVER} until 2027-01-01T00:00:00Z" in plan.findings[0].message


def test_the_plans_renderings_name_the_waiver(waived: Clone) -> None:
    plan = waived.plan()
    assert f"WAIVED by {WAIVER}: ends before 2027-01-01T00:00:00Z" in render_text(plan)
    (action,) = plan_record(plan)["actions"]
    assert action["waivers"] == [WAIVER]


def test_the_digest_says_the_end_that_the_waiver_sets(waived: Clone) -> None:
    before = waived.plan().digest
    assert waived.plan(at=waived.clock.now + timedelta(hours=5)).digest == before
    waived.save({WAIVER: waiver(until="2027-01-02T00:00:00Z")})
    assert waived.plan().digest != before


def test_what_was_issued_under_a_waiver_is_proved_by_it_also_after_its_end(waived: Clone) -> None:
    waived.reconcile()
    waived.clock.now = END + timedelta(days=3)
    waived.save({WAIVER: None})
    assert waived.verify().contradictions == []


def test_an_order_under_a_waiver_that_ended_meanwhile_is_taken_up(waived: Clone) -> None:
    waived.save({WAIVER: waiver(until="2026-11-25T00:00:00Z")})
    waived.reconcile(selected=["root"])
    assert waived.state.pending
    waived.clock.forward(minutes=30)
    report = waived.reconcile()
    assert [order.ca for order in report.resumed] == ["issuing"]


def test_a_request_whose_waiver_ended_is_denied_and_the_waiver_told(waived: Clone) -> None:
    waived.reconcile()
    plan = waived.plan(at=END)
    assert not any(isinstance(action, IssueCertificate) for action in plan.actions)
    assert set(found(plan)) == {("waiver.ended", "warning"), ("validity.max", "error")}


def test_towards_its_end_a_certificate_is_not_renewed_for_ever(waived: Clone) -> None:
    waived.reconcile()
    waived.clock.now = END - timedelta(days=2)
    waived.reconcile()
    plan = waived.plan()
    assert plan.actions == ()
    assert ("renewal.waiver", "warning") in found(plan)
    assert len(waived.state.requests["payments/api"].orders) == 1


def test_a_longer_waiver_lets_the_renewal_go_on(waived: Clone) -> None:
    waived.reconcile()
    waived.save({WAIVER: waiver(until="2027-06-01T00:00:00Z")})
    waived.clock.now = END - timedelta(days=2)
    assert [action.action for action in waived.plan().actions if action.ca == "issuing"][-1] == (
        "renew"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({API: request("api", NAME)}, "does not break validity.max"),
        ({API: None}, "there is no request payments/api"),
    ],
)
def test_a_waiver_that_nothing_needs_is_told(
    waived: Clone, changes: dict[str, str | None], message: str
) -> None:
    waived.save(changes)
    (finding,) = (item for item in waived.plan().findings if item.rule == "waiver.unused")
    assert finding.severity is Severity.WARNING
    assert finding.location.file == WAIVER
    assert message in finding.message


@pytest.mark.parametrize(
    "text",
    [waiver("csr.subject"), "not: yaml: at all", waiver(until="tomorrow"), policy()],
    ids=["never", "yaml", "date", "kind"],
)
def test_a_broken_waiver_is_a_finding_and_waives_nothing(made: Clone, text: str) -> None:
    made.save({WAIVER: text, "policies/server.yaml": policy(validity=POLICY["validity"])})
    made.save({API: LONG, "requests/b.yaml": request("b", NAME)})
    plan = made.plan()
    assert [action.request for action in plan.actions if isinstance(action, IssueCertificate)] == [
        "b"
    ]
    assert {finding.location.file for finding in plan.findings if finding.is_error} == {API, WAIVER}


def test_a_waiver_elsewhere_than_in_its_folder_is_no_waiver(made: Clone) -> None:
    made.save({"policies/api.yaml": waiver()})
    made.save({API: LONG})
    plan = made.plan()
    assert plan.actions == ()
    assert {item.location.file for item in plan.findings} == {API, "policies/api.yaml"}


def test_a_pull_request_cannot_bring_its_own_waiver(made: Clone) -> None:
    base = made.tip
    git(made.folder, "checkout", "-q", "-b", "topic")
    made.save({WAIVER: waiver(), API: LONG})
    with made.store() as store:
        head = git(made.folder, "rev-parse", "HEAD")
        snapshot = store.at(base, base)
        entries = governed_by(snapshot.entries, store.at(head, base).entries)
        desired = read_desired(
            entries,
            store.read,
            snapshot.state,
            made.clock.now,
            read_requesters=store.requesters(head),
        )
        plan = make_plan(desired, snapshot.state, made.clock.now)
    assert (plan.actions, found(plan)) == ((), [("validity.max", "error")])


def test_a_waiver_waives_for_its_request_alone(waived: Clone, tmp_path: Path) -> None:
    waived.save({"requests/payments/api2.yaml": request("b", NAME, validity="200d")})
    plan = waived.plan()
    assert [item.location.file for item in plan.findings if item.is_error] == [
        "requests/payments/api2.yaml"
    ]
