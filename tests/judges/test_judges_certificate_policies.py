"""certificatePolicies of CA documents in openssl's policy tree (RFC 5280 section 6.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ca_documents import authority, policy, request
from ca_world import Clock, Clone, KeyRing
from components import require
from judges.openssl import certificate_text
from judges.process import ask, must

HIGH, LOW = "1.3.6.1.4.1.99999.1", "1.3.6.1.4.1.99999.2"


def leaf_policy(*oids: str) -> str:
    return policy(extensions={"certificatePolicies": [{"oid": oid} for oid in oids]})


DOCUMENTS = {
    "ca/root.yaml": authority("root"),
    "ca/issuing.yaml": authority("issuing", "root", certificatePolicies=[HIGH]),
    "ca/other.yaml": authority("other", "root", certificatePolicies=["2.5.29.32.0"]),
    "policies/high.yaml": leaf_policy(HIGH),
    "policies/low.yaml": leaf_policy(LOW),
    "policies/any.yaml": leaf_policy(LOW).replace("issuer: issuing", "issuer: other"),
    "requests/high.yaml": request("high", "high.example.internal", policy="high"),
    "requests/low.yaml": request("low", "low.example.internal", policy="low"),
    "requests/any.yaml": request("any", "any.example.internal", policy="any"),
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing) -> Clone:
    require("openssl")
    made = Clone.create(tmp_path_factory.mktemp("policies") / "clone", key_ring, DOCUMENTS)
    made.clock = Clock(datetime.now(UTC).replace(microsecond=0))
    report = made.reconcile()
    assert report.exit_code == 0, report.findings
    return made


def accepted(clone: Clone, name: str, ca: str, oid: str, folder: Path) -> bool:
    """Whether openssl accepts a request's certificate for who insists on a policy."""
    (folder / "root.pem").write_bytes(clone.read("issued/root/ca.pem"))
    chain = clone.read(f"issued/{ca}/certificates/{name}.pem")
    (folder / "chain.pem").write_bytes(chain)
    trust = ("-no-CApath", "-no-CAstore", "-CAfile", "root.pem", "-untrusted", "chain.pem")
    insisting = ("-policy", oid, "-policy_check", "-explicit_policy")
    verify = ("openssl", "verify", "-x509_strict", *trust, *insisting, "chain.pem")
    return ask(*verify, cwd=folder).status == 0


@pytest.mark.parametrize(
    ("name", "ca", "oid", "good"),
    [
        ("high", "issuing", HIGH, True),
        ("high", "issuing", LOW, False),
        ("low", "issuing", LOW, False),
        ("low", "issuing", HIGH, False),
        ("any", "other", LOW, True),
        ("any", "other", HIGH, False),
    ],
)
def test_a_policy_counts_where_the_ca_and_the_certificate_both_state_it(
    tmp_path: Path, clone: Clone, name: str, ca: str, oid: str, good: bool
) -> None:
    """The issuing CA is for one policy alone; the other one's anyPolicy stands for each."""
    assert accepted(clone, name, ca, oid, tmp_path) is good


@pytest.mark.parametrize(
    ("ca", "said"), [("issuing", f"Policy: {HIGH}"), ("other", "Policy: X509v3 Any Policy")]
)
def test_openssl_reads_the_policies_in_the_cas_certificate(
    clone: Clone, ca: str, said: str
) -> None:
    der = must("openssl", "x509", "-outform", "DER", stdin=clone.read(f"issued/{ca}/ca.pem"))
    text = certificate_text(der)
    assert f"X509v3 Certificate Policies: \n{' ' * 16}{said}" in text
    assert text.count("Policy: ") == 1


def test_a_root_without_policies_says_nothing(clone: Clone) -> None:
    der = must("openssl", "x509", "-outform", "DER", stdin=clone.read("issued/root/ca.pem"))
    assert "Certificate Policies" not in certificate_text(der)
