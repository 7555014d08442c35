"""Renewal, re-issue and rekey are judged like a first issuance; approvals are of one plan alone.

These are the ways of FIELD.md's first list that need a repository with a past; the others are in
tests/policy/test_policy_bypass_paths.py.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ca_documents import POLICY, authority, csr_pem, policy, private_key, request
from ca_world import Clone
from gitca.plan.model import IssueCertificate

API = "requests/payments/api.yaml"
SERVER = "policies/server.yaml"
NAME = "api.example.internal"

# What security takes back later, and the rule that says so from then on.
NARROWED: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"sans": {"dns": {"allow": ["web.example.internal"]}}}, "sans.dns.allow"),
    "denied name": (
        {"sans": {"dns": {"allow": ["**.example.internal"], "deny": ["api.*.internal"]}}},
        "sans.dns.deny",
    ),
    "no names at all": ({"sans": {}}, "sans.dns"),
    "subject": ({"subject": {}}, "subject.commonName"),
    "key": ({"key": {"algorithms": [{"type": "ecdsa", "curves": ["P-384"]}]}}, "key.algorithms"),
    "key's age": ({"key": POLICY["key"] | {"maxAge": "30d"}}, "key.maxAge"),
    "validity": ({"validity": {"default": "15d", "max": "20d"}}, "validity.max"),
    "usage": ({"extendedKeyUsage": {"default": ["clientAuth"]}}, "extendedKeyUsage.allow"),
    "path": ({"selector": {"paths": ["other/**"]}}, "selector.paths"),
    "label": ({"selector": {"labels": {"team": "web"}}}, "selector.labels"),
    "expression": (
        {"rules": [{"name": "none", "expression": "false", "message": "nothing more"}]},
        "rules.none",
    ),
    "schema": ({"requestSchema": {"required": ["metadata"]}}, "requestSchema"),
}


def _orders(clone: Clone) -> int:
    return len(clone.state.requests["payments/api"].orders)


@pytest.fixture
def standing(made: Clone) -> Clone:
    """A certificate whose request states everything that the policy could take back."""
    text = request("api", NAME, validity="30d", extendedKeyUsage=["serverAuth"])
    made.save({API: text})
    assert made.reconcile().exit_code == 0
    return made


@pytest.mark.parametrize("what", NARROWED)
def test_what_the_policy_takes_back_is_not_renewed(standing: Clone, what: str) -> None:
    changes, rule = NARROWED[what]
    standing.save({SERVER: policy(**changes)})
    standing.clock.forward(days=25)
    report = standing.reconcile()
    assert report.exit_code == 1
    assert rule in [finding.rule for finding in report.findings]
    assert _orders(standing) == 1


# How a request that stands asks for one more certificate.
AGAIN: dict[str, dict[str, Any]] = {
    "re-issued with another name": {"sans": {"dns": [NAME, "b.example.internal"]}},
    "re-issued with another usage": {"keyUsage": ["digitalSignature"], "validity": "29d"},
    "rekeyed": {"csr": csr_pem("another")},
}


@pytest.mark.parametrize("how", AGAIN)
@pytest.mark.parametrize("what", ["denied name", "key", "usage", "path", "expression"])
def test_what_the_policy_takes_back_is_not_issued_again(
    standing: Clone, what: str, how: str
) -> None:
    changes, rule = NARROWED[what]
    again = {"validity": "30d", "extendedKeyUsage": ["serverAuth"], **AGAIN[how]}
    standing.save({SERVER: policy(**changes), API: request("api", NAME, **again)})
    report = standing.reconcile()
    assert report.exit_code == 1
    assert rule in [finding.rule for finding in report.findings]
    assert _orders(standing) == 1


WIDENED: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"sans": {"dns": [NAME, "api.example.com"]}}, "sans.dns.allow"),
    "address": ({"sans": {"dns": [NAME], "ip": ["10.1.2.3"]}}, "sans.ip"),
    "subject": ({"subject": {"organization": "system:masters"}}, "subject.organization"),
    "validity": ({"validity": "91d"}, "validity.max"),
    "time": ({"notAfter": "2036-01-01T00:00:00Z"}, "validity.requestDates"),
    "usage": ({"extendedKeyUsage": ["codeSigning"]}, "extendedKeyUsage.allow"),
    "ca": ({"ca": {"pathLength": 0}}, "ca"),
    "extension": (
        {"extensions": [{"oid": "1.3.6.1.4.1.99999.7", "value": {"utf8": "x"}}]},
        "extensions.allow",
    ),
}


@pytest.mark.parametrize("what", WIDENED)
@pytest.mark.parametrize("due", [False, True], ids=["now", "when renewal is due"])
def test_a_request_that_stands_gains_nothing_by_a_change(
    standing: Clone, what: str, due: bool
) -> None:
    changes, rule = WIDENED[what]
    standing.save({API: request("api", NAME, **changes)})
    if due:
        standing.clock.forward(days=25)
    report = standing.reconcile()
    assert report.exit_code == 1
    assert rule in [finding.rule for finding in report.findings]
    assert _orders(standing) == 1


@pytest.mark.parametrize("due", [False, True], ids=["now", "when renewal is due"])
def test_a_csr_that_says_more_does_not_come_in_on_the_standing_key(
    standing: Clone, due: bool
) -> None:
    standing.save({API: request("api", NAME, csr=_leaky_csr("api"))})
    if due:
        standing.clock.forward(days=25)
    report = standing.reconcile()
    assert report.exit_code == 1
    assert "csr.subject" in [finding.rule for finding in report.findings]
    assert _orders(standing) == 1


def _leaky_csr(key: str) -> str:
    """Return a CSR on a key that states the name of the request, and an organisation."""
    names = [(x509.NameOID.COMMON_NAME, NAME), (x509.NameOID.ORGANIZATION_NAME, "system:masters")]
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signed = builder.sign(private_key(key), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def test_an_approval_is_of_one_plan(made: Clone) -> None:
    """Whatever decides on a certificate is part of what the digest is over."""
    made.save({API: request("api", NAME)})
    digests = {made.plan().digest}
    for change in (
        {SERVER: policy(validity={"default": "31d", "max": "90d", "backdate": "5m"})},
        {SERVER: policy(keyUsage={"default": ["digitalSignature", "keyAgreement"]})},
        {SERVER: policy(extensions={"ocspNoCheck": True})},
        {SERVER: policy(), API: request("other", NAME)},
        {API: request("api", NAME, "b.example.internal")},
        {API: request("api", NAME, validity="29d")},
        {API: request("api", NAME), "requests/shop/web.yaml": request("web", "w.example.internal")},
        {"ca/issuing.yaml": authority("issuing", "root", caIssuersUrls=["http://a.internal/c"])},
    ):
        made.save(change)
        digests.add(made.plan().digest)
    assert len(digests) == 9


def test_a_policy_of_a_branch_speaks_for_nothing_until_it_is_merged(made: Clone) -> None:
    """The reconciler judges by the policies of the commit that it signs for."""
    before = made.tip
    wide = policy(sans={"dns": {"allow": ["**"]}})
    made.save({SERVER: wide, API: request("api", "api.example.com", subject=None)})
    branch = made.tip
    assert any(isinstance(action, IssueCertificate) for action in made.plan(branch).actions)
    assert not made.plan(before).actions
    made.save({SERVER: policy()})
    assert not made.plan().actions
    assert made.reconcile().exit_code == 1
    assert "payments/api" not in made.state.requests


def test_a_renewal_under_the_same_policy_does_happen(standing: Clone) -> None:
    """The judge of all of the above: nothing but the policy stops them."""
    standing.clock.forward(days=25)
    assert standing.reconcile().exit_code == 0
    assert _orders(standing) == 2
    end = standing.current("payments/api").certificate.not_after
    assert end - standing.clock.now < timedelta(days=30)
