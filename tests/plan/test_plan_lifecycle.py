"""Renewal by fraction and on new keys, and what becomes of replaced and deleted certificates."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ca_documents import policy, request, revocation
from ca_world import Clone, kinds
from gitca.plan.model import IssueCertificate, Plan, RevokeCertificate

API = "requests/payments/api.yaml"
NAME = "api.example.internal"


def found(plan: Plan) -> list[tuple[str, str]]:
    return [(finding.rule, finding.severity.value) for finding in plan.findings]


def saved(made: Clone, **spec: object) -> Clone:
    """Issue the request under the policy with these changes."""
    made.save({"policies/server.yaml": policy(**spec)})
    made.save({API: request("api", NAME)})
    assert made.reconcile().exit_code == 0
    return made


@pytest.mark.parametrize(("before", "share"), [("1/3", 3), ("1/2", 2), ("2/30", 15)])
def test_a_fraction_is_one_of_the_certificates_own_validity(
    made: Clone, before: str, share: int
) -> None:
    clone = saved(made, renewal={"automatic": True, "before": before})
    given = clone.current("payments/api").certificate
    validity = given.not_after - given.not_before + timedelta(seconds=1)
    due = given.not_after - validity / share
    assert not issues(clone.plan(at=due - timedelta(seconds=1)))
    (action,) = issues(clone.plan(at=due))
    assert action.action == "renew"


def test_a_request_for_less_is_renewed_later(made: Clone) -> None:
    made.save({"policies/server.yaml": policy(renewal={"automatic": True, "before": "1/2"})})
    made.save({API: request("api", NAME, validity="10d")})
    made.reconcile()
    end = made.current("payments/api").certificate.not_after
    assert not issues(made.plan(at=end - timedelta(days=6)))
    assert issues(made.plan(at=end - timedelta(days=5)))


def issues(plan: Plan) -> list[IssueCertificate]:
    return [action for action in plan.actions if isinstance(action, IssueCertificate)]


def test_a_policy_that_renews_on_new_keys_warns_in_time_and_renews_nothing(made: Clone) -> None:
    clone = saved(made, renewal={"key": "new", "before": "10d"})
    end = clone.current("payments/api").certificate.not_after
    assert found(clone.plan(at=end - timedelta(days=11))) == []
    plan = clone.plan(at=end - timedelta(days=10))
    assert not issues(plan)
    assert found(plan) == [("renewal.key", "warning")]
    assert f"expires on {end:%Y-%m-%d}, and the policy renews on a new key alone" in (
        plan.findings[0].message
    )
    clone.save({API: request("api-2", NAME)})
    (action,) = issues(clone.plan(at=end - timedelta(days=10)))
    assert action.action == "rekey"


def test_a_policy_that_renews_nothing_by_itself_can_warn_in_time(made: Clone) -> None:
    clone = saved(made, renewal={"before": "1/3"})
    end = clone.current("payments/api").certificate.not_after
    assert found(clone.plan(at=end - timedelta(days=11))) == []
    assert found(clone.plan(at=end - timedelta(days=9))) == [("renewal.automatic", "warning")]


@pytest.mark.parametrize(
    ("on_replace", "reason"),
    [
        ("revoke", "superseded"),
        ({"action": "revoke"}, "superseded"),
        ({"action": "revoke", "reason": "affiliationChanged"}, "affiliationChanged"),
    ],
)
def test_a_replaced_certificate_is_revoked_once_the_new_one_was_signed(
    made: Clone, on_replace: object, reason: str
) -> None:
    clone = saved(made, onReplace=on_replace)
    old = clone.current("payments/api")
    clone.save({API: request("api", NAME, "api2.example.internal")})
    assert kinds(clone.plan().actions) == ["issue"]
    clone.reconcile(selected=["root"])
    assert kinds(clone.plan().actions) == []
    report = clone.reconcile(take_over=True)
    assert report.exit_code == 0
    assert [event.reason for event in report.revoked] == [reason]
    assert old.certificate.serial in clone.revoked()
    assert clone.plan() == Plan((), ())
    assert clone.verify().contradictions == []
    assert clone.openssl_verify("payments/api") == "OK"


def test_a_renewed_certificate_is_replaced_too_and_renewal_goes_on(made: Clone) -> None:
    clone = saved(made, onReplace="revoke")
    for _ in range(3):
        clone.clock.forward(days=21)
        assert clone.reconcile().exit_code == 0
    orders = clone.state.requests["payments/api"].orders
    assert [clone.state.is_revoked(order) for order in orders] == [True, True, True, False]


@pytest.mark.parametrize(
    "on_replace", ["keep", {"action": "keep"}, {"action": "keep", "reason": "superseded"}]
)
def test_without_it_a_replaced_certificate_stays(made: Clone, on_replace: object) -> None:
    clone = saved(made, onReplace=on_replace)
    clone.save({API: request("api", NAME, "api2.example.internal")})
    assert clone.reconcile().exit_code == 0
    assert clone.revoked() == {}


def test_the_policy_that_the_new_certificate_is_under_decides(made: Clone) -> None:
    clone = saved(made, onReplace="revoke")
    clone.save({"policies/other.yaml": policy()})
    clone.save({API: request("api", NAME, "api2.example.internal", policy="other")})
    clone.reconcile()
    assert clone.revoked() == {}


def test_a_person_who_revokes_says_why_before_the_policy_does(made: Clone) -> None:
    clone = saved(made, onReplace="revoke")
    old = clone.current("payments/api").certificate.serial
    clone.save({API: request("api-2", NAME)})
    clone.save({"requests/stop.yaml": revocation(ca="issuing", serial=old)})
    clone.reconcile()
    assert [event.reason for event in clone.state.executed["requests/stop.yaml"]] == [
        "keyCompromise"
    ]
    assert clone.reconcile().exit_code == 0


@pytest.mark.parametrize(
    ("on_delete", "reason"),
    [
        ("revoke", "cessationOfOperation"),
        ({"action": "revoke", "reason": "privilegeWithdrawn"}, "privilegeWithdrawn"),
    ],
)
def test_a_deleted_request_is_revoked_for_the_policys_reason(
    made: Clone, on_delete: object, reason: str
) -> None:
    clone = saved(made, onDelete=on_delete)
    clone.save({API: None})
    (action,) = (item for item in clone.plan().actions if isinstance(item, RevokeCertificate))
    assert action.revocation_reason == reason
