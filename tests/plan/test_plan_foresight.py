"""What a plan tells in time: lives that are too short, CRLs that lapse, orders that wait."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ca_documents import CRL, authority, document, policy, request, revocation
from ca_world import Clone, kinds
from gitca.findings import Finding
from gitca.plan.model import Plan, SignCrl

API = {"requests/payments/api.yaml": request("api", "api.example.internal")}
SECOND = timedelta(seconds=1)


def every(duration: str) -> dict[str, str]:
    return {"ca/repository.yaml": document("Repository", {"reconcileEvery": duration})}


def told(plan: Plan, rule: str) -> list[Finding]:
    return [finding for finding in plan.findings if finding.rule == rule]


def one(plan: Plan, rule: str) -> Finding:
    (finding,) = told(plan, rule)
    return finding


def line_of(made: Clone, finding: Finding) -> str:
    """The line that a finding is about."""
    text = made.read(finding.location.file).decode()
    return text.splitlines()[finding.location.line - 1].strip()


# authority.life


def end_of(made: Clone, ca: str = "issuing"):
    record = made.state.authority(ca).certificate
    assert record is not None
    return record.certificate.not_after


def test_a_ca_that_outlives_what_it_may_issue_is_no_finding(made: Clone) -> None:
    """The policy allows 90 days, less 5 minutes that lie before the moment of issuance."""
    last = end_of(made) - timedelta(days=90, minutes=-5) + SECOND
    assert told(made.plan(at=last), "authority.life") == []
    assert one(made.plan(at=last + SECOND), "authority.life").location.file == "ca/issuing.yaml"


def test_the_warning_names_dates_policy_and_remedy(made: Clone) -> None:
    end = end_of(made)
    finding = one(made.plan(at=end - timedelta(days=30)), "authority.life")
    assert finding.severity == "warning"
    assert finding.message == (
        f"CA issuing ends on {end:%Y-%m-%d}, and what policy server issues may last 90d: since"
        f" {end - timedelta(days=90, minutes=-5) + SECOND:%Y-%m-%d} it outlives the CA"
    )
    assert finding.remedy == (
        "renew the CA's certificate (renewBefore), let a new CA issue, or shorten validity.max of"
        " policy server"
    )
    assert line_of(made, finding) == "validity: 5y"
    # The next day it reads the same.
    assert one(made.plan(at=end - timedelta(days=29)), "authority.life") == finding


def test_the_longest_policy_is_named_first_and_others_after_it(made: Clone) -> None:
    longer = policy(validity={"default": "30d", "max": "1y"})
    shorter = policy(validity={"default": "10d", "max": "20d"})
    made.save({"policies/long.yaml": longer, "policies/short.yaml": shorter})
    at = end_of(made) - timedelta(days=60)
    message = one(made.plan(at=at), "authority.life").message
    assert "what policy long issues may last 1y (so do policy server): since" in message


def test_a_policy_whose_latest_end_is_before_the_cas_is_no_finding(made: Clone) -> None:
    end = end_of(made)
    rules = {"default": "30d", "max": "90d", "latestNotAfter": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    made.save({"policies/server.yaml": policy(validity=rules)})
    at = end - timedelta(days=30)
    assert told(made.plan(at=at), "authority.life") == []
    rules["latestNotAfter"] = f"{end + SECOND:%Y-%m-%dT%H:%M:%SZ}"
    made.save({"policies/server.yaml": policy(validity=rules)})
    assert one(made.plan(at=at), "authority.life")


@pytest.mark.parametrize("state", ["crl-only", "retired"])
def test_a_ca_that_issues_nothing_needs_no_life(made: Clone, state: str) -> None:
    made.save({"ca/issuing.yaml": authority("issuing", "root", state=state)})
    assert told(made.plan(at=end_of(made) - timedelta(days=30)), "authority.life") == []


def test_a_ca_that_has_ended_is_told_of_by_others(made: Clone) -> None:
    assert told(made.plan(at=end_of(made) + SECOND), "authority.life") == []


def test_a_root_is_too_short_for_the_ca_below_it_from_the_middle_of_that_ones_life(
    made: Clone,
) -> None:
    made.save({"ca/issuing.yaml": authority("issuing", "root", validity="9y")})
    begin = made.clock.now
    middle = end_of(made) - timedelta(days=5 * 365) / 2
    assert told(made.plan(at=begin), "authority.life") == []
    assert told(made.plan(at=middle - timedelta(days=1)), "authority.life") == []
    finding = one(made.plan(at=middle + timedelta(days=1)), "authority.life")
    assert "CA root ends on" in finding.message
    assert "CA issuing below it is made for 9y" in finding.message
    assert finding.remedy.endswith("or shorten the validity of CA issuing")


def test_a_ca_that_is_still_to_be_made_has_a_finding_of_its_own(made: Clone) -> None:
    at = end_of(made, "root") - timedelta(days=365)
    before = told(made.plan(at=at), "authority.life")
    made.save({"ca/other.yaml": authority("other", "root", validity="6y")})
    assert one(made.plan(at=at), "authority.validity").location.file == "ca/other.yaml"
    assert told(made.plan(at=at), "authority.life") == before


def test_a_ca_below_that_issues_nothing_more_needs_no_life_of_its_root(made: Clone) -> None:
    at = end_of(made, "root") - timedelta(days=365)
    assert "CA issuing below it" in one(made.plan(at=at), "authority.life").message
    made.save({"ca/issuing.yaml": authority("issuing", "root", state="crl-only")})
    assert told(made.plan(at=at), "authority.life") == []


def test_a_ca_below_that_is_revoked_needs_no_life_of_its_root(made: Clone) -> None:
    record = made.state.authority("issuing").certificate
    assert record is not None
    stop = revocation("cACompromise", ca="root", serial=record.certificate.serial)
    made.save({"requests/ca/stop.yaml": stop})
    assert made.reconcile().exit_code == 0
    at = end_of(made, "root") - timedelta(days=365)
    assert told(made.plan(at=at), "authority.life") == []


# crl.lapse


def crl_end(made: Clone, ca: str = "issuing"):
    record = made.state.authority(ca).crl
    assert record is not None
    return record.crl.next_update


def left_behind(made: Clone, ca: str, days: float) -> Clone:
    """Let some days pass, and reconcile without the key of a CA: its next CRL is ordered."""
    made.clock.forward(days=days)
    others = {"root", "issuing"} - {ca}
    made.reconcile(selected=others)
    assert made.state.authority(ca).pending_crl is not None
    return made


def test_a_crl_that_the_plan_refreshes_is_no_finding(made: Clone) -> None:
    made.save(every("3d"))
    for before in (timedelta(days=1), timedelta(0), -timedelta(days=30)):
        plan = made.plan(at=crl_end(made) - before)
        assert kinds(plan.actions) == ["sign-crl", "sign-crl"]
        assert told(plan, "crl.lapse") == []


def test_a_crl_that_waits_for_its_key_and_lapses_before_the_next_run_is_a_warning(
    made: Clone,
) -> None:
    end = crl_end(made, "root")
    left_behind(made, "root", days=4.5)
    made.save(every("2d"))
    assert told(made.plan(at=end - timedelta(days=2) - SECOND), "crl.lapse") == []
    finding = one(made.plan(at=end - timedelta(days=2)), "crl.lapse")
    assert finding.severity == "warning"
    assert finding.message == (
        f"CRL 1 of CA root lapses before the next scheduled run, on {end:%Y-%m-%dT%H:%M:%SZ}, and"
        " CRL 2 is ordered and not signed"
    )
    assert finding.remedy == "run gitca sign --ca root where its key is"
    assert line_of(made, finding) == "crl:"


def test_a_crl_that_has_lapsed_is_an_error_schedule_or_not(made: Clone) -> None:
    end = crl_end(made, "root")
    left_behind(made, "root", days=5)
    assert told(made.plan(at=end - SECOND), "crl.lapse") == []
    finding = one(made.plan(at=end), "crl.lapse")
    assert finding.is_error
    assert f"CRL 1 of CA root lapsed on {end:%Y-%m-%dT%H:%M:%SZ}" in finding.message
    made.clock.now = end
    assert made.reconcile(take_over=True).exit_code == 0
    assert told(made.plan(), "crl.lapse") == []


def test_a_reconcile_tells_of_it_too(made: Clone) -> None:
    end = crl_end(made, "root")
    left_behind(made, "root", days=5)
    made.clock.now = end
    report = made.reconcile(selected=["issuing"])
    assert [finding.rule for finding in report.findings if finding.is_error] == ["crl.lapse"]
    assert report.exit_code == 1


def test_a_crl_of_a_ca_whose_document_is_broken_lapses(made: Clone) -> None:
    made.save({"ca/issuing.yaml": "spec: ["})
    assert told(made.plan(at=crl_end(made) - SECOND), "crl.lapse") == []
    finding = one(made.plan(at=crl_end(made)), "crl.lapse")
    assert finding.message.endswith("and the CA's document has findings")
    assert (str(finding.location), finding.remedy) == (
        "ca/issuing.yaml:1:1",
        "mend ca/issuing.yaml",
    )


def test_a_crl_that_is_refreshed_too_late_for_the_schedule_is_a_warning_of_its_document(
    made: Clone,
) -> None:
    """Three days before its end a CRL is refreshed; a run every three days meets that."""
    made.save(every("3d"))
    assert told(made.plan(), "authority.crl.schedule") == []
    made.save(every("73h"))
    findings = told(made.plan(), "authority.crl.schedule")
    assert [finding.location.file for finding in findings] == ["ca/issuing.yaml", "ca/root.yaml"]
    assert {line_of(made, finding) for finding in findings} == {"refreshBefore: 3d"}
    assert {finding.severity for finding in findings} == {"warning"}
    assert findings[0].message == (
        "refreshBefore 3d is below reconcileEvery 73h of ca/repository.yaml: a CRL could lapse"
        " between two runs"
    )
    end = crl_end(made)
    late = end - timedelta(days=3) - SECOND
    lapsing = told(made.plan(at=late), "crl.lapse")
    assert "the next one is not due before the last 3d of it" in lapsing[0].message
    crl = CRL | {"refreshBefore": "4d"}
    made.save(
        {
            "ca/issuing.yaml": authority("issuing", "root", crl=crl),
            "ca/root.yaml": authority("root", state="retired"),
        }
    )
    assert told(made.plan(), "authority.crl.schedule") == []


def test_a_ca_that_has_ended_owes_no_crl(made: Clone) -> None:
    made.save({"ca/issuing.yaml": "spec: ["})
    assert told(made.plan(at=end_of(made)), "crl.lapse") != []
    assert told(made.plan(at=end_of(made) + SECOND), "crl.lapse") == []


# authority.retired


def gone(clone: Clone) -> Clone:
    """Delete the document of the issuing CA: nobody signs its CRLs any more."""
    clone.save({"ca/issuing.yaml": None, "policies/server.yaml": policy(issuer="root")})
    return clone


def test_a_ca_without_a_document_that_has_live_certificates_is_a_warning(issued: Clone) -> None:
    last = issued.current("payments/api").certificate.not_after
    end = crl_end(issued)
    gone(issued)
    finding = one(issued.plan(), "authority.retired")
    assert finding.severity == "warning"
    assert finding.message == (
        f"CA issuing has no document any more, and its last CRL ends on {end:%Y-%m-%d}, before the"
        f" last of 1 certificate on {last:%Y-%m-%d}"
    )
    assert finding.remedy.startswith("restore its document with state: crl-only")
    assert str(finding.location) == "ca/issuing.yaml:1:1"
    assert one(issued.plan(at=last), "authority.retired") == finding
    assert told(issued.plan(at=last), "crl.lapse") == []
    assert told(issued.plan(at=last + SECOND), "authority.retired") == []


def test_a_revoked_certificate_needs_a_crl_as_well(issued: Clone) -> None:
    issued.save({"requests/stop.yaml": revocation(certificate="payments/api")})
    issued.reconcile()
    assert one(gone(issued).plan(), "authority.retired")


def test_a_last_crl_that_covers_the_certificates_is_no_finding(made: Clone) -> None:
    long_crl = {"lifetime": "60d", "refreshBefore": "1d"}
    made.save({"ca/issuing.yaml": authority("issuing", "root", crl=long_crl), **API})
    made.clock.forward(days=6)
    assert made.reconcile().exit_code == 0
    assert told(gone(made).plan(), "authority.retired") == []


def test_a_ca_without_certificates_or_that_is_revoked_needs_no_crl(issued: Clone) -> None:
    issued.save({"ca/other.yaml": authority("other", "root")})
    issued.reconcile()
    issued.save({"ca/other.yaml": None})
    assert told(issued.plan(), "authority.retired") == []
    record = issued.state.authority("issuing").certificate
    assert record is not None
    stop = revocation("cACompromise", ca="root", serial=record.certificate.serial)
    issued.save({"requests/ca/stop.yaml": stop})
    issued.reconcile()
    assert told(gone(issued).plan(), "authority.retired") == []


def test_a_roots_own_certificate_needs_no_crl(made: Clone) -> None:
    made.save({"ca/spare.yaml": authority("spare")})
    made.reconcile()
    made.save({"ca/spare.yaml": None})
    assert told(made.plan(), "authority.retired") == []


@pytest.mark.parametrize("state", ["active", "crl-only"])
def test_a_ca_that_signs_crls_is_no_finding(issued: Clone, state: str) -> None:
    issued.save({"ca/issuing.yaml": authority("issuing", "root", state=state)})
    assert told(issued.plan(), "authority.retired") == []


@pytest.mark.parametrize("name", ["issuing", "root"])
def test_a_retired_ca_is_told_of_unless_the_plan_signs_its_last_crl(
    issued: Clone, name: str
) -> None:
    parent = {"issuing": "root", "root": "self"}[name]
    issued.save({f"ca/{name}.yaml": authority(name, parent, state="retired")})
    plan = issued.plan()
    signs = any(isinstance(action, SignCrl) and action.ca == name for action in plan.actions)
    assert signs != bool(told(plan, "authority.retired"))


def test_a_retired_ca_whose_last_crl_waits_for_its_key_is_a_warning(issued: Clone) -> None:
    left_behind(issued, "issuing", days=4.5)
    issued.save({"ca/issuing.yaml": authority("issuing", "root", state="retired")})
    finding = one(issued.plan(), "authority.retired")
    assert "CA issuing is retired, and its last CRL ends on" in finding.message
    assert finding.remedy == "run gitca sign --ca issuing where its key is"


# order.waiting


def test_an_order_that_waits_for_longer_than_a_day_is_a_warning(made: Clone) -> None:
    left_behind(made, "root", days=4.5)
    since = made.clock.now
    made.save({"ca/other.yaml": authority("other", "root")})
    made.reconcile(selected=["issuing"])
    assert told(made.plan(at=since + timedelta(days=1)), "order.waiting") == []
    finding = one(made.plan(at=since + timedelta(days=1, seconds=1)), "order.waiting")
    assert finding.severity == "warning"
    assert "for the key of CA root since" in finding.message
    assert f"{since:%Y-%m-%dT%H:%M:%SZ}" in finding.message
    assert finding.remedy == "run gitca sign --ca root where that key is"
    assert line_of(made, finding) == "key: file:.gitca/keys/root.pem"


def test_orders_of_one_ca_are_told_once(made: Clone) -> None:
    made.save(API)
    made.save({"requests/web.yaml": request("web", "web.example.internal")})
    made.reconcile(selected=["root"])
    at = made.clock.now + timedelta(days=2)
    message = one(made.plan(at=at), "order.waiting").message
    assert "2 orders wait for the key of CA issuing" in message


# order.ahead


def test_an_order_that_is_dated_ahead_of_the_clock_is_a_warning(made: Clone) -> None:
    left_behind(made, "root", days=4.5)
    at = made.clock.now
    assert told(made.plan(at=at - timedelta(minutes=10)), "order.ahead") == []
    finding = one(made.plan(at=at - timedelta(minutes=10, seconds=1)), "order.ahead")
    assert finding.severity == "warning"
    assert f"an order of CA root dated {at:%Y-%m-%dT%H:%M:%SZ}" in finding.message
    assert "gitca reconcile --take-over gives up what is dated ahead" in finding.remedy
    assert line_of(made, finding) == "key: file:.gitca/keys/root.pem"


def test_a_crl_that_lapses_as_the_next_is_dated_ahead_is_told_the_way_out(made: Clone) -> None:
    end = crl_end(made)
    left_behind(made, "root", days=365)
    finding = one(made.plan(at=end), "crl.lapse")
    assert "CRL 2 is ordered and not signed, as its date has not come" in finding.message
    assert "gitca reconcile --take-over" in finding.remedy


def test_warnings_are_no_actions_and_do_not_change_the_digest(issued: Clone) -> None:
    before = issued.plan().digest
    issued.save(every("30d"))
    plan = issued.plan()
    assert {finding.rule for finding in plan.findings} == {"crl.lapse", "authority.crl.schedule"}
    assert (plan.actions, plan.digest) == ((), before)
    assert issued.verify().contradictions == []
