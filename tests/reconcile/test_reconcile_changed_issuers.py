"""CAs whose documents name another issuer than the one that gave their certificate."""

from __future__ import annotations

import pytest

from ca_documents import authority, request, revocation
from ca_world import Clone
from gitca.findings import Finding, Severity
from gitca.plan.model import Plan
from gitca.x509.template import spki_identifier

LATE = {"requests/late.yaml": request("b", "late.example.internal")}


def told(plan: Plan, rule: str) -> list[Finding]:
    return [finding for finding in plan.findings if finding.rule == rule]


@pytest.fixture
def two_roots(issued: Clone) -> Clone:
    """`issuing` stands below `root`; `other` is a root of its own."""
    issued.save({"ca/other.yaml": authority("other")})
    assert issued.reconcile().exit_code == 0
    return issued


def test_a_ca_whose_root_is_revoked_issues_nothing_whatever_issuer_its_document_names(
    two_roots: Clone,
) -> None:
    root = spki_identifier(two_roots.keys.named("root").public_key())
    two_roots.save({"requests/ca/stop.yaml": revocation("cACompromise", key=root)})
    two_roots.reconcile()
    two_roots.save({"ca/issuing.yaml": authority("issuing", "other"), **LATE})
    report = two_roots.reconcile()
    assert report.exit_code == 1
    assert [order.ca for order in report.signed if order.ca == "issuing"] == []
    assert "late" not in two_roots.state.requests
    assert "authority.revoked" in [item.rule for item in report.findings]
    # Its key away, where a run once ordered and gave up without end.
    assert two_roots.reconcile(opener=two_roots.keys.but(issuing=None)).abandoned == []


def test_a_revocation_of_the_root_counts_in_the_run_that_records_it(two_roots: Clone) -> None:
    root = spki_identifier(two_roots.keys.named("root").public_key())
    two_roots.save(
        {
            "requests/ca/stop.yaml": revocation("cACompromise", key=root),
            "ca/issuing.yaml": authority("issuing", "other"),
            **LATE,
        }
    )
    assert two_roots.reconcile().exit_code == 1
    assert "late" not in two_roots.state.requests


@pytest.mark.parametrize(
    ("name", "issuer", "seen"),
    [
        ("issuing", "other", "from CA root"),
        ("issuing", "self", "from CA root"),
        ("other", "root", "self-signed"),
        ("other", "external", "self-signed"),
    ],
)
def test_a_document_that_names_another_issuer_is_an_error_and_holds_the_ca_up(
    two_roots: Clone, name: str, issuer: str, seen: str
) -> None:
    two_roots.save({f"ca/{name}.yaml": authority(name, issuer, pathLength=0), **LATE})
    found = list(told(two_roots.plan(), "authority.changed"))
    (finding,) = [item for item in found if "issuer is" in item.message]
    assert finding.severity is Severity.ERROR
    assert f"the document's issuer is {issuer}, and the CA's certificate is {seen};" in (
        finding.message
    )
    assert two_roots.reconcile().exit_code == 1
    assert ("late" in two_roots.state.requests) == (name == "other")
