"""An external CA's certificate that says another key identifier, or its name in other bytes.

What was ordered before it was taken into use names the certificate before; openssl judges both.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ca_documents import request, revocation
from ca_signers import Watched, failing_after
from ca_world import Clone
from external_parent import ANSWER, ExternalParent, ExternalWorld, given
from gitca.ledger.events import CrlParticulars
from gitca.verify.proof import verify
from gitca.verify.since import find_since
from judges.chain import from_pem
from judges.openssl import verify_crl
from judges.process import ask
from publish_world import FOLDER, files, reconciled, repository

API = "requests/payments/api.yaml"
API_PEM = "issued/issuing/certificates/payments/api.pem"
CRL = "issued/issuing/crl.der"
OWN = "issued/issuing/ca.pem"
OTHER_KEY_IDENTIFIER = "0102030405060708090a0b0c0d0e0f1011121314"
WITHOUT_CRL = "unable to get certificate CRL"
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Renewal:
    """An adopted CA with a certificate, its CRL due soon, and what the external CA gives next."""

    world: ExternalWorld
    next_answer: Callable[[], str]
    is_told_apart: bool
    """Whether openssl takes no CRL of the one certificate for the other one's."""

    @property
    def clone(self) -> Clone:
        return self.world.clone

    def adopt(self) -> None:
        """Put the next answer beside the document, a minute later."""
        self.clone.clock.forward(minutes=1)
        self.world.answer(self.next_answer())


def _another_key_identifier(world: ExternalWorld, _: Path) -> str:
    begin = world.clone.clock.now
    extensions = given(subjectKeyIdentifier=OTHER_KEY_IDENTIFIER)
    end = begin + timedelta(days=1500)
    return world.root.sign(world.csr, extensions, begin=begin, end=end) + world.root.chain


def _other_string_types(world: ExternalWorld, folder: Path) -> str:
    shutil.copytree(world.root.folder, folder / "printable")
    parent = ExternalParent(folder / "printable")
    configuration = parent.folder / "ca.cnf"
    text = configuration.read_text().replace("[here]", "[here]\nstring_mask = pkix")
    configuration.write_text(text)
    begin = world.clone.clock.now
    subject, end = "/CN=Example issuing CA/O=Example", begin + timedelta(days=1500)
    return parent.sign(world.csr, begin=begin, end=end, subject=subject) + parent.chain


RENEWALS = {
    "another key identifier": _another_key_identifier,
    "other string types": _other_string_types,
}


@pytest.fixture(params=RENEWALS)
def renewal(world: ExternalWorld, tmp_path: Path, request: pytest.FixtureRequest) -> Renewal:
    return standing(world, tmp_path, request.param)


def standing(world: ExternalWorld, tmp_path: Path, kind: str) -> Renewal:
    """Adopt an answer and issue a certificate; four days later the CA's CRL is due."""
    world.answer(world.good(), **{API: request("api", "api.example.internal")})
    assert world.clone.reconcile().exit_code == 0
    world.clone.clock.forward(days=4, hours=1)
    is_told_apart = kind == "another key identifier"
    return Renewal(world, lambda: RENEWALS[kind](world, tmp_path), is_told_apart)


def waiting(clone: Clone) -> str:
    """Let a run without the CA's key order its CRL, and return the order."""
    assert clone.reconcile(selected=()).exit_code == 0
    (order,) = clone.state.pending
    assert isinstance(clone.state.orders[order].ordered.particulars, CrlParticulars)
    return order


def own(clone: Clone) -> x509.Certificate:
    return x509.load_pem_x509_certificate(clone.read(OWN))


def names(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Whether a CRL names a CA's certificate: its subject byte for byte, and its key identifier."""
    aki = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    ski = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    subject = certificate.subject.public_bytes()
    return crl.issuer.public_bytes() == subject and aki.key_identifier == ski.digest


def openssl(clone: Clone, served: bytes, anchor: str) -> str:
    """Return openssl's verdict on what a server sends, under the CA's current CRL."""
    folder = clone.folder.parent
    (folder / "served.pem").write_bytes(served)
    (folder / "anchor.pem").write_text(anchor)
    (folder / "crl.der").write_bytes(clone.read(CRL))
    return ask(
        *("openssl", "verify", "-x509_strict", "-crl_check", "-purpose", "sslserver"),
        *("-attime", str(int(clone.clock.now.timestamp())), "-no-CApath", "-no-CAstore"),
        *("-CAfile", "anchor.pem", "-untrusted", "served.pem", "-CRLfile", "crl.der"),
        "served.pem",
        cwd=folder,
    ).words


def sound(clone: Clone) -> None:
    assert not clone.state.pending
    assert clone.plan().actions == ()
    assert clone.verify().contradictions == []


def names_the_former(renewal: Renewal, former: x509.Certificate, served: bytes) -> None:
    """Check that the CA's CRL is the former certificate's, for openssl too, and goes with it."""
    clone, root = renewal.clone, renewal.world.root.certificate
    current = own(clone)
    assert current != former
    assert names(clone.crl(), former)
    assert not names(clone.crl(), current)
    (former_der,) = from_pem(former.public_bytes(_PEM).decode())
    assert verify_crl(clone.read(CRL), former_der).words == "verify OK"
    assert openssl(clone, served, root) == "served.pem: OK"


def names_the_current(renewal: Renewal, served: bytes) -> None:
    """Check that the next CRL, and what is issued next, are the current certificate's."""
    clone, root = renewal.clone, renewal.world.root.certificate
    clone.clock.forward(days=5)
    clone.save({"requests/web.yaml": request("web", "web.example.internal")})
    assert clone.reconcile().exit_code == 0
    assert names(clone.crl(), own(clone))
    new = clone.read("issued/issuing/certificates/web.pem")
    assert openssl(clone, new, root) == "served.pem: OK"
    words = openssl(clone, served, root)
    assert (WITHOUT_CRL in words) if renewal.is_told_apart else (words == "served.pem: OK")
    sound(clone)


def adopted_over_a_waiting_crl(renewal: Renewal) -> tuple[x509.Certificate, bytes, str]:
    """Adopt while a CRL waits; return the former certificate and leaf, and the CRL's order."""
    clone = renewal.clone
    former, served, order = own(clone), clone.read(API_PEM), waiting(clone)
    renewal.adopt()
    assert clone.reconcile(selected=()).exit_code == 0
    return former, served, order


def test_a_crl_that_waited_for_its_key_names_the_certificate_it_was_ordered_under(
    renewal: Renewal,
) -> None:
    clone = renewal.clone
    former, served, order = adopted_over_a_waiting_crl(renewal)
    assert clone.verify().contradictions == []
    assert clone.state.pending.keys() == {order}
    clone.clock.forward(minutes=11)
    report = clone.reconcile()
    assert (report.exit_code, [item.order for item in report.resumed]) == (0, [order])
    names_the_former(renewal, former, served)
    sound(clone)
    names_the_current(renewal, served)


def test_a_ceremony_after_the_adoption_signs_the_crl_that_was_ordered_before_it(
    renewal: Renewal,
) -> None:
    clone = renewal.clone
    former, served, order = adopted_over_a_waiting_crl(renewal)
    assert [item.order for item in clone.sign("issuing").signed] == [order]
    names_the_former(renewal, former, served)
    sound(clone)


def test_a_crl_that_is_ordered_by_the_adopting_run_names_the_certificate_before(
    renewal: Renewal,
) -> None:
    clone, former, served = renewal.clone, own(renewal.clone), renewal.clone.read(API_PEM)
    renewal.adopt()
    assert clone.reconcile().exit_code == 0
    names_the_former(renewal, former, served)
    sound(clone)
    names_the_current(renewal, served)


def test_a_revocation_in_the_adopting_run_is_on_the_crl_of_the_certificate_before(
    renewal: Renewal,
) -> None:
    clone, former, served = renewal.clone, own(renewal.clone), renewal.clone.read(API_PEM)
    clone.save({"requests/stop.yaml": revocation(certificate="payments/api")})
    renewal.adopt()
    assert clone.reconcile().exit_code == 0
    assert names(clone.crl(), former)
    assert "certificate revoked" in openssl(clone, served, renewal.world.root.certificate)
    sound(clone)


def test_a_killed_runs_crl_is_signed_after_the_adoption(renewal: Renewal) -> None:
    clone, former, served = renewal.clone, own(renewal.clone), renewal.clone.read(API_PEM)
    dead = failing_after(clone.keys.named("issuing"), 0)
    assert clone.reconcile(opener=clone.keys.but(issuing=dead)).exit_code == 4
    (order,) = clone.state.pending
    renewal.adopt()
    # Its lease stands: the run that adopts leaves it alone, and does not stumble over it.
    assert clone.reconcile().exit_code == 3
    assert clone.verify().contradictions == []
    assert [item.order for item in clone.reconcile(take_over=True).resumed] == [order]
    names_the_former(renewal, former, served)
    sound(clone)


def test_a_crl_that_nobody_signed_in_time_is_given_up_after_the_adoption(renewal: Renewal) -> None:
    clone = renewal.clone
    order = waiting(clone)
    renewal.adopt()
    assert clone.reconcile(selected=()).exit_code == 0
    clone.clock.forward(days=9)
    assert clone.reconcile().exit_code == 0
    assert clone.state.orders[order].abandoned is not None
    assert names(clone.crl(), own(clone))
    sound(clone)


def test_a_crl_that_another_run_signed_while_this_one_adopted_is_proved(
    renewal: Renewal, tmp_path: Path
) -> None:
    clone = renewal.clone.with_origin(tmp_path / "origin.git")
    former, served, other = own(clone), clone.read(API_PEM), clone.beside("other")
    answer = renewal.next_answer()

    def adopt(_: bytes) -> None:
        if not slow.signed:
            other.pull()
            other.save({ANSWER: answer})
            assert other.reconcile(selected=()).exit_code == 0

    slow = Watched(clone.keys.named("issuing"), adopt)
    report = clone.reconcile(opener=clone.keys.but(issuing=slow))
    assert (report.exit_code, len(report.signed)) == (0, 1)
    names_the_former(renewal, former, served)
    sound(clone)


def test_verify_since_the_adoption_builds_the_crl_of_before(renewal: Renewal) -> None:
    clone = renewal.clone
    waiting(clone)
    renewal.adopt()
    assert clone.reconcile(selected=()).exit_code == 0
    assert clone.sign("issuing").exit_code == 0
    number = clone.state.head.number
    with clone.store() as store:
        found = verify(store, clone.tip, since=find_since(store, clone.tip, str(number)))
    assert found.contradictions == []


def test_a_crl_of_before_goes_out_after_the_adoption(renewal: Renewal) -> None:
    clone = renewal.clone
    clone.save(repository(FOLDER))
    assert reconciled(clone).exit_code == 0
    before = files(clone)["issuing.crl"]
    renewal.adopt()
    # Nothing is signed: what stands at the target is the CRL of the certificate before.
    report = reconciled(clone)
    assert report.exit_code == 0, report
    assert files(clone)["issuing.crl"] == before
    shutil.rmtree(clone.folder / "public")
    assert reconciled(clone).exit_code == 0
    assert files(clone)["issuing.crl"] == before


def test_a_certificate_that_waited_for_its_key_names_the_one_it_was_ordered_under(
    renewal: Renewal,
) -> None:
    clone, former = renewal.clone, own(renewal.clone)
    clone.save({"requests/web.yaml": request("web", "web.example.internal")})
    assert clone.reconcile(selected=()).exit_code == 0
    assert len(clone.state.pending) == 2
    renewal.adopt()
    assert clone.reconcile(selected=()).exit_code == 0
    assert clone.sign("issuing").exit_code == 0
    web = clone.read("issued/issuing/certificates/web.pem")
    _, above = (x509.load_der_x509_certificate(item) for item in from_pem(web.decode()))
    assert above == former
    names_the_former(renewal, former, web)
    sound(clone)
