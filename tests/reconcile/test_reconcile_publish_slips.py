"""Step 10 where people slip: names that clash, typos in roots' documents, foreign software."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from ca_documents import authority
from ca_world import Clone
from gitca.ledger.image import certificate_der
from gitca.x509 import der
from gitca.x509.algorithms import algorithm_identifier_der
from gitca.x509.signed import assemble
from judges.process import must
from publish_world import (
    STOP,
    files,
    issuer_of,
    pem,
    public,
    published,
    reconciled,
)


def test_a_ca_that_is_named_after_anothers_key_holds_up_no_crl(target: Clone) -> None:
    key = issuer_of(target).subject_key_identifier
    assert key is not None
    name = f"issuing-{key.hex()}"
    other = authority("other", subject={"commonName": "Another CA"})
    target.save(STOP | {f"ca/{name}.yaml": other})
    report = reconciled(target)
    assert report.published is not None
    assert report.exit_code == 1
    there = files(target)
    assert there["issuing.crl"] == there[f"{name}.crl"] == target.read("issued/issuing/crl.der")
    own = must("openssl", "crl", "-outform", "DER", stdin=there[f"{name}.crl.pem"])
    assert own == target.read(f"issued/{name}/crl.der")
    told = {(found.rule, found.location.file) for found in report.published.findings}
    assert told == {("publish.name.taken", f"ca/{name}.yaml")}
    assert published(target).targets[0].sent == [], "no two CRLs replace each other there"


def test_a_crl_that_only_other_software_reads_is_not_replaced(target: Clone) -> None:
    """Of version 1, by the CA's key: openssl reads it, and gitca never makes one."""
    moments = (target.clock.now, target.clock.now + timedelta(days=7))
    revoked = der.sequence(der.sequence(der.integer(0xDEADBEEF), der.time(moments[0])))
    algorithm = algorithm_identifier_der("ecdsa-sha256")
    times = map(der.time, moments)
    tbs = der.sequence(algorithm, issuer_of(target).subject_der, *times, revoked)
    signature = target.keys.named("issuing").sign(tbs, "ecdsa-sha256").value
    planted = assemble(tbs, "ecdsa-sha256", signature)
    words = must("openssl", "crl", "-inform", "DER", "-noout", "-text", stdin=planted)
    assert b"DEADBEEF" in words
    public(target, "issuing.crl").write_bytes(planted)
    result = published(target)
    assert (result.exit_code, result.targets[0].sent) == (5, [])
    (failure,) = result.targets[0].failures
    assert "publish.crl.unreadable" in str(failure)
    assert files(target)["issuing.crl"] == planted


# The trust bundle.


def test_a_typo_in_a_roots_document_takes_no_trust_away(target: Clone) -> None:
    before = files(target)["bundles/roots.pem"]
    assert b"BEGIN CERTIFICATE" in before
    target.save({"ca/root.yaml": authority("root", validity="10yy")})
    assert published(target).targets[0].sent == []
    assert files(target)["bundles/roots.pem"] == before


@pytest.mark.parametrize("cause", ["a clock that is ahead", "the last root is retired"])
def test_a_bundle_of_roots_is_never_emptied(target: Clone, cause: str) -> None:
    """Who trusts nothing any more cannot be reached; a person says so at the target itself."""
    before = files(target)
    if cause == "a clock that is ahead":
        target.clock.forward(days=4000)
    else:
        target.save({"ca/root.yaml": authority("root", state="retired")})
    result = published(target)
    (failure,) = result.targets[0].failures
    assert result.exit_code == 5
    assert "bundles/roots.pem was not emptied" in str(failure)
    assert files(target)["bundles/roots.pem"] == before["bundles/roots.pem"]
    assert "bundles/roots.pem" in json.loads(files(target)["manifest.json"])["objects"]
    public(target, "bundles/roots.pem").unlink()
    assert published(target).targets[0].failures == []
    assert files(target)["bundles/roots.pem"] == b""


def test_a_bundle_with_a_roots_earlier_certificate_is_not_emptied(target: Clone) -> None:
    before = files(target)["bundles/roots.pem"]
    target.save({"ca/root.yaml": authority("root", renewBefore="9y")})
    target.clock.forward(days=400)
    assert target.reconcile().exit_code in (0, 1)
    assert target.read("issued/root/ca.pem") != before
    target.clock.forward(days=4000)
    assert published(target).exit_code == 5
    assert files(target)["bundles/roots.pem"] == before


def test_a_root_that_somebody_else_put_into_an_empty_bundle_does_not_stay(target: Clone) -> None:
    target.save({"ca/root.yaml": authority("root", state="retired")})
    foreign = pem(certificate_der(target.current("api"))).replace(b"X509 CRL", b"CERTIFICATE")
    public(target, "bundles/roots.pem").write_bytes(foreign)
    assert published(target).targets[0].sent == ["bundles/roots.pem"]
    assert files(target)["bundles/roots.pem"] == b""
