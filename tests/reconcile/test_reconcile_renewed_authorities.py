"""CAs that are renewed on their key: when, when not, and what goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509

from authority_forger import AuthorityForger
from ca_documents import authority, request, revocation
from ca_signers import Watched
from ca_world import Clone
from gitca.errors import ContradictionError
from gitca.reconcile.report import Missing
from gitca.x509.template import CertificateTemplate

RENEWED = authority("issuing", "root", renewBefore="1660d")
"""The issuing CA, of 1826 days, renewed when it is 166 days old."""


def own_certificate(clone: Clone, ca: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(clone.read(f"issued/{ca}/ca.pem"))


def check_idle(clone: Clone) -> None:
    """Nothing is planned or pending, and all is proved."""
    assert clone.plan().actions == ()
    assert not clone.state.pending
    assert clone.verify().contradictions == []


@pytest.fixture
def due(issued: Clone) -> Clone:
    """The issuing CA's renewal is due, and a request waits; the root's CRL lasts for a year."""
    yearly = {"lifetime": "400d", "refreshBefore": "30d"}
    issued.save({"ca/issuing.yaml": RENEWED, "ca/root.yaml": authority("root", crl=yearly)})
    issued.clock.forward(days=5)
    assert issued.reconcile().exit_code == 0
    issued.clock.forward(days=165)
    issued.save({"requests/late.yaml": request("b", "late.example.internal")})
    return issued


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


@pytest.mark.parametrize("reason", ["cACompromise", "cessationOfOperation"])
def test_a_revoked_ca_is_not_renewed(due: Clone, reason: str) -> None:
    before = own_certificate(due, "issuing")
    serial = f"{before.serial_number:x}"
    due.save({"requests/ca/gone.yaml": revocation(reason, serial=serial, ca="root")})
    report = due.reconcile()
    assert "authority.revoked" in {finding.rule for finding in report.findings}
    assert own_certificate(due, "issuing") == before
    assert serial in due.revoked("root")
    assert due.state.requests.get("late") is None
    due.clock.forward(hours=1)
    check_idle(due)


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


@pytest.fixture
def forger(due: Clone) -> AuthorityForger:
    return AuthorityForger.of_renewal(due)


def refused(clone: Clone, words: str) -> None:
    """Reconcile stops with exit 5 and signs nothing; verify says so too."""
    before = clone.tip
    signers = {
        name: Watched(clone.keys.named(name), lambda _: None) for name in ("root", "issuing")
    }
    with pytest.raises(ContradictionError, match=words) as refusal:
        clone.reconcile(take_over=True, opener=clone.keys.but(**signers))
    assert refusal.value.exit_code == 5
    assert [signer.signed for signer in signers.values()] == [[], []]
    assert clone.tip == before
    assert clone.verify().exit_code == 5


def test_the_honest_renewal_written_by_hand_is_signed(forger: AuthorityForger) -> None:
    forger.push(*forger.certificate())
    assert forger.clone.reconcile(take_over=True).exit_code == 0
    assert forger.clone.verify().contradictions == []
    issuing = forger.clone.state.authority("issuing")
    assert issuing.certificate is not None
    assert issuing.certificate.certificate.serial == forger.given.serial


def test_a_forged_renewal_of_another_validity_is_refused(forger: AuthorityForger) -> None:
    longer = forger.given.not_after + timedelta(days=1)
    forger.push(*forger.certificate(particulars={"not_after": longer}))
    refused(forger.clone, "its dates are not those")


def test_a_forged_renewal_on_another_key_is_refused(forger: AuthorityForger) -> None:
    """The ledger itself admits one key for a CA."""
    spki_der = forger.clone.keys.named("other").public_key()
    forger.push(*forger.certificate(template=replace(forger.template, spki_der=spki_der)))
    with pytest.raises(ContradictionError, match="key") as refusal:
        forger.clone.reconcile(take_over=True)
    assert refusal.value.exit_code == 5
    assert forger.clone.verify().exit_code == 5


@pytest.mark.parametrize("change", [AuthorityForger.freer, AuthorityForger.renamed])
def test_a_forged_renewal_that_says_something_else_is_refused(
    forger: AuthorityForger, change: Callable[[AuthorityForger], CertificateTemplate]
) -> None:
    forger.push(*forger.certificate(template=change(forger)))
    refused(forger.clone, "ask for another certificate")


def test_a_forged_renewal_that_no_document_asks_for_is_refused(due: Clone) -> None:
    """Every renewal lengthens the life of a key; whoever may push is not to decide on it."""
    forger = AuthorityForger.of_renewal(due)
    clone = forger.clone
    clone.save({"ca/issuing.yaml": authority("issuing", "root")})
    forger.push(*forger.certificate(source=clone.tip, documents=forger.documents("issuing")))
    refused(clone, "asked for no renewal")
