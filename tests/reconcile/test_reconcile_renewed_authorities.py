"""CAs that are renewed on their key, and certified by another CA as well."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cryptography import x509

from ca_documents import GOVERNING, authority, request
from ca_world import Clone, KeyRing
from gitca.ledger.image import certificate_der


def own_certificate(clone: Clone, ca: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(clone.read(f"issued/{ca}/ca.pem"))


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


def test_a_new_root_is_cross_certified_by_the_old_one_and_both_are_trusted(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    root = {"pathLength": 2}
    files = {**GOVERNING, "ca/root.yaml": authority("root", "self", **root)}
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    report = clone.reconcile()
    assert report.exit_code == 0, report.findings
    cross = [{"subject": "other", "validity": "2y", "renewBefore": "30d"}]
    clone.save(
        {
            "ca/other.yaml": authority("other", "self"),
            "ca/root.yaml": authority("root", "self", **root, crossCertificates=cross),
        }
    )
    report = clone.reconcile()
    assert report.exit_code == 0, report.findings
    pem = clone.read("issued/other/cross-certificates/root.pem")
    certificate = x509.load_pem_x509_certificate(pem)
    assert certificate.subject == own_certificate(clone, "other").subject
    assert certificate.issuer == own_certificate(clone, "root").subject
    assert certificate.public_key() == own_certificate(clone, "other").public_key()
    certificate.verify_directly_issued_by(own_certificate(clone, "root"))
    assert clone.plan().actions == ()
    clone.clock.forward(days=2 * 365 - 20)
    report = clone.reconcile()
    assert report.exit_code == 0, report.findings
    record = clone.state.authority("other").crosses["root"]
    renewed = x509.load_der_x509_certificate(certificate_der(record))
    assert renewed.not_valid_after_utc > certificate.not_valid_after_utc
    assert clone.verify().contradictions == []
