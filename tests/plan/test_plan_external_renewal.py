"""What is told of an external CA's renewal that names the CA otherwise than before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ca_documents import authority, request, revocation
from ca_world import Clone, KeyRing, kinds
from external_parent import ANSWER, CSR, ISSUING, ExternalParent, ExternalWorld, given
from gitca.findings import Finding, Severity

IDENTITY = "authority.certificate.identity"
OTHER_KEY_IDENTIFIER = "0102030405060708090a0b0c0d0e0f1011121314"


@pytest.fixture
def standing(world: ExternalWorld) -> ExternalWorld:
    """The CA has its certificate, a CRL, and two certificates of requests."""
    requests = {
        f"requests/{name}.yaml": request(name, f"{name}.example.internal") for name in ("a", "b")
    }
    world.answer(world.good(), **requests)
    report = world.clone.reconcile()
    assert (report.exit_code, report.findings) == (0, ())
    world.clone.clock.forward(hours=1)
    return world


def renewed(world: ExternalWorld, **extensions: str) -> str:
    begin = world.clone.clock.now
    end = begin + timedelta(days=1500)
    signed = world.root.sign(world.csr, given(**extensions), begin=begin, end=end)
    return signed + world.root.chain


def told(found: tuple[Finding, ...]) -> Finding:
    (finding,) = (item for item in found if item.rule == IDENTITY)
    assert finding.severity is Severity.WARNING
    assert finding.location.file == ANSWER
    return finding


def test_another_key_identifier_is_told_with_what_names_the_former(standing: ExternalWorld) -> None:
    plan = standing.plan(renewed(standing, subjectKeyIdentifier=OTHER_KEY_IDENTIFIER))
    assert kinds(plan.actions) == ["adopt-ca"]
    finding = told(plan.findings)
    former = standing.clone.crl().extensions[0].value.key_identifier.hex()
    assert f"subjectKeyIdentifier {OTHER_KEY_IDENTIFIER}, not {former};" in finding.message
    assert "names the former: 2 certificates, CRL 1." in finding.message
    assert f"issue it again with the subjectKeyIdentifier {former}" in finding.remedy


def test_the_run_that_adopts_it_says_so_and_succeeds(standing: ExternalWorld) -> None:
    standing.answer(renewed(standing, subjectKeyIdentifier=OTHER_KEY_IDENTIFIER))
    report = standing.clone.reconcile()
    assert report.exit_code == 0
    told(report.findings)
    assert standing.clone.plan().findings == ()
    assert standing.clone.verify().contradictions == []


def test_a_name_in_other_bytes_is_told(standing: ExternalWorld) -> None:
    configuration = standing.root.folder / "ca.cnf"
    usual, end = configuration.read_text(), standing.clone.clock.now + timedelta(days=1500)
    configuration.write_text(usual.replace("[here]", "[here]\nstring_mask = pkix"))
    subject, begin = "/CN=Example issuing CA/O=Example", standing.clone.clock.now
    try:
        signed = standing.root.sign(standing.csr, begin=begin, end=end, subject=subject)
    finally:
        configuration.write_text(usual)
    finding = told(standing.plan(signed + standing.root.chain).findings)
    assert "has its subject in other bytes (string types); what CA issuing" in finding.message
    assert "issue it again with the subject in the bytes" in finding.remedy


def test_a_renewal_that_names_the_ca_as_before_is_not_told(standing: ExternalWorld) -> None:
    plan = standing.plan(renewed(standing))
    assert (kinds(plan.actions), plan.findings) == (["adopt-ca"], ())


def test_a_return_to_the_former_key_identifier_tells_what_names_the_one_between(
    standing: ExternalWorld,
) -> None:
    clone = standing.clone
    standing.answer(renewed(standing, subjectKeyIdentifier=OTHER_KEY_IDENTIFIER))
    assert clone.reconcile().exit_code == 0
    clone.clock.forward(hours=1)
    clone.save({"requests/c.yaml": request("c", "c.example.internal")})
    assert clone.reconcile().exit_code == 0
    finding = told(standing.plan(renewed(standing)).findings)
    assert "names the former: 1 certificate." in finding.message


def test_what_is_revoked_does_not_count(standing: ExternalWorld) -> None:
    standing.clone.save({"requests/stop.yaml": revocation(certificate="a")})
    assert standing.clone.reconcile().exit_code == 0
    standing.clone.clock.forward(hours=1)
    finding = told(
        standing.plan(renewed(standing, subjectKeyIdentifier=OTHER_KEY_IDENTIFIER)).findings
    )
    assert "names the former: 1 certificate, CRL 2." in finding.message


def test_a_ca_below_is_named(tmp_path: Path, key_ring: KeyRing) -> None:
    clone = Clone.create(tmp_path / "clone", key_ring, {
        ISSUING: authority("issuing", "external", pathLength=1),
        "ca/other.yaml": authority("other", "issuing", validity="1y"),
    })  # fmt: skip
    clone.reconcile()
    root, room = ExternalParent.root(tmp_path / "root"), "critical,CA:TRUE,pathlen:1"
    clone.save({ANSWER: root.sign(clone.read(CSR), given(basicConstraints=room)) + root.chain})
    assert clone.reconcile().exit_code == 0
    extensions = given(basicConstraints=room, subjectKeyIdentifier=OTHER_KEY_IDENTIFIER)
    clone.save({ANSWER: root.sign(clone.read(CSR), extensions) + root.chain})
    finding = told(clone.plan().findings)
    assert "the former: 1 certificate (CA other among them), CRL 1." in finding.message
