"""A CA that an external one certifies, from its CSR to revocation; `openssl ca` is that CA."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from ca_documents import authority, request, revocation
from ca_signers import failing_after
from ca_world import Clone, KeyRing, kinds
from external_parent import ANSWER, CSR, DOCUMENTS, ISSUING, ExternalParent, ExternalWorld, given
from gitca.errors import ContradictionError
from gitca.ledger.events import Abandoned
from gitca.signers import KeyAbsentError, Signer
from judges.chain import from_pem
from judges.openssl import request_text
from judges.process import ask

API = "requests/payments/api.yaml"
PEM = "issued/issuing/certificates/payments/api.pem"
NAME = "api.example.internal"


def adopted(world: ExternalWorld, text: str | None = None) -> Clone:
    """Adopt an answer, issue one certificate, and let an hour go by."""
    world.answer(text or world.good(), **{API: request("api", NAME)})
    report = world.clone.reconcile()
    assert report.exit_code == 0, report.findings
    world.clone.clock.forward(hours=1)
    return world.clone


def openssl_verify(clone: Clone, anchor: str, *crls: bytes) -> str:
    """Return openssl's words on the request's file, as a server would send it, under an anchor."""
    folder = clone.folder.parent
    (folder / "served.pem").write_bytes(clone.read(PEM))
    (folder / "anchor.pem").write_text(anchor)
    (folder / "crl.der").write_bytes(clone.read("issued/issuing/crl.der"))
    moment = str(int(clone.clock.now.timestamp()))
    return ask(
        *("openssl", "verify", "-x509_strict", "-crl_check", "-purpose", "sslserver"),
        *("-attime", moment, "-no-CApath", "-no-CAstore", "-CAfile", "anchor.pem"),
        *("-untrusted", "served.pem", "-CRLfile", "crl.der", "served.pem"),
        cwd=folder,
    ).words


def test_the_csr_asks_for_what_the_document_says(world: ExternalWorld) -> None:
    (der,) = from_pem(world.csr.decode(), "CERTIFICATE REQUEST")
    words = request_text(der)
    assert "Subject: CN = Example issuing CA, O = Example" in words
    assert "CA:TRUE, pathlen:0" in words
    assert world.clone.plan().actions == ()
    assert world.clone.verify().contradictions == []
    assert world.clone.verify().checked["CSRs"] == 1


def test_an_adopted_ca_issues_revokes_and_is_verified_to_the_external_root(
    world: ExternalWorld,
) -> None:
    clone = adopted(world)
    assert openssl_verify(clone, world.root.certificate) == "served.pem: OK"
    assert clone.plan().actions == ()
    clone.save({"requests/stop.yaml": revocation(certificate="payments/api")})
    assert clone.reconcile().exit_code == 0
    assert "certificate revoked" in openssl_verify(clone, world.root.certificate)
    report = clone.verify()
    assert report.contradictions == []
    assert report.unchecked == []
    assert report.checked["adopted certificates"] == 1


def test_the_file_of_a_leaf_has_the_external_chain_without_the_root(world: ExternalWorld) -> None:
    certificate = world.middle.sign(world.csr)
    clone = adopted(world, world.root.certificate + certificate + world.middle.certificate)
    leaf, *above = from_pem(clone.read(PEM).decode())
    assert above == [*from_pem(certificate), *from_pem(world.middle.certificate)]
    assert from_pem(clone.read("issued/issuing/chain.pem").decode()) == tuple(above)
    assert from_pem(clone.read("issued/issuing/ca.pem").decode()) == from_pem(certificate)
    assert openssl_verify(clone, world.root.certificate) == "served.pem: OK"
    issued, issuer = (x509.load_der_x509_certificate(item) for item in (leaf, above[0]))
    assert issued.issuer.public_bytes() == issuer.subject.public_bytes()
    aki = issued.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    ski = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    # openssl's identifier is the SHA-1 of the key, gitca's own would be another.
    assert aki.key_identifier == ski.digest


def test_a_refused_answer_issues_nothing_and_exits_with_1(world: ExternalWorld) -> None:
    world.answer(world.good(extensions=given(keyUsage=None)), **{API: request("api", NAME)})
    report = world.clone.reconcile()
    assert report.exit_code == 1
    assert [item.location.file for item in report.findings if item.is_error] == [ANSWER]
    assert world.clone.paths("issued/issuing") == [CSR]


def test_a_renewal_is_another_answer_on_the_same_key(world: ExternalWorld) -> None:
    clone = adopted(world)
    before = clone.read("issued/issuing/ca.pem")
    clone.clock.forward(days=400)
    begin = clone.clock.now
    renewed = world.good(begin=begin, end=begin + timedelta(days=1500))
    world.answer(renewed)
    assert kinds(clone.plan().actions)[0] == "adopt-ca"
    assert clone.reconcile().exit_code == 0
    assert clone.read("issued/issuing/ca.pem") != before
    assert openssl_verify(clone, world.root.certificate) == "served.pem: OK"
    assert clone.plan().actions == ()
    assert clone.verify().contradictions == []
    assert clone.verify().checked["adopted certificates"] == 2


def test_a_certificate_older_than_the_one_in_use_is_refused(world: ExternalWorld) -> None:
    old = world.good(begin=world.clone.clock.now - timedelta(hours=2))
    clone = adopted(world)
    plan = world.plan(old)
    assert [item.rule for item in plan.findings] == ["authority.certificate.older"]
    assert "adopt-ca" not in kinds(plan.actions)
    assert clone.state.authority("issuing").certificate is not None


def test_the_same_certificates_in_another_text_are_adopted_once(world: ExternalWorld) -> None:
    text = world.good()
    clone = adopted(world, text)
    world.answer(f"# from the corporate CA\n{text}")
    assert clone.plan().actions == ()
    assert clone.plan().findings == ()


def test_a_document_that_asks_for_more_is_answered_by_a_new_csr_and_a_new_answer(
    world: ExternalWorld,
) -> None:
    clone = adopted(world)
    constraints = {"permitted": {"dns": ["example.internal"]}}
    clone.save({ISSUING: authority("issuing", "external", nameConstraints=constraints)})
    report = clone.reconcile()
    assert report.exit_code == 1
    assert [item.rule for item in report.findings if item.is_error] == ["authority.changed"]
    (der,) = from_pem(clone.read(CSR).decode(), "CERTIFICATE REQUEST")
    assert "DNS:example.internal" in request_text(der)
    extensions = given(nameConstraints="critical,permitted;DNS:example.internal")
    world.answer(world.good(extensions=extensions, begin=clone.clock.now))
    assert clone.reconcile().exit_code == 0
    assert clone.plan().actions == ()
    assert clone.verify().contradictions == []


def test_a_ca_below_an_adopted_one_is_made(tmp_path: Path, key_ring: KeyRing) -> None:
    files = {
        ISSUING: authority("issuing", "external", pathLength=1),
        "ca/other.yaml": authority("other", "issuing", validity="1y"),
    }
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    assert clone.reconcile().exit_code == 0
    assert clone.paths("issued/other") == []
    root = ExternalParent.root(tmp_path / "root")
    extensions = given(basicConstraints="critical,CA:TRUE,pathlen:1")
    clone.save({ANSWER: root.sign(clone.read(CSR), extensions) + root.chain})
    assert clone.reconcile().exit_code == 0
    chain = from_pem(clone.read("issued/other/chain.pem").decode())
    assert len(chain) == 2
    assert clone.verify().contradictions == []


def test_a_key_that_is_away_orders_nothing(tmp_path: Path, key_ring: KeyRing) -> None:
    def away(uri: str) -> Signer:
        raise KeyAbsentError(f"the key {uri} is in the safe")

    clone = Clone.create(tmp_path / "clone", key_ring, DOCUMENTS)
    report = clone.reconcile(opener=away)
    assert report.exit_code == 0
    assert report.absent == {"issuing": "the key file:.gitca/keys/issuing.pem is in the safe"}
    assert clone.paths("issued") == []
    assert kinds(clone.plan().actions) == ["request-ca"]


def test_an_answer_is_adopted_where_the_key_is_away(world: ExternalWorld) -> None:
    world.answer(world.good())
    report = world.clone.reconcile(selected=[])
    assert report.exit_code == 0
    assert world.clone.state.authority("issuing").certificate is not None


def dead(clone: Clone, **documents: str) -> None:
    """Let a run die between recording the CSR's order and signing it, and its lease pass."""
    opener = clone.keys.but(issuing=failing_after(clone.keys.named("issuing"), 0))
    assert clone.reconcile(opener=opener).exit_code == 4
    assert len(clone.state.pending) == 1
    clone.clock.forward(minutes=11)
    if documents:
        clone.save(documents)


def fresh(tmp_path: Path, key_ring: KeyRing) -> Clone:
    return Clone.create(tmp_path / "clone", key_ring, DOCUMENTS)


def test_a_csr_that_a_dead_run_ordered_is_signed_by_the_next(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    clone = fresh(tmp_path, key_ring)
    dead(clone)
    (order,) = clone.state.pending
    assert kinds(clone.plan().actions) == []
    report = clone.reconcile()
    assert [ordered.order for ordered in report.resumed] == [order]
    assert clone.state.orders[order].signed is not None
    assert clone.verify().contradictions == []


REASONS: dict[str, tuple[dict[str, str], str]] = {
    "changed": ({ISSUING: authority("issuing", "external", pathLength=1)}, "asks for another"),
    "another key": (
        {ISSUING: authority("issuing", "external", key="file:.gitca/keys/spare.pem")},
        "names another key since",
    ),
    "closed": ({ISSUING: authority("issuing", "external", state="crl-only")}, "is crl-only by now"),
    "a root by now": (
        {ISSUING: authority("issuing", "self", pathLength=1)},
        "names the issuer issuing by now",
    ),
}


@pytest.mark.parametrize("name", REASONS)
def test_a_csr_that_is_not_wanted_any_more_is_given_up(
    tmp_path: Path, key_ring: KeyRing, name: str
) -> None:
    clone = fresh(tmp_path, key_ring)
    documents, words = REASONS[name]
    dead(clone, **documents)
    (order,) = clone.state.pending
    clone.reconcile()
    given_up = clone.state.orders[order].abandoned
    assert isinstance(given_up, Abandoned)
    assert words in given_up.reason
    assert clone.verify().contradictions == []


def swapped(clone: Clone) -> Signer:
    return clone.keys.named("spare")


def test_an_alias_that_moved_before_the_csr_was_signed_stops_the_run(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    clone = fresh(tmp_path, key_ring)
    dead(clone)
    with pytest.raises(ContradictionError, match="ask for another CSR"):
        clone.reconcile(opener=clone.keys.but(issuing=swapped(clone)))


def test_an_alias_that_moved_between_csr_and_adoption_stops_the_run(world: ExternalWorld) -> None:
    world.answer(world.good())
    clone = world.clone
    with pytest.raises(ContradictionError, match="holds another key than the CA's CSR"):
        clone.reconcile(opener=clone.keys.but(issuing=swapped(clone)))
    assert clone.state.authority("issuing").certificate is None


def test_an_alias_that_moved_before_a_second_csr_stops_the_run(world: ExternalWorld) -> None:
    clone = world.clone
    clone.save({ISSUING: authority("issuing", "external", pathLength=2)})
    with pytest.raises(ContradictionError, match="holds another key than the CA's CSR"):
        clone.reconcile(opener=clone.keys.but(issuing=swapped(clone)))


def test_a_key_of_another_ca_is_not_asked_on(tmp_path: Path, key_ring: KeyRing) -> None:
    clone = Clone.create(tmp_path / "clone", key_ring, DOCUMENTS | {
        "ca/root.yaml": authority("root"),
        "ca/other.yaml": authority("other", "root", key="file:.gitca/keys/spare.pem"),
    })  # fmt: skip
    assert clone.reconcile().exit_code == 0
    # Two documents may not name one signer; two names of one key are seen when it answers.
    opener = clone.keys.but(other=clone.keys.named("issuing"))
    clone.save({"ca/third.yaml": authority("third", "external", key="file:.gitca/keys/other.pem")})
    report = clone.reconcile(opener=opener)
    assert [item.rule for item in report.findings if item.is_error] == ["authority.key.used"]
    told = [item.message for item in report.findings if item.rule == "authority.key.used"]
    assert "is that of CA issuing; allowed is a key that is used for nothing else" in told[0]
    assert clone.paths("issued/third") == []


def test_a_revoked_key_ends_the_ca_and_puts_nothing_on_a_crl(world: ExternalWorld) -> None:
    clone = adopted(world)
    key = clone.state.authority("issuing").key
    assert key is not None
    document = revocation(key=key, reason="cACompromise")
    clone.save({"requests/ca/issuing.yaml": document})
    plan = clone.plan()
    assert [action.ca for action in plan.actions if action.action == "revoke"] == [None]
    clone.reconcile()
    assert clone.state.is_authority_revoked("issuing")
    assert clone.state.revoked == {}
    clone.save({"requests/web.yaml": request("web", "web.example.internal")})
    report = clone.reconcile()
    assert [item.rule for item in report.findings] == ["authority.revoked"]
    assert "web" not in clone.state.requests
    assert clone.verify().contradictions == []
    world.answer(world.good(begin=clone.clock.now))
    assert "adopt-ca" not in kinds(clone.plan().actions)
