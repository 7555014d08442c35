"""What a request's document leads to, over its life."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ca_documents import GOVERNING, POLICY, authority, policy, request
from ca_signers import Watched
from ca_world import NOW, Clone, KeyRing, kinds
from gitca.findings import Severity
from gitca.plan.model import IssueCertificate, Plan
from gitca.policy import evaluate, renewal

API = "requests/payments/api.yaml"
NAME = "api.example.internal"


def issues(plan: Plan) -> list[IssueCertificate]:
    return [action for action in plan.actions if isinstance(action, IssueCertificate)]


def rules(plan: Plan) -> list[tuple[str, str]]:
    return [(finding.rule, finding.location.file) for finding in plan.findings]


def test_a_new_request_is_issued(made: Clone) -> None:
    made.save({API: request("api", NAME)})
    (action,) = made.plan().actions
    assert isinstance(action, IssueCertificate)
    assert (action.action, action.ca, action.request) == ("issue", "issuing", "payments/api")
    assert action.reason == "the request has no certificate yet"
    documents = action.documents
    assert documents.request is not None
    assert documents.policy is not None
    assert (documents.request.path, documents.policy.path, documents.ca.path) == (
        API,
        "policies/server.yaml",
        "ca/issuing.yaml",
    )


@pytest.mark.parametrize(
    ("document", "action", "reason"),
    [
        (request("api", NAME, "api2.example.internal"), "issue", "names: + dns:api2.example"),
        (request("api", "api2.example.internal"), "issue", "subject: commonName=api.example"),
        (request("api-2", NAME), "rekey", "key: sha256:"),
        (
            request("api", NAME, extendedKeyUsage=["serverAuth", "clientAuth"]),
            "issue",
            "extended key usage: +",
        ),
    ],
    ids=["names", "subject", "key", "usages"],
)
def test_a_change_of_names_key_or_usages_issues_anew(
    issued: Clone, document: str, action: str, reason: str
) -> None:
    issued.save({API: document})
    plan = issued.plan()
    (planned,) = issues(plan)
    assert planned.action == action
    assert reason in planned.reason
    before = issued.current("payments/api")
    assert issued.reconcile().exit_code == 0
    after = issued.current("payments/api")
    assert after.certificate.serial != before.certificate.serial
    assert issued.plan().actions == ()
    assert issued.openssl_verify("payments/api") == "OK"


@pytest.mark.parametrize(
    "document",
    [
        request("api", NAME, validity="20d"),
        request("api", NAME) + "\n# a remark\n",
        request("api", NAME).replace("spec:", "metadata: {owner: payments}\nspec:"),
    ],
    ids=["validity", "comment", "owner"],
)
def test_a_change_that_the_certificate_does_not_show_issues_nothing(
    issued: Clone, document: str
) -> None:
    issued.save({API: document})
    assert issued.plan() == Plan((), ())


def test_a_changed_validity_holds_from_the_next_renewal_on(issued: Clone) -> None:
    issued.save({API: request("api", NAME, validity="20d")})
    issued.clock.forward(days=25)
    assert issued.reconcile().exit_code == 0
    given = issued.current("payments/api").certificate
    assert given.not_after - given.not_before == timedelta(days=20, seconds=-1)


def test_a_certificate_is_renewed_in_time_on_the_same_key(issued: Clone) -> None:
    before = issued.current("payments/api").certificate
    due = before.not_after - timedelta(days=10)
    assert issues(issued.plan(at=due - timedelta(seconds=1))) == []
    (action,) = issues(issued.plan(at=due))
    assert action.action == "renew"
    issued.clock.now = due
    assert issued.reconcile().exit_code == 0
    after = issued.current("payments/api").certificate
    assert after.key == before.key
    assert after.not_after == due - timedelta(minutes=5) + timedelta(days=30, seconds=-1)
    assert issued.plan().actions == ()
    assert issued.openssl_verify("payments/api") == "OK"
    assert issued.verify().contradictions == []


def test_a_policy_without_renewal_renews_nothing_and_says_so_when_it_has_expired(
    issued: Clone,
) -> None:
    issued.save({"policies/server.yaml": policy(renewal=None)})
    end = issued.current("payments/api").certificate.not_after
    assert rules(issued.plan(at=end - timedelta(days=1))) == []
    plan = issued.plan(at=end + timedelta(seconds=1))
    assert issues(plan) == []
    assert rules(plan) == [("renewal.automatic", API)]


def test_a_validity_that_renewal_would_eat_up_is_denied_before_it_is_issued(made: Clone) -> None:
    validity = {"default": "30d", "max": "90d", "backdate": "2h"}
    renewal = {"automatic": True, "before": "239h"}
    made.save({"policies/server.yaml": policy(validity=validity, renewal=renewal)})
    made.save({API: request("api", NAME, validity="240h")})
    report = made.reconcile()
    assert (report.signed, report.exit_code) == ([], 1)
    plan = made.plan()
    assert issues(plan) == []
    assert rules(plan) == [("renewal.before", API)]
    assert plan.findings[0].severity is Severity.ERROR
    assert (plan.findings[0].remedy or "").startswith("ask for a validity of 11d or more, or")
    made.save({API: request("api", NAME, validity="11d")})
    assert made.reconcile().exit_code == 0
    assert rules(made.plan()) == []


def test_a_certificate_whose_request_asks_for_too_short_a_next_one_stays_and_is_told_of(
    issued: Clone,
) -> None:
    before = issued.current("payments/api").certificate
    issued.save({API: request("api", NAME, validity="7d")})
    plan = issued.plan()
    assert (plan.actions, rules(plan)) == ((), [("renewal.before", API)])
    assert issued.reconcile().exit_code == 1
    assert issued.current("payments/api").certificate == before


def test_what_a_gitca_without_that_rule_issued_is_no_contradiction_and_renewed_once_it_may_be(
    made: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.save({API: request("api", NAME, validity="7d")})
    without = tuple(rule for rule in evaluate.RULES if rule is not renewal.check_before)
    monkeypatch.setattr(evaluate, "RULES", without)
    # From this signature on it is the gitca of today.
    issuing = Watched(made.keys.named("issuing"), lambda _: monkeypatch.undo())
    report = made.reconcile(opener=made.keys.but(issuing=issuing))
    assert (len(report.signed), report.exit_code) == (1, 1)
    assert made.verify().contradictions == []
    assert (made.plan().actions, rules(made.plan())) == ((), [("renewal.before", API)])
    share = {"automatic": True, "before": "1/3"}
    made.save({"policies/server.yaml": policy(renewal=share)})
    assert (made.reconcile().signed, made.plan().findings) == ([], ())
    made.clock.forward(days=5)
    assert made.reconcile().exit_code == 0
    assert len(made.state.requests["payments/api"].orders) == 2
    assert made.verify().contradictions == []


def test_an_order_of_a_gitca_without_that_rule_is_given_up_and_no_contradiction(
    made: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.save({API: request("api", NAME, validity="7d")})
    without = tuple(rule for rule in evaluate.RULES if rule is not renewal.check_before)
    with monkeypatch.context() as older:
        older.setattr(evaluate, "RULES", without)
        made.reconcile(opener=made.keys.but(issuing=None))
    assert len(made.state.pending) == 1
    assert made.verify().contradictions == []
    report = made.reconcile(take_over=True)
    assert (report.signed, report.exit_code) == ([], 1)
    assert made.state.pending == {}
    assert made.verify().contradictions == []


@pytest.mark.timeout(120)
def test_no_certificate_is_renewed_beyond_its_issuers_end(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    mortal = authority("issuing", "root", validity="45d", leafBeyondIssuer="truncate")
    lasting = policy(validity={**POLICY["validity"], "beyondIssuer": "truncate"})
    governing = {**GOVERNING, "ca/issuing.yaml": mortal, "policies/server.yaml": lasting}
    files = {**governing, API: request("api", NAME)}
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    for _ in range(16):
        clone.reconcile()
        assert issues(clone.plan()) == []
        clone.clock.forward(days=3)
    given = [order.certificate for order in clone.state.requests["payments/api"].orders]
    first, end = (NOW + timedelta(days=days, seconds=-1) for days in (30, 45))
    assert [order.not_after for order in given] == [first, end]
    assert ("renewal.issuer", API) in rules(clone.plan(at=end - timedelta(days=2)))
    assert clone.verify().contradictions == []


def test_a_deleted_request_is_kept_and_noted(issued: Clone) -> None:
    issued.save({API: None})
    plan = issued.plan()
    assert plan.actions == ()
    (finding,) = plan.findings
    assert (finding.rule, finding.severity) == ("request.deleted", Severity.NOTE)
    assert finding.location.file == API
    end = issued.current("payments/api").certificate.not_after
    assert rules(issued.plan(at=end + timedelta(seconds=1))) == []


def test_a_deleted_request_is_revoked_where_the_policy_says_so(issued: Clone) -> None:
    issued.save({"policies/server.yaml": policy(onDelete="revoke")})
    serial = issued.current("payments/api").certificate.serial
    issued.save({API: None})
    assert kinds(issued.plan().actions) == ["revoke", "sign-crl"]
    assert issued.reconcile().exit_code == 0
    entry = issued.revoked()[serial]
    assert entry.extensions[0].value.reason.name == "cessation_of_operation"
    assert issued.plan() == Plan((), ())
    assert issued.verify().contradictions == []


def test_a_request_that_moved_is_issued_at_its_new_place_and_the_old_one_is_noted(
    issued: Clone,
) -> None:
    issued.save({API: None, "requests/orders/api.yaml": request("api", NAME)})
    plan = issued.plan()
    assert [action.request for action in issues(plan)] == ["orders/api"]
    assert rules(plan) == [("request.deleted", API)]


def test_a_denied_request_is_findings_and_keeps_its_certificate(issued: Clone) -> None:
    before = issued.tip
    issued.save({API: request("api", NAME, "vault.example.internal")})
    plan = issued.plan()
    assert plan.actions == ()
    assert rules(plan) == [("sans.dns.deny", API)]
    assert issued.reconcile().exit_code == 1
    assert issued.read("issued/issuing/certificates/payments/api.pem") == issued.copy(
        issued.folder.parent / "before"
    ).read("issued/issuing/certificates/payments/api.pem")
    assert before != issued.tip


def test_a_policy_that_names_another_issuer_issues_from_it(issued: Clone) -> None:
    issued.save({"ca/other.yaml": authority("other", "root")})
    assert issued.reconcile().exit_code == 0
    issued.save({"policies/server.yaml": policy(issuer="other")})
    (action,) = issues(issued.plan())
    assert "issuer: issuing -> other" in action.reason
    assert issued.reconcile().exit_code == 0
    assert issued.openssl_verify("payments/api", "other") == "OK"
    assert "issued/issuing/certificates/payments/api.pem" not in issued.paths("issued")
    assert issued.verify().contradictions == []
