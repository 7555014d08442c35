"""A compromise that comes after a certificate was revoked or has expired: its key is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ca_documents import key_identifier, policy, request, revocation
from ca_fixtures import both_layouts
from ca_world import Clone, kinds
from gitca.findings import Severity
from gitca.plan.model import IssueCertificate, Plan

API = "requests/payments/api.yaml"
STOLEN = "requests/stolen.yaml"
STOP = "requests/stop.yaml"
NAME = "api.example.internal"


def rules(plan: Plan) -> list[tuple[str, str]]:
    return [(finding.rule, finding.location.file) for finding in plan.findings]


def stolen(clone: Clone, way: str, reason: str = "keyCompromise") -> str:
    serial = clone.current("payments/api").certificate.serial
    named = {"serial": {"serial": serial, "ca": "issuing"}, "name": {"certificate": "payments/api"}}
    return revocation(reason, **named[way])


def die(clone: Clone, how: str) -> None:
    """Have the certificate of payments/api revoked for a mild reason, or let it expire."""
    if how == "revoked":
        clone.save({STOP: revocation("superseded", certificate="payments/api")})
    else:
        clone.save({"policies/server.yaml": policy(renewal=None)})
        clone.clock.forward(days=31)
    assert clone.reconcile().exit_code in (0, 1)
    clone.clock.forward(minutes=1)


@both_layouts
@pytest.mark.parametrize("how", ["revoked", "expired"])
@pytest.mark.parametrize("way", ["serial", "name"])
@pytest.mark.parametrize("reason", ["keyCompromise", "cACompromise"])
def test_a_compromise_that_comes_later_refuses_the_key(
    issued: Clone, how: str, way: str, reason: str
) -> None:
    die(issued, how)
    issued.save({STOLEN: stolen(issued, way, reason)})
    plan = issued.plan()
    (refusal,) = plan.actions[:1]
    assert (refusal.action, refusal.key) == ("revoke", key_identifier("api"))
    assert not [found for found in plan.findings if found.location.file == STOLEN]
    issued.reconcile()
    assert key_identifier("api") in issued.state.refused_keys
    issued.save({API: request("api", "api2.example.internal")})
    plan = issued.plan()
    assert rules(plan) == [("key.refused", API)]
    assert not any(isinstance(action, IssueCertificate) for action in plan.actions)
    assert issued.verify().contradictions == []


@pytest.mark.parametrize("way", ["serial", "name"])
def test_what_it_refused_is_not_asked_for_again_nor_a_change_of_the_document(
    issued: Clone, way: str
) -> None:
    die(issued, "revoked")
    text = stolen(issued, way)
    issued.save({STOLEN: text})
    assert issued.reconcile().exit_code == 0
    issued.save({API: request("api-2", NAME)})
    assert issued.reconcile().exit_code == 0
    issued.save({STOLEN: text + "# done\n"})
    assert issued.plan() == Plan((), ())
    issued.save({STOLEN: revocation("keyCompromise", certificate="another")})
    assert rules(issued.plan()) == [("revocation.executed", STOLEN)]
    issued.save({STOLEN: None, "requests/again.yaml": stolen(issued, way)})
    issued.save({"requests/again.yaml": revocation("keyCompromise", key=key_identifier("api"))})
    assert issued.plan() == Plan((), ())


def test_a_document_that_refused_a_key_does_not_come_to_name_a_request_in_silence(
    issued: Clone,
) -> None:
    """It would leave a person believing that the request's live certificate was revoked."""
    issued.save({API: request("api-2", NAME)})
    assert issued.reconcile().exit_code == 0
    first = next(iter(issued.state.requests["payments/api"].orders)).certificate
    issued.save({STOP: revocation("superseded", serial=first.serial, ca="issuing")})
    assert issued.reconcile().exit_code == 0
    issued.save({STOLEN: revocation("keyCompromise", serial=first.serial, ca="issuing")})
    assert issued.reconcile().exit_code == 0
    issued.save({STOLEN: revocation("keyCompromise", certificate="payments/api")})
    assert rules(issued.plan()) == [("revocation.executed", STOLEN)]


@pytest.mark.parametrize("way", ["serial", "name"])
def test_a_key_that_is_refused_already_leaves_nothing_to_do(issued: Clone, way: str) -> None:
    issued.save({STOP: revocation("keyCompromise", certificate="payments/api")})
    assert issued.reconcile().exit_code == 0
    issued.save({STOLEN: stolen(issued, way)})
    plan = issued.plan()
    rule = {"serial": "revocation.already-revoked", "name": "revocation.nothing"}[way]
    assert (plan.actions, rules(plan)) == ((), [(rule, STOLEN)])


@pytest.mark.parametrize("first", ["superseded", "keyCompromise"])
def test_of_two_documents_in_one_commit_the_compromise_counts(issued: Clone, first: str) -> None:
    reasons = {"superseded", "keyCompromise"}
    issued.save(
        {
            "requests/a.yaml": revocation(first, certificate="payments/api"),
            "requests/b.yaml": revocation(*(reasons - {first}), certificate="payments/api"),
        }
    )
    plan = issued.plan()
    assert kinds(plan.actions) == ["revoke", "sign-crl"]
    issued.reconcile()
    (revoked,) = issued.state.revoked.values()
    assert revoked.reason == "keyCompromise"
    assert key_identifier("api") in issued.state.refused_keys
    assert issued.verify().contradictions == []


@pytest.mark.parametrize("how", ["revoked", "expired"])
@pytest.mark.parametrize("way", ["serial", "name"])
def test_a_broken_document_that_names_a_dead_certificate_holds_its_key(
    issued: Clone, how: str, way: str
) -> None:
    """It may be meant to say keyCompromise."""
    die(issued, how)
    issued.save(
        {
            STOLEN: stolen(issued, way, "keyCompromize"),
            "requests/b.yaml": request("api", "b.example.internal"),
            API: request("c", NAME),
        }
    )
    plan = issued.plan()
    names = [action.request for action in plan.actions if isinstance(action, IssueCertificate)]
    assert names == (["payments/api"] if way == "serial" else [])
    assert any(found.severity is Severity.ERROR for found in plan.findings)


def test_the_names_of_dead_certificates_hold_no_other_key(issued: Clone) -> None:
    issued.save({API: request("api-2", NAME)})
    assert issued.reconcile().exit_code == 0
    first = next(iter(issued.state.requests["payments/api"].orders)).certificate
    assert first.key == key_identifier("api")
    issued.save({STOP: revocation("superseded", serial=first.serial, ca="issuing")})
    assert issued.reconcile().exit_code == 0
    issued.save({STOLEN: revocation("keyCompromise", serial=first.serial, ca="issuing")})
    assert issued.reconcile().exit_code == 0
    assert set(issued.state.refused_keys) == {first.key}
    later = issued.plan(at=issued.clock.now + timedelta(days=28))
    assert "renew" in kinds(later.actions)
