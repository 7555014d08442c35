"""Revocations: by name, serial number and key, of deleted requests, and those that cannot be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ca_documents import authority, key_identifier, policy, request, revocation
from ca_world import Clone, kinds
from gitca.findings import Severity
from gitca.plan.model import IssueCertificate, Plan, RevokeCertificate

API = "requests/payments/api.yaml"
STOP = "requests/stop.yaml"
NAME = "api.example.internal"
REASONS = {
    "unspecified": None,
    "keyCompromise": "key_compromise",
    "cACompromise": "ca_compromise",
    "affiliationChanged": "affiliation_changed",
    "superseded": "superseded",
    "cessationOfOperation": "cessation_of_operation",
    "certificateHold": "certificate_hold",
    "privilegeWithdrawn": "privilege_withdrawn",
    "aACompromise": "aa_compromise",
}


def rules(plan: Plan) -> list[tuple[str, str]]:
    return [(finding.rule, finding.location.file) for finding in plan.findings]


def revoked_serials(plan: Plan) -> set[str | None]:
    return {action.serial for action in plan.actions if isinstance(action, RevokeCertificate)}


def serial(clone: Clone, name: str = "payments/api") -> str:
    return clone.current(name).certificate.serial


def revoke(clone: Clone, reason: str = "superseded", **spec: object) -> None:
    """Revoke what the spec names, in a commit of its own, and reconcile."""
    clone.save({STOP: revocation(reason, **(spec or {"certificate": "payments/api"}))})
    assert clone.reconcile().exit_code == 0


def test_a_revocation_by_name_takes_every_unexpired_certificate_of_the_request(
    issued: Clone,
) -> None:
    first = serial(issued)
    issued.save({API: request("api-2", NAME)})
    issued.reconcile()
    issued.save({STOP: revocation(certificate="payments/api")})
    plan = issued.plan()
    assert kinds(plan.actions) == ["revoke", "revoke", "sign-crl"]
    assert revoked_serials(plan) == {first, serial(issued)}
    assert issued.reconcile().exit_code == 0
    assert set(issued.revoked()) == {first, serial(issued)}
    assert issued.openssl_verify("payments/api") == "certificate revoked"
    assert issued.plan() == Plan((), ())
    assert issued.verify().contradictions == []


def test_a_revocation_by_name_leaves_expired_certificates_alone(issued: Clone) -> None:
    first = serial(issued)
    issued.clock.forward(days=25)
    issued.reconcile()
    issued.clock.forward(days=10)
    issued.save({STOP: revocation(certificate="payments/api")})
    assert revoked_serials(issued.plan()) == {serial(issued)} != {first}


def test_a_revocation_by_serial_number_takes_that_certificate_alone(issued: Clone) -> None:
    first = serial(issued)
    issued.save({API: request("api-2", NAME)})
    issued.reconcile()
    revoke(issued, serial=first, ca="issuing")
    assert set(issued.revoked()) == {first}
    assert issued.openssl_verify("payments/api") == "OK"


def test_a_revocation_by_key_takes_every_certificate_on_it_and_refuses_the_key(
    issued: Clone,
) -> None:
    shared = {"algorithms": [{"type": "ecdsa", "curves": ["P-256"]}], "reuse": "allow"}
    issued.save({"policies/server.yaml": policy(key=shared)})
    issued.save({"requests/b.yaml": request("api", "b.example.internal")})
    issued.save({"requests/c.yaml": request("c", "c.example.internal")})
    issued.reconcile()
    both = {serial(issued), serial(issued, "b")}
    issued.save(
        {
            STOP: revocation("superseded", key=key_identifier("api")),
            "requests/d.yaml": request("api", "d.example.internal"),
        }
    )
    plan = issued.plan()
    assert revoked_serials(plan) == {None, *both}
    assert ("key.refused", "requests/d.yaml") in rules(plan)
    assert issued.reconcile().exit_code == 1
    assert set(issued.revoked()) == both
    assert "d" not in issued.state.requests
    issued.save({"requests/e.yaml": request("api", "e.example.internal")})
    assert ("key.refused", "requests/e.yaml") in rules(issued.plan())
    issued.save({"requests/d.yaml": None, "requests/e.yaml": None, STOP: None})
    issued.save({API: request("api", NAME, "more.example.internal")})
    assert ("key.refused", API) in rules(issued.plan()), "deleting the revocation undoes nothing"
    issued.save({API: request("api-2", NAME)})
    assert issued.reconcile().exit_code == 0
    assert issued.openssl_verify("payments/api") == "OK"


def test_a_key_that_nothing_was_issued_on_is_refused_from_then_on(made: Clone) -> None:
    made.save({STOP: revocation("keyCompromise", key=key_identifier("api"))})
    assert kinds(made.plan().actions) == ["revoke"]
    assert made.reconcile().exit_code == 0
    made.save({API: request("api", NAME)})
    assert rules(made.plan()) == [("key.refused", API)]


@pytest.mark.parametrize("reason", ["keyCompromise", "cACompromise"])
def test_a_compromised_key_is_refused_for_every_request(issued: Clone, reason: str) -> None:
    revoke(issued, reason)
    issued.save({"requests/b.yaml": request("api", "b.example.internal")})
    assert ("key.refused", "requests/b.yaml") in rules(issued.plan())


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_reaches_the_crl_as_rfc_5280_names_it(issued: Clone, reason: str) -> None:
    revoke(issued, reason)
    entry = issued.revoked()[serial(issued)]
    stated = [extension.value.reason.name for extension in entry.extensions]
    assert stated == [name for name in [REASONS[reason]] if name]
    assert entry.revocation_date_utc == issued.clock.now


def test_the_invalidity_date_reaches_the_crl(issued: Clone) -> None:
    revoke(issued, certificate="payments/api", invalidityDate="2026-11-20T00:00:00Z")
    dates = [
        extension.value.invalidity_date_utc
        for extension in issued.revoked()[serial(issued)].extensions
        if hasattr(extension.value, "invalidity_date_utc")
    ]
    assert dates == [datetime(2026, 11, 20, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ({"certificate": "payments/none"}, "revocation.unknown"),
        ({"serial": "abc", "ca": "issuing"}, "revocation.unknown"),
        ({"serial": "abc", "ca": "root"}, "revocation.unknown"),
    ],
)
def test_the_revocation_of_something_unknown_is_a_finding(
    issued: Clone, spec: dict[str, str], rule: str
) -> None:
    issued.save({STOP: revocation(**spec)})
    plan = issued.plan()
    assert plan.actions == ()
    assert rules(plan) == [(rule, STOP)]
    assert plan.findings[0].severity is Severity.ERROR
    assert plan.findings[0].location.line > 1
    assert issued.reconcile().exit_code == 1


def test_the_serial_number_of_another_ca_is_unknown(issued: Clone) -> None:
    issued.save({STOP: revocation(serial=serial(issued), ca="root")})
    assert rules(issued.plan()) == [("revocation.unknown", STOP)]


@pytest.mark.parametrize(
    ("by_serial", "rule"),
    [(True, "revocation.already-revoked"), (False, "revocation.nothing")],
)
def test_a_second_revocation_of_the_same_certificate_is_a_finding(
    issued: Clone, by_serial: bool, rule: str
) -> None:
    revoke(issued)
    spec = {"serial": serial(issued), "ca": "issuing"} if by_serial else {}
    again = revocation("unspecified", **(spec or {"certificate": "payments/api"}))
    issued.save({"requests/again.yaml": again})
    plan = issued.plan()
    assert plan.actions == ()
    assert rules(plan) == [(rule, "requests/again.yaml")]


def test_the_revocation_of_an_expired_certificate_is_a_finding(issued: Clone) -> None:
    number, end = serial(issued), issued.current("payments/api").certificate.not_after
    issued.save({"policies/server.yaml": policy(renewal=None)})
    issued.save({STOP: revocation("superseded", serial=number, ca="issuing")})
    assert revoked_serials(issued.plan(at=end)) == {number}
    late = issued.plan(at=end + timedelta(seconds=1))
    assert revoked_serials(late) == set()
    assert ("revocation.expired", STOP) in rules(late)
    issued.save({STOP: revocation("superseded", certificate="payments/api")})
    assert ("revocation.nothing", STOP) in rules(issued.plan(at=end + timedelta(seconds=1)))


def test_two_documents_that_revoke_the_same_certificate_revoke_it_once(issued: Clone) -> None:
    issued.save(
        {
            STOP: revocation("superseded", certificate="payments/api"),
            "requests/also.yaml": revocation(serial=serial(issued), ca="issuing"),
        }
    )
    assert kinds(issued.plan().actions) == ["revoke", "sign-crl"]
    issued.reconcile()
    assert set(issued.revoked()) == {serial(issued)}
    assert issued.verify().contradictions == []


def test_a_request_and_its_revocation_in_one_commit_issue_nothing(made: Clone) -> None:
    made.save({API: request("api", NAME), STOP: revocation(certificate="payments/api")})
    plan = made.plan()
    assert plan.actions == ()
    assert rules(plan) == [("revocation.unknown", STOP)]
    assert made.reconcile().exit_code == 1
    assert "payments/api" not in made.state.requests


def test_a_new_key_and_the_revocation_of_the_old_in_one_commit_revoke_and_rekey(
    issued: Clone,
) -> None:
    old = serial(issued)
    issued.save({API: request("api-2", NAME), STOP: revocation(certificate="payments/api")})
    assert kinds(issued.plan().actions) == ["revoke", "sign-crl", "rekey"]
    assert issued.reconcile().exit_code == 0
    assert set(issued.revoked()) == {old}
    assert issued.openssl_verify("payments/api") == "OK"
    assert issued.plan() == Plan((), ())


@pytest.mark.parametrize(
    "change",
    [
        {},
        {API: request("api", NAME) + "\n# a remark\n"},
        {API: request("api", NAME, validity="20d")},
        {"policies/server.yaml": policy(validity={"default": "40d", "max": "90d"})},
        {STOP: None},
    ],
    ids=["nothing", "comment", "validity", "policy", "revocation deleted"],
)
def test_a_revoked_request_stays_revoked(issued: Clone, change: dict[str, str | None]) -> None:
    revoke(issued)
    if change:
        issued.save(change)
    for days in (0, 25, 40):
        plan = issued.plan(at=issued.clock.now + timedelta(days=days))
        assert not any(isinstance(action, IssueCertificate) for action in plan.actions), days


@pytest.mark.parametrize(
    "document",
    [request("api-2", NAME), request("api", NAME, "b.example.internal")],
    ids=["key", "names"],
)
def test_a_revoked_request_is_issued_again_when_its_key_or_names_change(
    issued: Clone, document: str
) -> None:
    revoke(issued)
    issued.save({API: document})
    assert len([item for item in issued.plan().actions if isinstance(item, IssueCertificate)]) == 1
    assert issued.reconcile().exit_code == 0
    assert issued.openssl_verify("payments/api") == "OK"


def test_a_revocation_is_executed_once_by_its_path(issued: Clone) -> None:
    revoke(issued)
    issued.save({API: request("api-2", NAME)})
    assert issued.reconcile().exit_code == 0
    assert issued.plan() == Plan((), ())
    assert issued.openssl_verify("payments/api") == "OK"


def test_a_request_that_was_deleted_revoked_and_is_back_is_read_again(issued: Clone) -> None:
    """The revocation by onDelete is recorded under the request's own path and text."""
    issued.save({"policies/server.yaml": policy(onDelete={"action": "revoke"})})
    assert issued.reconcile().exit_code == 0
    issued.save({API: None})
    assert issued.reconcile().exit_code == 0
    assert len(issued.revoked()) == 1
    issued.save({API: request("api", NAME, "b.example.internal")})
    assert issued.reconcile().exit_code == 0
    issued.save({API: request("api", NAME)})
    assert kinds(issued.plan().actions) == ["issue"]
    assert issued.reconcile().exit_code == 0
    assert issued.openssl_verify("payments/api") == "OK"
    assert issued.plan() == Plan((), ())


def test_a_remark_added_to_an_executed_revocation_changes_nothing(issued: Clone) -> None:
    revoke(issued)
    issued.save({STOP: revocation("superseded", certificate="payments/api") + "# done\n"})
    assert issued.plan() == Plan((), ())


@pytest.mark.parametrize("target", ["reason", "certificate", "serial", "key", "own key"])
def test_an_executed_revocation_that_says_something_else_by_now_is_a_finding(
    issued: Clone, target: str
) -> None:
    issued.save({"requests/b.yaml": request("b", "b.example.internal")})
    assert issued.reconcile().exit_code == 0
    revoke(issued)
    spec: dict[str, dict[str, object]] = {
        "reason": {"reason": "keyCompromise", "certificate": "payments/api"},
        "certificate": {"reason": "superseded", "certificate": "b"},
        "serial": {"reason": "superseded", "serial": serial(issued, "b"), "ca": "issuing"},
        "key": {"reason": "superseded", "key": key_identifier("b")},
        "own key": {"reason": "superseded", "key": key_identifier("api")},
    }
    issued.save({STOP: revocation(**spec[target])})
    plan = issued.plan()
    assert plan.actions == ()
    assert rules(plan) == [("revocation.executed", STOP)]
    assert plan.findings[0].severity is Severity.ERROR
    assert issued.reconcile().exit_code == 1


def test_a_remark_added_to_an_executed_revocation_of_a_key_changes_nothing(issued: Clone) -> None:
    text = revocation("superseded", key=key_identifier("api"))
    issued.save({STOP: text, API: request("api-2", NAME)})
    assert issued.reconcile().exit_code == 0
    issued.save({STOP: text + "# done\n"})
    assert issued.plan() == Plan((), ())


def test_the_same_revocation_said_by_serial_number_instead_is_no_finding(issued: Clone) -> None:
    revoke(issued)
    issued.save({STOP: revocation("superseded", serial=serial(issued), ca="issuing")})
    assert issued.plan() == Plan((), ())


def test_a_ca_is_revoked_by_serial_number_and_issues_nothing_more(issued: Clone) -> None:
    issuing = issued.state.authority("issuing").certificate
    assert issuing is not None
    number = issuing.certificate.serial
    text = revocation("cACompromise", serial=number, ca="root")
    issued.save({"requests/ca/issuing.yaml": text})
    assert issued.reconcile().exit_code == 0
    assert set(issued.revoked("root")) == {number}
    issued.save({"requests/b.yaml": request("b", "b.example.internal")})
    issued.save({API: request("api", NAME, "more.example.internal")})
    issued.clock.forward(days=5)
    plan = issued.plan()
    assert kinds(plan.actions) == ["sign-crl", "sign-crl"]
    assert ("authority.revoked", "ca/issuing.yaml") in rules(plan)
    assert issued.verify().contradictions == []


def test_a_ca_below_a_revoked_one_issues_nothing_either(issued: Clone) -> None:
    issued.save(
        {
            "ca/root.yaml": authority("root", pathLength=1),
            "ca/other.yaml": authority("other", "issuing"),
        }
    )
    assert rules(issued.plan())[0] == ("authority.pathLength", "ca/other.yaml")


def test_an_expired_revocation_leaves_the_crl_after_one_more(issued: Clone) -> None:
    revoke(issued)
    number, end = serial(issued), issued.current("payments/api").certificate.not_after
    while issued.clock.now <= end:
        assert set(issued.revoked()) == {number}
        issued.clock.forward(days=5)
        issued.reconcile()
    assert issued.crl().last_update_utc > end
    assert set(issued.revoked()) == {number}, "listed once more, after its end"
    issued.clock.forward(days=5)
    issued.reconcile()
    assert set(issued.revoked()) == set()
    assert issued.verify().contradictions == []
