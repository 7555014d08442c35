"""What revocations protect although a document is broken, moved, or written by the wrong folder."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ca_documents import key_identifier, policy, request, revocation
from ca_world import Clone, kinds
from gitca.findings import Severity
from gitca.plan.model import IssueCertificate, Plan, RevokeCertificate

API = "requests/payments/api.yaml"
STOP = "requests/stop.yaml"
NAME = "api.example.internal"
TYPO = "keyCompromize"


def rules(plan: Plan) -> list[tuple[str, str]]:
    return [(finding.rule, finding.location.file) for finding in plan.findings]


def issued_names(plan: Plan) -> list[str]:
    return [item.request for item in plan.actions if isinstance(item, IssueCertificate)]


def revoked_serials(plan: Plan) -> list[str | None]:
    return [item.serial for item in plan.actions if isinstance(item, RevokeCertificate)]


def due(clone: Clone) -> Plan:
    """Return the plan of the day on which every certificate is due for renewal."""
    return clone.plan(at=clone.clock.now + timedelta(days=28))


def targets(clone: Clone) -> dict[str, dict[str, str]]:
    number = clone.current("payments/api").certificate.serial
    return {
        "certificate": {"certificate": "payments/api"},
        "serial": {"serial": number, "ca": "issuing"},
        "serial alone": {"serial": number},
        "key": {"key": key_identifier("api")},
    }


@pytest.mark.parametrize("target", ["certificate", "serial", "serial alone", "key"])
def test_what_a_broken_revocation_names_is_neither_issued_nor_renewed_and_the_rest_is(
    issued: Clone, target: str
) -> None:
    issued.save({"requests/b.yaml": request("b", "b.example.internal")})
    assert issued.reconcile().exit_code == 0
    issued.save({STOP: revocation(TYPO, **targets(issued)[target])})
    plan = due(issued)
    assert issued_names(plan) == ["b"]
    assert ("revocation.broken", STOP) in rules(plan)
    assert all(found.severity is Severity.ERROR for found in plan.findings)


@pytest.mark.parametrize("target", ["certificate", "serial", "key"])
def test_nobody_gets_the_key_that_a_broken_revocation_names(issued: Clone, target: str) -> None:
    shared = {"algorithms": [{"type": "ecdsa", "curves": ["P-256"]}], "reuse": "allow"}
    issued.save({"policies/server.yaml": policy(key=shared)})
    assert issued.reconcile().exit_code == 0
    other = {"requests/b.yaml": request("api", "b.example.internal")}
    issued.save({STOP: revocation(TYPO, **targets(issued)[target]), **other})
    assert issued_names(issued.plan()) == []
    issued.save({STOP: None})
    assert issued_names(issued.plan()) == ["b"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (STOP, "kind: RevocationRequest\nspec: {certificate: payments/api, reason: x"),
        (STOP, "kind: RevokationRequest\nspec:\n\tcertificate: 'payments/api'\n"),
        (STOP, "kind: CertificateRequest\nspec:\n  certificate: payments/api\n  reason: y\n"),
        (STOP, "kind: RevocationRequest\ncertificate: requests/payments/api.yaml # leaked\n"),
        ("requests/stop.yml", revocation(certificate="payments/api")),
    ],
    ids=["syntax", "kind and tab", "another kind", "path", "extension"],
)
def test_a_revocation_however_broken_holds_up_what_can_be_read_in_it(
    issued: Clone, path: str, text: str
) -> None:
    issued.save({path: text})
    plan = due(issued)
    assert issued_names(plan) == []
    assert ("revocation.broken", path) in rules(plan)


@pytest.mark.parametrize(
    "text",
    [
        revocation(TYPO),
        revocation(TYPO, certifcate="payments/api"),
        "# kind: RevocationRequest, certificate: payments/api\n",
        request("api", NAME, nonsense=1),
    ],
    ids=["no target", "misspelt", "comment", "a request"],
)
def test_where_no_target_can_be_read_the_document_is_a_finding_and_nothing_more(
    issued: Clone, text: str
) -> None:
    issued.save({STOP: text})
    plan = due(issued)
    assert issued_names(plan) == ["payments/api"]
    assert {file for _, file in rules(plan)} == {STOP}
    assert "revocation.broken" not in dict(rules(plan))


def test_an_executed_revocation_that_was_broken_since_holds_up_nothing(issued: Clone) -> None:
    issued.save({STOP: revocation(certificate="payments/api"), API: request("api-2", NAME)})
    assert issued.reconcile().exit_code == 0
    issued.save({STOP: revocation(TYPO, certificate="payments/api")})
    assert issued_names(due(issued)) == ["payments/api"]


def test_a_broken_revocation_of_a_ca_holds_up_what_it_issues(issued: Clone) -> None:
    record = issued.state.authority("issuing").certificate
    assert record is not None
    text = revocation(TYPO, serial=record.certificate.serial, ca="root")
    issued.save({"requests/ca/issuing.yaml": text})
    assert issued_names(due(issued)) == []
    issued.save({"requests/ca/issuing.yaml": None, STOP: text})
    assert issued_names(due(issued)) == ["payments/api"]


def test_each_live_certificate_of_a_deleted_request_goes_by_its_own_policy(issued: Clone) -> None:
    issued.save({"policies/server.yaml": policy(onDelete="revoke"), "policies/keep.yaml": policy()})
    assert issued.reconcile().exit_code == 0
    first = issued.current("payments/api").certificate.serial
    issued.save({API: request("api", NAME, "more.example.internal", policy="keep")})
    assert issued.reconcile().exit_code == 0
    issued.save({API: None})
    plan = issued.plan()
    assert first in revoked_serials(plan)
    assert issued.current("payments/api").certificate.serial not in revoked_serials(plan)
    assert rules(plan) == [("request.deleted", API)]
    assert issued.reconcile().exit_code == 0
    assert first in issued.revoked()
    assert issued.plan().actions == ()


@pytest.mark.parametrize("text", [None, "kind: IssuancePolicy\n"], ids=["gone", "broken"])
def test_what_becomes_of_a_deleted_request_cannot_be_told_without_its_policy(
    issued: Clone, text: str | None
) -> None:
    issued.save({API: None, "policies/server.yaml": text})
    (finding,) = (found for found in issued.plan().findings if found.rule == "request.deleted")
    assert finding.severity is Severity.WARNING
    assert "its policy server is gone or broken, so whether to revoke cannot be told" in (
        finding.message
    )
    assert "onDelete: keep" not in finding.message


def test_a_revocation_in_place_of_a_request_does_not_hide_that_it_was_deleted(
    issued: Clone,
) -> None:
    issued.save({"requests/b.yaml": request("b", "b.example.internal")})
    assert issued.reconcile().exit_code == 0
    issued.save({API: revocation("superseded", certificate="b")})
    assert rules(issued.plan()) == [("request.deleted", API)]
    assert issued.reconcile().exit_code == 0
    plan = issued.plan()
    assert (plan.actions, rules(plan)) == ((), [("request.deleted", API)])


def test_a_revocation_in_place_of_a_request_revokes_what_its_policy_says(issued: Clone) -> None:
    issued.save({"policies/server.yaml": policy(onDelete="revoke")})
    issued.save({"requests/b.yaml": request("b", "b.example.internal")})
    assert issued.reconcile().exit_code == 0
    both = {issued.current(name).certificate.serial for name in ("b", "payments/api")}
    issued.save({API: revocation("superseded", certificate="b")})
    assert set(revoked_serials(issued.plan())) == both
    assert issued.reconcile().exit_code == 0
    assert set(issued.revoked()) == both
    assert issued.plan() == Plan((), ())
    assert issued.verify().contradictions == []


@pytest.mark.parametrize("by_key", [False, True])
def test_a_ca_is_revoked_below_requests_ca_alone(issued: Clone, by_key: bool) -> None:
    record = issued.state.authority("issuing").certificate
    assert record is not None
    spec = {"serial": record.certificate.serial, "ca": "root"}
    text = revocation("cACompromise", **({"key": record.certificate.key} if by_key else spec))
    issued.save({"requests/payments/stop.yaml": text, "requests/carl.yaml": text})
    plan = issued.plan()
    assert plan.actions == ()
    assert sorted(rules(plan)) == [
        ("revocation.authority", "requests/carl.yaml"),
        ("revocation.authority", "requests/payments/stop.yaml"),
    ]
    assert all("requests/ca/" in found.message for found in plan.findings)
    issued.save({"requests/ca/issuing.yaml": text})
    assert record.certificate.serial in revoked_serials(issued.plan())
    assert "revoke" in kinds(issued.plan().actions)
