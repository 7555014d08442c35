"""CAs that close: crl-only ones answer for what they issued, retired ones sign one last CRL."""

from __future__ import annotations

from ca_documents import authority, policy, request, revocation
from ca_signers import failing_after
from ca_world import Clone, kinds

SERVER = "requests/payments/api.yaml"


def issuing(state: str, **spec: object) -> dict[str, str]:
    return {"ca/issuing.yaml": authority("issuing", "root", state=state, **spec)}


def end_of(clone: Clone, ca: str = "issuing") -> object:
    record = clone.state.authority(ca).certificate
    assert record is not None
    return record.certificate.not_after


def check_idle(clone: Clone) -> None:
    assert clone.plan().actions == ()
    assert not clone.state.pending
    assert clone.verify().contradictions == []


def test_a_crl_only_ca_issues_nothing_and_keeps_its_crl_fresh(issued: Clone) -> None:
    issued.save(issuing("crl-only", renewBefore="1820d"))
    issued.save({"requests/late.yaml": request("b", "late.example.internal")})
    report = issued.reconcile()
    assert report.exit_code == 1
    refused = {item.location.file for item in report.findings if item.is_error}
    assert refused == {"requests/late.yaml"}
    assert report.signed == []
    number = issued.crl().extensions
    issued.save({"requests/late.yaml": None})
    issued.clock.forward(days=10)
    assert "renew-ca" not in kinds(issued.plan().actions)
    issued.reconcile()
    assert issued.crl().extensions != number
    assert issued.openssl_verify("payments/api") == "OK"
    issued.clock.forward(hours=1)
    issued.save({"requests/revoked.yaml": revocation(certificate="payments/api")})
    issued.reconcile()
    assert issued.openssl_verify("payments/api") == "certificate revoked"
    issued.clock.forward(hours=1)
    check_idle(issued)


def test_the_last_crl_of_a_retired_ca_lasts_until_the_ca_ends(issued: Clone) -> None:
    issued.save({**issuing("retired"), SERVER: None})
    assert [(a.action, a.ca) for a in issued.plan().actions] == [("retire-ca", "issuing")]
    report = issued.reconcile()
    assert report.exit_code == 0
    assert issued.crl().next_update_utc == end_of(issued)
    assert issued.openssl_verify("payments/api") == "OK"
    issued.clock.forward(hours=1)
    check_idle(issued)
    assert "authority.retired" not in {finding.rule for finding in issued.plan().findings}
    issued.clock.forward(days=15)
    assert "sign-crl" not in [a.action for a in issued.plan().actions if a.ca == "issuing"]
    assert issued.openssl_verify("payments/api") == "OK"


def test_what_is_revoked_after_a_cas_last_crl_makes_another(issued: Clone) -> None:
    issued.save({**issuing("retired"), SERVER: None})
    assert issued.reconcile().exit_code == 0
    issued.clock.forward(days=1)
    issued.save({"requests/revoked.yaml": revocation(certificate="payments/api")})
    assert issued.reconcile().exit_code == 0
    assert issued.openssl_verify("payments/api") == "certificate revoked"
    assert issued.crl().next_update_utc == end_of(issued)
    issued.clock.forward(hours=1)
    check_idle(issued)


def test_a_last_crl_that_a_dead_run_ordered_is_signed_with_the_same_bytes(issued: Clone) -> None:
    issued.save({**issuing("retired"), SERVER: None})
    dead = failing_after(issued.keys.named("issuing"), 0)
    assert issued.reconcile(opener=issued.keys.but(issuing=dead)).exit_code == 4
    (order,) = issued.state.pending
    issued.clock.forward(hours=1)
    assert issued.reconcile().exit_code == 0
    assert issued.state.orders[order].signed is not None
    assert issued.crl().next_update_utc == end_of(issued)
    check_idle(issued)


def test_a_policy_whose_ca_is_retired_denies_and_another_ca_takes_over(issued: Clone) -> None:
    issued.save({**issuing("retired"), "requests/new.yaml": request("n", "new.example.internal")})
    report = issued.reconcile()
    assert report.exit_code == 1
    assert issued.state.requests.get("new") is None
    issued.save(
        {
            "ca/other.yaml": authority("other", "root"),
            "policies/server.yaml": policy(issuer="other"),
        }
    )
    report = issued.reconcile()
    assert (report.exit_code, [f.rule for f in report.findings if f.is_error]) == (0, [])
    assert issued.current("new").ordered.ca == "other"
    issued.clock.forward(hours=1)
    check_idle(issued)


def test_a_retired_root_keeps_its_children_checkable(issued: Clone) -> None:
    """The issuing CA goes on: only a new CA, or its renewal, needs an active root."""
    issued.save({"ca/root.yaml": authority("root", state="retired")})
    issued.reconcile()
    assert issued.crl("root").next_update_utc == end_of(issued, "root")
    issued.clock.forward(days=30)
    issued.save({"requests/late.yaml": request("b", "late.example.internal")})
    report = issued.reconcile()
    assert report.exit_code == 0, report.findings
    assert issued.openssl_verify("late") == "OK"
    issued.clock.forward(hours=1)
    check_idle(issued)
