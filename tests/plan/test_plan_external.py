"""What an external CA may give, and what is refused of it; `openssl ca` is that CA."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ca_documents import authority, document, policy, request, revocation
from ca_world import NOW, Clone, KeyRing, kinds
from external_parent import ANSWER, CSR, DOCUMENTS, ISSUING, MIDDLE, ExternalWorld, given
from gitca.plan.model import AdoptAuthority, Plan
from judges.process import must


def rules(plan: Plan) -> list[str]:
    return [finding.rule for finding in plan.findings]


def adoption(plan: Plan) -> AdoptAuthority:
    (action,) = plan.actions
    assert isinstance(action, AdoptAuthority)
    return action


def test_while_there_is_no_answer_one_finding_tells_it_and_nothing_is_issued(
    world: ExternalWorld,
) -> None:
    clone = world.clone
    clone.save({
        **{f"requests/r{n}.yaml": request(f"r{n}", f"r{n}.example.internal") for n in range(3)},
        "ca/lower.yaml": authority("other", "issuing"),
        ISSUING: authority("issuing", "external", pathLength=1),
    })  # fmt: skip
    plan = clone.plan()
    assert kinds(plan.actions) == ["request-ca"]
    assert rules(plan) == ["authority.external"]
    (finding,) = plan.findings
    assert not finding.is_error
    assert finding.location.file == ISSUING
    assert "policy server" in finding.message
    assert "CA lower" in finding.message
    assert f"certify {CSR}, and commit its answer as {ANSWER}" in finding.remedy


def test_a_good_answer_is_adopted_with_what_is_above_it(world: ExternalWorld) -> None:
    plan = world.plan(world.root.sign(world.csr) + world.root.chain)
    action = adoption(plan)
    assert (action.ca, action.authority, action.file.path) == ("external", "issuing", ANSWER)
    assert len(action.chain) == 1
    assert plan.findings == ()


def test_a_plan_of_the_same_documents_has_the_same_digest_a_day_later(world: ExternalWorld) -> None:
    plan = world.plan(world.root.sign(world.csr) + world.root.chain)
    assert world.clone.plan(at=NOW + timedelta(days=1)).digest == plan.digest


def test_a_path_of_two_is_put_in_order_whatever_the_file_has(world: ExternalWorld) -> None:
    certificate = world.middle.sign(world.csr)
    straight = adoption(world.plan(certificate + world.middle.chain))
    mixed = adoption(world.plan(world.root.certificate + certificate + world.middle.certificate))
    assert mixed.certificate_der == straight.certificate_der
    assert mixed.chain == straight.chain
    assert len(mixed.chain) == 2


def test_without_its_issuers_a_certificate_is_adopted_with_a_warning(world: ExternalWorld) -> None:
    plan = world.plan(world.root.sign(world.csr))
    assert kinds(plan.actions) == ["adopt-ca"]
    assert rules(plan) == ["authority.certificate.unverified"]
    assert not plan.findings[0].is_error
    half = world.plan(world.middle.sign(world.csr) + world.middle.certificate)
    assert kinds(half.actions) == ["adopt-ca"]
    assert "the file ends at “Corporate, Corporate Middle”" in half.findings[0].message


def test_a_self_signed_certificate_on_the_cas_key_is_none_of_an_external_ca(
    world: ExternalWorld,
) -> None:
    key = world.clone.keys.folder / ".gitca/keys/issuing.pem"
    options = ("-passin", "pass:correct horse battery staple", "-days", "30")
    command = ("openssl", "req", "-x509", "-new", "-key", key, *options)
    subject = ("-subj", "/CN=Example issuing CA/O=Example", "-addext", "keyUsage=critical,cRLSign")
    plan = world.plan(must(*command, *subject).decode())
    assert "authority.certificate.issuer" in rules(plan)
    assert plan.actions == ()


@pytest.mark.parametrize(
    ("extensions", "remedy"),
    [
        (given(basicConstraints="critical,CA:TRUE,pathlen:3"), {"pathLength": 3}),
        (given(basicConstraints="critical,CA:TRUE"), {"pathLength": None}),
        (
            given(nameConstraints="critical,permitted;DNS:corp.example,excluded;IP:10.0.0.0/255.0.0.0"),
            {
                "nameConstraints": {
                    "permitted": {"dns": ["corp.example"]},
                    "excluded": {"ip": ["10.0.0.0/8"]},
                }
            },
        ),
        (given(certificatePolicies="1.2.3.4"), {"certificatePolicies": ["1.2.3.4"]}),
    ],
)  # fmt: skip
def test_a_document_that_says_what_the_remedy_says_is_satisfied(
    world: ExternalWorld, extensions: tuple[str, ...], remedy: dict[str, object]
) -> None:
    plan = world.plan(world.root.sign(world.csr, extensions) + world.root.chain)
    (finding,) = plan.findings
    (field,) = remedy
    assert field in finding.remedy
    assert ISSUING in finding.remedy
    world.clone.save({ISSUING: authority("issuing", "external", **remedy)})
    plan = world.clone.plan()
    # The CSR asks for something else by now, and is made anew; what was given is in order.
    assert kinds(plan.actions) == ["request-ca", "adopt-ca"]
    assert [rule for rule in rules(plan) if rule.startswith("authority")] == []


def test_room_that_the_cas_above_leave_must_be_stated(world: ExternalWorld) -> None:
    world.clone.save({ISSUING: authority("issuing", "external", pathLength=3)})
    extensions = given(basicConstraints="critical,CA:TRUE,pathlen:3")
    plan = world.plan(world.middle.sign(world.csr, extensions) + world.middle.chain)
    assert rules(plan) == ["authority.certificate.above"]
    assert "leaves room for pathLength 0, and the document states 3" in plan.findings[0].message


def test_directory_names_that_a_ca_above_is_constrained_to_are_warned_of(
    world: ExternalWorld,
) -> None:
    lines = (*given(basicConstraints="critical,CA:TRUE"),
             "nameConstraints=critical,permitted;dirName:here", "[here]", "O=Example")  # fmt: skip
    lower = world.root.subordinate(world.clone.folder.parent / "named", "Named", lines)
    plan = world.plan(lower.sign(world.csr) + lower.chain)
    assert rules(plan) == ["authority.certificate.constraintsAbove"]
    assert kinds(plan.actions) == ["adopt-ca"]


@pytest.mark.parametrize("state", ["retired", "crl-only"])
def test_a_closed_ca_asks_for_nothing(tmp_path: Path, key_ring: KeyRing, state: str) -> None:
    files = {ISSUING: authority("issuing", "external", state=state)}
    plan = Clone.create(tmp_path / "clone", key_ring, files).plan()
    assert plan.actions == ()


def test_a_file_that_is_there_before_the_csr_waits_for_it(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    clone = Clone.create(tmp_path / "clone", key_ring, {**DOCUMENTS, ANSWER: "what?"})
    assert kinds(clone.plan().actions) == ["request-ca"]
    report = clone.reconcile()
    assert [item.rule for item in report.findings] == ["authority.certificate.format"]


def test_a_blocked_key_is_neither_asked_on_nor_adopted(world: ExternalWorld) -> None:
    key = world.clone.state.authority("issuing").key
    blocklist = document("KeyBlocklist", {"keys": [{"key": key, "reason": "leaked"}]})
    world.answer(world.root.sign(world.csr) + world.root.chain)
    world.clone.save({"policies/blocked.yaml": blocklist, "policies/server.yaml": policy()})
    plan = world.clone.plan()
    assert plan.actions == ()
    assert rules(plan) == ["authority.key.blocked"]


def test_a_key_that_is_about_to_be_refused_is_not_adopted_in_the_same_run(
    world: ExternalWorld,
) -> None:
    key = world.clone.state.authority("issuing").key
    stop = revocation(key=key, reason="cACompromise")
    plan_of_both = {"requests/ca/stop.yaml": stop, "requests/web.yaml": request("web", "w.example")}
    world.answer(world.good(), **plan_of_both)
    assert kinds(world.clone.plan().actions) == ["revoke"]
    world.clone.save({"requests/ca/stop.yaml": stop.replace("spec", "specs")})
    assert kinds(world.clone.plan().actions) == []
    world.clone.save({"requests/ca/stop.yaml": None})
    assert kinds(world.clone.plan().actions) == ["adopt-ca"]


def test_the_key_of_a_ca_without_a_certificate_is_revoked_below_requests_ca_alone(
    world: ExternalWorld,
) -> None:
    key = world.clone.state.authority("issuing").key
    world.clone.save({"requests/stop.yaml": revocation(key=key)})
    plan = world.clone.plan()
    assert plan.actions == ()
    assert "revocation.authority" in rules(plan)


def test_an_issuer_that_ends_first_is_warned_of_before_and_after_it_is_adopted(
    world: ExternalWorld,
) -> None:
    lower = world.root.subordinate(world.clone.folder.parent / "soon", "Soon", MIDDLE, days=20)
    plan = world.plan(lower.sign(world.csr) + lower.chain)
    assert rules(plan) == ["authority.certificate.life"]
    assert "“Corporate, Soon” ends at 2026-12-14T12:00:00Z" in plan.findings[0].message
    assert kinds(plan.actions) == ["adopt-ca"]
    assert world.clone.reconcile().exit_code == 0
    (finding,) = [item for item in world.clone.plan().findings if item.rule == "authority.life"]
    assert "CA issuing ends, with a CA above it, on 2026-12-14" in finding.message


def test_a_ca_above_for_any_usage_is_in_order(world: ExternalWorld) -> None:
    folder = world.clone.folder.parent / "any"
    usage = {"extendedKeyUsage": "clientAuth,anyExtendedKeyUsage"}
    lower = world.root.subordinate(
        folder, "Any", given(basicConstraints="critical,CA:TRUE", **usage)
    )
    plan = world.plan(lower.sign(world.csr) + lower.chain)
    assert (rules(plan), kinds(plan.actions)) == ([], ["adopt-ca"])


def test_a_ca_whose_key_was_refused_before_its_answer_came_is_an_error(
    world: ExternalWorld,
) -> None:
    key = world.clone.state.authority("issuing").key
    world.clone.save({"requests/ca/stop.yaml": revocation(key=key, reason="cACompromise")})
    world.clone.reconcile()
    world.answer(world.good(), **{"requests/web.yaml": request("web", "web.example.internal")})
    plan = world.clone.plan()
    assert plan.actions == ()
    (finding,) = [item for item in plan.findings if item.rule == "authority.revoked"]
    assert finding.is_error
    assert finding.message == (
        f"the key {key} that CA issuing has asked on is refused (revoked for cACompromise),"
        " ca/issuing.pem is not used, and nothing is issued from it: policy server"
    )
    assert world.clone.reconcile().exit_code == 1
    world.clone.save({ISSUING: authority("issuing", "external", state="retired")})
    assert "authority.revoked" not in rules(world.clone.plan())


def test_a_certificate_that_lasts_longer_than_its_document_says_is_adopted_with_a_warning(
    world: ExternalWorld,
) -> None:
    """What the document says is what is hoped for; a parent that gives more is told of."""
    hoped = timedelta(days=5 * 365)
    plan = world.plan(world.good(end=NOW + hoped + timedelta(days=1)))
    assert (kinds(plan.actions), rules(plan)) == (["adopt-ca"], [])
    plan = world.plan(world.good(end=NOW + hoped + timedelta(days=1, seconds=1)))
    assert kinds(plan.actions) == ["adopt-ca"]
    (finding,) = plan.findings
    assert (finding.rule, finding.severity) == ("authority.certificate.longer", "warning")
    assert "longer than the 5y that ca/issuing.yaml states" in finding.message
    assert str(finding.location).startswith("ca/issuing.pem")
