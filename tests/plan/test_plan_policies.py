"""What a policy's or CA's document does to the requests under it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ca_documents import GOVERNING, authority, policy, request
from ca_world import NOW, Clone, KeyRing, kinds
from gitca.plan.model import CreateAuthority, IssueCertificate, Plan, SignCrl

API = "requests/payments/api.yaml"
NAME = "api.example.internal"


def rules(plan: Plan) -> list[tuple[str, str]]:
    return [(finding.rule, finding.location.file) for finding in plan.findings]


def test_a_changed_policy_judges_standing_requests_again(issued: Clone) -> None:
    strict = {"dns": {"allow": ["**.example.internal"], "deny": [NAME]}}
    issued.save({"policies/server.yaml": policy(sans=strict)})
    plan = issued.plan()
    assert plan.actions == ()
    assert rules(plan) == [("sans.dns.deny", API)]


def test_a_changed_policy_issues_anew_what_it_changes(issued: Clone) -> None:
    issued.save({"policies/server.yaml": policy(keyUsage={"default": ["keyAgreement"]})})
    (action,) = issued.plan().actions
    assert isinstance(action, IssueCertificate)
    assert action.reason == "key usage: + keyAgreement, - digitalSignature"


def test_a_renewal_is_judged_by_the_policy_of_its_day(issued: Clone) -> None:
    issued.save({"policies/server.yaml": policy(selector={"paths": ["orders/**"]})})
    issued.clock.forward(days=25)
    report = issued.reconcile()
    assert report.exit_code == 1
    assert len(issued.state.requests["payments/api"].orders) == 1


@pytest.mark.parametrize(
    "text",
    ["not: yaml: at all", policy(issuer="nobody"), policy(validity=None), policy(colour="red")],
    ids=["yaml", "issuer", "incomplete", "unknown key"],
)
def test_a_broken_policy_holds_up_what_is_under_it_and_nothing_else(made: Clone, text: str) -> None:
    made.save({"policies/broken.yaml": text})
    made.save({API: request("api", NAME), "requests/b.yaml": request("b", NAME, policy="broken")})
    report = made.reconcile()
    assert report.exit_code == 1
    assert {finding.location.file for finding in report.findings} == {
        "policies/broken.yaml",
    } | {"requests/b.yaml"} & {finding.location.file for finding in report.findings}
    assert made.openssl_verify("payments/api") == "OK"
    assert "b" not in made.state.requests


def test_a_broken_ca_document_holds_up_what_depends_on_it_and_nothing_else(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    files = {
        **GOVERNING,
        "ca/other.yaml": authority("other", "root", validity="11y"),
        "policies/other.yaml": policy(issuer="other"),
        "requests/b.yaml": request("b", NAME, policy="other"),
        API: request("api", NAME),
    }
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    report = clone.reconcile()
    assert report.exit_code == 1
    assert ("authority.validity", "ca/other.yaml") in rules(Plan((), report.findings))
    assert clone.openssl_verify("payments/api") == "OK"
    assert clone.state.authority("other").certificate is None
    assert "b" not in clone.state.requests


def test_a_signature_algorithm_that_the_key_cannot_do_holds_up_that_ca_alone(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    files = {
        **GOVERNING,
        "ca/other.yaml": authority("other", signatureAlgorithm="rsa-pkcs1-sha256"),
        API: request("api", NAME),
    }
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    report = clone.reconcile()
    assert report.exit_code == 1
    (finding,) = report.findings
    assert (finding.location.file, finding.rule) == (
        "ca/other.yaml",
        "authority.signatureAlgorithm",
    )
    assert finding.location.line > 1
    assert clone.openssl_verify("payments/api") == "OK"


def test_a_signature_algorithm_that_went_wrong_later_is_a_finding_too(issued: Clone) -> None:
    wrong = authority("issuing", "root", signatureAlgorithm="ed25519")
    issued.save({"ca/issuing.yaml": wrong, "requests/b.yaml": request("b", "b.example.internal")})
    issued.clock.forward(days=5)  # its CRL is due, too
    report = issued.reconcile()
    assert report.exit_code == 1
    assert {finding.rule for finding in report.findings} == {"authority.signatureAlgorithm"}
    assert [order.ca for order in report.signed] == ["root"]


def test_parents_are_made_before_their_children(tmp_path: Path, key_ring: KeyRing) -> None:
    clone = Clone.create(tmp_path / "clone", key_ring)
    plan = clone.plan()
    created = [action for action in plan.actions if isinstance(action, CreateAuthority)]
    assert [(action.ca, action.authority) for action in created] == [
        ("root", "root"),
        ("root", "issuing"),
    ]
    assert [action.ca for action in plan.actions if isinstance(action, SignCrl)] == [
        "root",
        "issuing",
    ]


@pytest.mark.parametrize("state", ["crl-only", "retired"])
def test_a_ca_that_is_not_active_is_not_made(tmp_path: Path, key_ring: KeyRing, state: str) -> None:
    files = {**GOVERNING, "ca/issuing.yaml": authority("issuing", "root", state=state)}
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    assert clone.reconcile().exit_code == 0
    assert list(clone.state.authorities) == ["root"]
    assert clone.plan() == Plan((), ())


@pytest.mark.parametrize("state", ["crl-only", "retired"])
def test_a_ca_below_a_parent_that_will_never_be_made_is_not_planned(
    tmp_path: Path, key_ring: KeyRing, state: str
) -> None:
    files = {**GOVERNING, "ca/root.yaml": authority("root", state=state)}
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    plan = clone.plan()
    assert plan.actions == ()
    assert rules(plan) == [("authority.state", "ca/issuing.yaml")]


def test_a_crl_only_ca_issues_nothing_and_keeps_its_crl(issued: Clone) -> None:
    issued.save({"ca/issuing.yaml": authority("issuing", "root", state="crl-only")})
    issued.save({"requests/b.yaml": request("b", "b.example.internal")})
    issued.clock.forward(days=4)
    plan = issued.plan()
    assert [(action.action, action.ca) for action in plan.actions] == [
        ("sign-crl", "root"),
        ("sign-crl", "issuing"),
    ]
    assert ("authority.state", "requests/b.yaml") in rules(plan)


def test_a_retired_ca_signs_one_last_crl_that_lasts_as_long_as_its_certificate(
    issued: Clone,
) -> None:
    issued.save({"ca/issuing.yaml": authority("issuing", "root", state="retired")})
    assert [(a.action, a.ca) for a in issued.plan().actions] == [("retire-ca", "issuing")]
    assert issued.reconcile().exit_code == 0
    record = issued.state.authority("issuing")
    assert record.crl is not None
    assert record.certificate is not None
    assert record.crl.crl.next_update == record.certificate.certificate.not_after
    plan = issued.plan(at=NOW + timedelta(days=100))
    assert [(action.action, action.ca) for action in plan.actions] == [("sign-crl", "root")]
    assert issued.verify().contradictions == []


def test_a_crl_is_refreshed_in_time_and_not_before(made: Clone) -> None:
    due = NOW + timedelta(days=4)
    assert kinds(made.plan(at=due - timedelta(seconds=1)).actions) == []
    assert kinds(made.plan(at=due).actions) == ["sign-crl", "sign-crl"]
    made.clock.now = due
    assert made.reconcile().exit_code == 0
    assert made.crl().next_update_utc == due + timedelta(days=7)
    assert made.plan().actions == ()


def test_a_ca_whose_certificate_has_ended_signs_no_crl(tmp_path: Path, key_ring: KeyRing) -> None:
    files = {**GOVERNING, "ca/issuing.yaml": authority("issuing", "root", validity="10d")}
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    clone.reconcile()
    clone.clock.forward(days=11)
    crls = [action.ca for action in clone.plan().actions if isinstance(action, SignCrl)]
    assert crls == ["root"]


@pytest.mark.parametrize(
    ("key", "document"),
    [
        ("subject", authority("issuing", "root", subject={"commonName": "Another"})),
        ("pathLength", authority("issuing", "root", pathLength=None)),
        (
            "nameConstraints",
            authority(
                "issuing", "root", nameConstraints={"permitted": {"dns": ["example.internal"]}}
            ),
        ),
    ],
    ids=["subject", "pathLength", "nameConstraints"],
)
def test_a_ca_document_that_its_certificate_belies_is_a_finding(
    issued: Clone, key: str, document: str
) -> None:
    issued.save({"ca/issuing.yaml": document})
    issued.save({"requests/b.yaml": request("b", "b.example.internal")})
    plan = issued.plan()
    assert [finding.rule for finding in plan.findings] == ["authority.changed"]
    assert f"the document's {key} is not what" in plan.findings[0].message
    assert not any(isinstance(action, IssueCertificate) for action in plan.actions)


def test_a_cas_validity_and_urls_may_change_for_what_is_issued_from_now_on(issued: Clone) -> None:
    crl = {"lifetime": "7d", "refreshBefore": "3d", "urls": ["http://new.example.internal/i.crl"]}
    issued.save({"ca/issuing.yaml": authority("issuing", "root", validity="3y", crl=crl)})
    assert issued.plan() == Plan((), ())
