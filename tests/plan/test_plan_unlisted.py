"""Revocations that are on no CRL, because the CA that would sign it has no sound document."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ca_documents import authority, policy, request, revocation
from ca_signers import failing_after
from ca_world import Clone, kinds
from gitca.findings import Finding, Severity

STOP = {"requests/payments/stop.yaml": revocation("superseded", certificate="payments/api")}


def unlisted(clone: Clone, **options: object) -> list[Finding]:
    return [item for item in clone.plan(**options).findings if item.rule == "crl.unlisted"]


@pytest.fixture
def closed(issued: Clone) -> Clone:
    """`issuing` is retired, has signed its last CRL, and its document was deleted."""
    issued.save({"ca/issuing.yaml": authority("issuing", "root", state="retired")})
    assert issued.reconcile().exit_code == 0
    issued.clock.forward(hours=1)
    issued.save({"ca/issuing.yaml": None, "policies/server.yaml": policy(issuer="root")})
    assert unlisted(issued) == []
    return issued


def test_a_revocation_of_what_a_ca_without_a_document_issued_is_an_error(closed: Clone) -> None:
    serial = closed.current("payments/api").certificate.serial
    closed.save({**STOP, "requests/payments/api.yaml": None})
    (finding,) = unlisted(closed)
    assert finding.severity is Severity.ERROR
    assert f"what CA issuing issued with serial number {serial} is revoked and on no CRL" in (
        finding.message
    )
    assert finding.message.endswith("the CA signs none, for its document is gone")
    assert finding.remedy.startswith("restore ca/issuing.yaml; with state: crl-only or retired")
    assert str(finding.location) == "ca/issuing.yaml:1:1"
    report = closed.reconcile()
    assert (report.exit_code, len(report.revoked)) == (1, 1)
    assert unlisted(closed) == [finding]
    closed.save({"ca/issuing.yaml": authority("issuing", "root", state="retired")})
    assert unlisted(closed) == []
    assert closed.reconcile().exit_code == 0
    assert list(closed.revoked()) == [serial]
    closed.save({"ca/issuing.yaml": None})
    assert unlisted(closed) == []


def test_it_is_told_until_the_certificate_or_the_ca_has_ended(closed: Clone) -> None:
    last = closed.current("payments/api").certificate.not_after
    closed.save(STOP)
    closed.reconcile()
    assert unlisted(closed, at=last) != []
    assert unlisted(closed, at=last + timedelta(seconds=1)) == []


def test_more_than_three_serial_numbers_are_counted(issued: Clone) -> None:
    names = ["b", "c", "d", "e"]
    for name in names:
        text = request(name, f"{name}.example.internal")
        issued.save({f"requests/{name}.yaml": text})
    assert issued.reconcile().exit_code == 0
    stops = {f"requests/stop-{name}.yaml": revocation("superseded", certificate=name)
             for name in names}  # fmt: skip
    issued.save({"ca/issuing.yaml": None, "policies/server.yaml": policy(issuer="root"), **stops})
    (finding,) = unlisted(issued)
    assert " and 1 more is revoked" in finding.message


@pytest.mark.parametrize("name", ["issuing", "root"])
def test_a_document_that_is_broken_is_the_reason(issued: Clone, name: str) -> None:
    issued.save({**STOP, f"ca/{name}.yaml": "kind: CertificateAuthority\n"})
    (finding,) = unlisted(issued)
    assert finding.message.endswith("for its document, or one that this stands on, is broken")
    assert finding.remedy.startswith("mend what was found in ca/issuing.yaml")


def test_what_the_next_crl_will_list_is_no_finding(issued: Clone) -> None:
    issued.save(STOP)
    assert kinds(issued.plan().actions) == ["revoke", "sign-crl"]
    assert unlisted(issued) == []
    dead = failing_after(issued.keys.named("issuing"), 0)
    issued.reconcile(opener=issued.keys.but(issuing=dead))
    assert issued.state.authority("issuing").pending_crl is not None
    assert unlisted(issued) == []
    issued.save({"ca/issuing.yaml": None, "policies/server.yaml": policy(issuer="root")})
    assert len(unlisted(issued)) == 1


def test_a_ca_that_is_revoked_itself_needs_no_crl(closed: Clone) -> None:
    key = closed.state.authority("issuing").key
    closed.save(STOP)
    closed.reconcile()
    assert len(unlisted(closed)) == 1
    closed.save({"requests/ca/stop.yaml": revocation("cACompromise", key=key)})
    closed.reconcile()
    assert unlisted(closed) == []
