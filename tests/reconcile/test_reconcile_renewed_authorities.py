"""CAs that are renewed on their key: when, when not, and what goes on meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from authority_forger import spki_of
from ca_documents import authority, request, revocation
from ca_world import Clone, kinds
from gitca.reconcile.report import Missing
from gitca.x509.template import spki_identifier
from renewal_world import check_idle, due, own_certificate

__all__ = ["due"]


def test_an_issuing_ca_is_renewed_on_its_key_and_old_and_new_certificates_verify(
    issued: Clone,
) -> None:
    before = own_certificate(issued, "issuing")
    text = authority("issuing", "root", renewBefore="1660d", validity="5y")
    issued.save({"ca/issuing.yaml": text})
    assert issued.plan().actions == ()
    issued.clock.forward(days=170)
    issued.save({"requests/late.yaml": request("b", "late.example.internal")})
    assert ("renew-ca", "root") in [(a.action, a.ca) for a in issued.plan().actions]
    report = issued.reconcile()
    assert report.exit_code == 0, report.findings
    after = own_certificate(issued, "issuing")
    assert after.public_key() == before.public_key()
    assert after.subject == before.subject
    assert after.not_valid_after_utc - before.not_valid_after_utc > timedelta(days=169)
    assert after.serial_number != before.serial_number
    assert issued.openssl_verify("late") == "OK"
    assert issued.plan().actions == ()
    assert issued.verify().contradictions == []


def test_a_root_is_renewed_and_what_stands_below_verifies_under_it(issued: Clone) -> None:
    issued.save({"ca/root.yaml": authority("root", "self", renewBefore="3485d", validity="10y")})
    issued.clock.forward(days=170)
    before = own_certificate(issued, "root")
    issued.save({"requests/late.yaml": request("b", "late.example.internal")})
    assert issued.reconcile().exit_code == 0
    assert own_certificate(issued, "root").serial_number != before.serial_number
    assert issued.openssl_verify("late") == "OK"
    assert issued.verify().contradictions == []


def test_a_renewal_that_would_outlive_its_parent_is_a_finding_and_the_old_one_works(
    issued: Clone,
) -> None:
    """The root lasts ten years; after four the issuing CA asks for seven more."""
    longer = {"renewBefore": "400d", "validity": "7y"}
    issued.save({"ca/issuing.yaml": authority("issuing", "root", **longer)})
    issued.clock.forward(days=4 * 366)
    before = own_certificate(issued, "issuing")
    issued.save({"requests/late.yaml": request("b", "late.example.internal")})
    report = issued.reconcile()
    assert report.exit_code == 1
    assert [item.rule for item in report.findings if item.is_error] == ["authority.validity"]
    assert own_certificate(issued, "issuing") == before
    assert issued.openssl_verify("late") == "OK"
    check_idle(issued)
    issued.save({"ca/issuing.yaml": authority("issuing", "root", **longer | {"validity": "5y"})})
    assert issued.reconcile().exit_code == 0
    assert own_certificate(issued, "issuing") != before


def test_the_renewal_of_an_offline_roots_child_waits_and_leaves_go_on_meanwhile(
    due: Clone,
) -> None:
    before = own_certificate(due, "issuing")
    away = due.keys.but(root=None)
    report = due.reconcile(opener=away)
    assert report.exit_code == 0
    assert {(item.ca, item.missing) for item in report.waiting} == {("root", Missing.ABSENT)}
    assert {record.about for record in due.state.pending.values()} == {"CA issuing"}
    assert own_certificate(due, "issuing") == before
    assert due.openssl_verify("late") == "OK"
    assert due.plan().actions == ()
    ordered = {order: record.ordered.tbs for order, record in due.state.pending.items()}

    due.clock.forward(days=2)
    due.save({"requests/later.yaml": request("c", "later.example.internal")})
    assert due.reconcile(opener=away).exit_code == 0
    assert due.openssl_verify("later") == "OK"
    due.clock.forward(hours=1)
    assert due.reconcile().exit_code == 0
    after = own_certificate(due, "issuing")
    assert after.serial_number != before.serial_number
    state = due.state
    own = state.authority("issuing").certificate
    assert own is not None
    assert ordered[own.ordered.order] == own.ordered.tbs
    assert [due.openssl_verify(name) for name in ("late", "later")] == ["OK", "OK"]
    due.clock.forward(hours=1)
    check_idle(due)


@pytest.mark.parametrize("named", ["serial number", "serial number, compromised", "key"])
def test_a_ca_that_is_revoked_when_its_renewal_is_due_is_not_renewed(
    due: Clone, named: str
) -> None:
    """The revocation is recorded by the very run that would have renewed it."""
    before = own_certificate(due, "issuing")
    serial = f"{before.serial_number:x}"
    certificate = {"serial": serial, "ca": "root"}
    document = {
        "serial number": revocation("cessationOfOperation", **certificate),
        "serial number, compromised": revocation("cACompromise", **certificate),
        "key": revocation("cACompromise", key=spki_identifier(spki_of(due, "issuing"))),
    }
    due.save({"requests/ca/gone.yaml": document[named]})
    assert "renew-ca" not in kinds(due.plan().actions)
    report = due.reconcile()
    assert "authority.revoked" in {finding.rule for finding in report.findings}
    assert own_certificate(due, "issuing") == before
    assert serial in due.revoked("root")
    assert due.state.requests.get("late") is None
    due.clock.forward(hours=1)
    check_idle(due)


def test_a_pending_renewal_of_a_ca_that_is_revoked_meanwhile_is_abandoned(due: Clone) -> None:
    before = own_certificate(due, "issuing")
    due.reconcile(opener=due.keys.but(root=None))
    due.clock.forward(hours=1)
    document = revocation("cessationOfOperation", serial=f"{before.serial_number:x}", ca="root")
    due.save({"requests/ca/gone.yaml": document})
    report = due.reconcile()
    assert len(report.abandoned) == 1
    assert own_certificate(due, "issuing") == before
    due.clock.forward(hours=1)
    check_idle(due)


def test_what_needs_a_cas_renewal_is_issued_by_the_same_run_after_it(issued: Clone) -> None:
    """Thirty days of a certificate do not fit into the last twenty of the CA."""
    issued.save({"ca/issuing.yaml": authority("issuing", "root", renewBefore="60d")})
    issued.clock.forward(days=5 * 365 + 1 - 20)
    issued.save({"requests/late.yaml": request("b", "late.example.internal")})
    report = issued.reconcile()
    assert (report.exit_code, [item for item in report.findings if item.is_error]) == (0, [])
    assert issued.openssl_verify("late") == "OK"
    assert issued.certificate("late").not_valid_after_utc > issued.clock.now + timedelta(days=29)
    issued.clock.forward(hours=1)
    check_idle(issued)


def test_the_old_certificate_is_revoked_as_superseded_and_the_ca_works_on(due: Clone) -> None:
    old = f"{own_certificate(due, 'issuing').serial_number:x}"
    assert due.reconcile().exit_code == 0
    new = own_certificate(due, "issuing")
    assert f"{new.serial_number:x}" != old
    due.clock.forward(hours=1)
    due.save({"requests/ca/old.yaml": revocation("superseded", serial=old, ca="root")})
    due.save({"requests/after.yaml": request("d", "after.example.internal")})
    report = due.reconcile()
    assert (report.exit_code, report.findings) == (0, ())
    assert set(due.revoked("root")) == {old}
    assert due.openssl_verify("after") == "OK"
    due.clock.forward(hours=1)
    check_idle(due)


def test_a_renewal_that_is_not_wanted_any_more_is_abandoned(due: Clone) -> None:
    due.reconcile(opener=due.keys.but(root=None))
    due.clock.forward(hours=1)
    due.save({"ca/issuing.yaml": authority("issuing", "root")})
    before = own_certificate(due, "issuing")
    report = due.reconcile()
    assert report.exit_code == 0
    assert len(report.abandoned) == 1
    assert own_certificate(due, "issuing") == before
    check_idle(due)
