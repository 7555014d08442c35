"""Keys over the life of requests: reuse, age, blocklists, and the keys of CAs, in the real loop."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ca_documents import POLICY, authority, document, key_identifier, policy, request
from ca_world import PASSPHRASE, Clone, KeyRing
from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.load import Governing
from gitca.errors import ContradictionError
from gitca.findings import Severity
from gitca.plan.desired import read_desired
from gitca.plan.make import make_plan
from gitca.plan.model import IssueCertificate, Plan
from gitca.reconcile.build import Builder
from gitca.reconcile.keys import Keys
from gitca.reconcile.moment import Moment
from gitca.x509.template import spki_identifier

API = "requests/payments/api.yaml"
WEB = "requests/payments/web.yaml"
BLOCKED = "policies/blocked.yaml"
NAME, OTHER = "api.example.internal", "web.example.internal"
SERVER = "policies/server.yaml"


def key_policy(**key: object) -> str:
    """Return the policy with rules about keys; forbidding reuse takes automatic renewal away."""
    renewal = None if key.get("reuse") == "forbid" else POLICY["renewal"]
    return policy(key={**POLICY["key"], **key}, renewal=renewal)


def blocklist(*labels: str) -> str:
    keys = [{"key": key_identifier(label), "reason": "leaked in incident 42"} for label in labels]
    return document("KeyBlocklist", {"keys": keys})


def issues(plan: Plan) -> list[tuple[str, str]]:
    return [
        (action.action, action.request)
        for action in plan.actions
        if isinstance(action, IssueCertificate)
    ]


def rules(plan: Plan) -> list[tuple[str, str]]:
    return [(finding.rule, finding.location.file) for finding in plan.findings]


# Reuse.


def test_another_requests_key_is_denied_and_the_holder_goes_on(issued: Clone) -> None:
    issued.save({WEB: request("api", OTHER)})
    due = issued.current("payments/api").certificate.not_after - timedelta(days=10)
    plan = issued.plan(at=due)
    assert issues(plan) == [("renew", "payments/api")]
    assert rules(plan) == [("key.reuse", WEB)]
    assert "that of request “payments/api”, first ordered on 2026-11-24" in plan.findings[0].message
    issued.save({WEB: request("web", OTHER)})
    assert issued.reconcile().exit_code == 0
    assert issued.openssl_verify("payments/web") == "OK"


def test_two_requests_for_the_same_new_key_are_both_denied(made: Clone) -> None:
    made.save({API: request("new", NAME), WEB: request("new", OTHER)})
    plan = made.plan()
    assert issues(plan) == []
    assert rules(plan) == [("key.reuse", API), ("key.reuse", WEB)]
    made.save({WEB: None})
    assert issues(made.plan()) == [("issue", "payments/api")]


def test_a_key_that_a_request_had_before_is_no_other_requests(issued: Clone) -> None:
    issued.save({API: request("api-2", NAME)})
    assert issued.reconcile().exit_code == 0
    issued.save({WEB: request("api", OTHER)})
    assert rules(issued.plan()) == [("key.reuse", WEB)]
    issued.save({WEB: None, API: request("api", NAME)})
    assert issues(issued.plan()) == [("rekey", "payments/api")], "its own former key it may have"


def test_a_key_is_shared_where_the_policy_allows_it(issued: Clone) -> None:
    issued.save({SERVER: key_policy(reuse="allow"), WEB: request("api", OTHER)})
    assert issues(issued.plan()) == [("issue", "payments/web")]
    assert issued.reconcile().exit_code == 0
    assert issued.verify().contradictions == []


def test_reuse_is_over_all_cas(issued: Clone) -> None:
    issued.save(
        {
            "ca/other.yaml": authority("other", "root"),
            "policies/other.yaml": policy(issuer="other"),
            WEB: request("api", OTHER, policy="other"),
        }
    )
    assert issued.reconcile().exit_code == 1
    assert rules(issued.plan()) == [("key.reuse", WEB)]


def test_where_reuse_is_forbidden_each_certificate_needs_a_new_key(issued: Clone) -> None:
    issued.save({SERVER: key_policy(reuse="forbid")})
    assert issued.plan() == Plan((), ()), "the certificate that stands is no reuse of its key"
    issued.save({API: request("api", NAME, OTHER)})
    plan = issued.plan()
    assert (issues(plan), rules(plan)) == ([], [("key.reuse", API)])
    issued.save({API: request("api-2", NAME, OTHER)})
    assert issued.reconcile().exit_code == 0
    issued.save({API: request("api", NAME)})
    assert rules(issued.plan()) == [("key.reuse", API)], "a former key is not new"
    assert issued.verify().contradictions == []


def test_a_request_that_moved_takes_its_key_along_for_good(issued: Clone) -> None:
    issued.save({API: None, WEB: request("api", NAME)})
    assert issues(issued.plan()) == [("issue", "payments/web")]
    assert issued.reconcile().exit_code == 0
    issued.clock.forward(days=21)
    assert issues(issued.plan()) == [("renew", "payments/web")]
    issued.save({WEB: request("api", NAME, OTHER)})
    assert issues(issued.plan()) == [("issue", "payments/web")], "it may change later"
    assert issued.reconcile().exit_code == 0
    assert issued.verify().contradictions == []
    issued.save({"requests/third.yaml": request("api", NAME)})
    assert ("key.reuse", "requests/third.yaml") in rules(issued.plan())


def test_two_requests_cannot_both_be_where_one_moved(issued: Clone) -> None:
    issued.save({API: None, WEB: request("api", NAME), "requests/third.yaml": request("api", NAME)})
    plan = issued.plan()
    assert issues(plan) == []
    assert [found for found in rules(plan) if found[0] == "key.reuse"] == [
        ("key.reuse", WEB),
        ("key.reuse", "requests/third.yaml"),
    ]


def test_a_request_that_came_back_has_its_key_again(issued: Clone) -> None:
    issued.save({API: None, WEB: request("api", NAME)})
    assert issued.reconcile().exit_code == 0
    issued.save({API: request("api", NAME)})
    issued.clock.forward(days=21)
    plan = issued.plan()
    assert issues(plan) == [("renew", "payments/api")]
    assert rules(plan) == [("key.reuse", WEB)]


def test_a_deleted_requests_key_is_nobody_elses(issued: Clone) -> None:
    issued.save({API: None, WEB: request("api", OTHER)})
    plan = issued.plan()
    assert issues(plan) == []
    assert ("key.reuse", WEB) in rules(plan)


# Age.


def test_a_renewal_that_would_make_the_key_too_old_is_found_while_the_certificate_is_valid(
    issued: Clone,
) -> None:
    issued.save({SERVER: key_policy(maxAge="45d")})
    assert issued.plan() == Plan((), ())
    end = issued.current("payments/api").certificate.not_after
    issued.clock.now = end - timedelta(days=10)
    plan = issued.plan()
    assert (issues(plan), rules(plan)) == ([], [("key.maxAge", API)])
    issued.save({API: request("api", NAME) + "# unchanged\n"})
    assert rules(issued.plan()) == [("key.maxAge", API)]
    issued.save({API: request("api-2", NAME)})
    assert issues(issued.plan()) == [("rekey", "payments/api")]
    assert issued.reconcile().exit_code == 0
    assert issued.verify().contradictions == []


def test_a_standing_certificate_is_not_too_old_before_its_renewal(issued: Clone) -> None:
    issued.save({SERVER: key_policy(maxAge="45d")})
    issued.clock.forward(days=19)
    issued.save({API: request("api", NAME) + "# a remark\n"})
    plan = issued.plan()
    assert (issues(plan), plan.findings) == ([], ())


# Blocklists.


def test_a_blocked_key_is_refused_under_every_policy(made: Clone) -> None:
    made.save(
        {
            BLOCKED: blocklist("leaked"),
            "policies/lax.yaml": key_policy(reuse="allow", weakKeys="ignore"),
            API: request("leaked", NAME),
            WEB: request("leaked", OTHER, policy="lax"),
            "requests/sound.yaml": request("sound", "sound.example.internal"),
        }
    )
    plan = made.plan()
    assert issues(plan) == [("issue", "sound")]
    assert [found for found in rules(plan) if found[0] == "key.refused"] == [
        ("key.refused", API),
        ("key.refused", WEB),
    ]
    messages = [found.message for found in plan.findings if found.rule == "key.refused"]
    assert all("leaked in incident 42 (policies/blocked.yaml)" in text for text in messages)


def test_blocking_a_key_stops_its_renewal_and_tells_what_stands_on_it(issued: Clone) -> None:
    issued.save({BLOCKED: blocklist("unused", "api")})
    (found,) = issued.plan().findings
    assert (found.rule, found.severity) == ("blocklist.standing", Severity.WARNING)
    assert found.location.file == BLOCKED
    assert found.message == "certificates of “payments/api” stand on this key until 2026-12-24"
    assert issued.reconcile().exit_code == 0, "nothing is revoked by itself"
    issued.clock.now = issued.current("payments/api").certificate.not_after - timedelta(days=9)
    plan = issued.plan()
    assert issues(plan) == []
    assert ("key.refused", API) in rules(plan)


def test_a_broken_blocklist_holds_up_every_request_until_it_is_mended(made: Clone) -> None:
    made.save(
        {BLOCKED: blocklist("leaked").replace("reason", "reasons"), API: request("api", NAME)}
    )
    plan = made.plan()
    assert issues(plan) == []
    assert {"policy.blocklist.broken", "request.policy.broken"} <= {rule for rule, _ in rules(plan)}
    made.save({BLOCKED: blocklist("leaked")})
    assert issues(made.plan()) == [("issue", "payments/api")]


def test_a_blocklist_that_is_too_large_to_be_read_holds_up_every_request(made: Clone) -> None:
    padded = blocklist("api") + "#" * 1024**2
    made.save({BLOCKED: padded, API: request("api", NAME)})
    plan = made.plan()
    assert issues(plan) == []
    assert {"document.size", "policy.blocklist.broken"} <= {rule for rule, _ in rules(plan)}


def test_a_blocklist_that_came_later_contradicts_no_certificate(issued: Clone) -> None:
    issued.save({BLOCKED: blocklist("api")})
    assert issued.reconcile().exit_code == 0
    assert issued.verify().contradictions == []


# Keys of CAs.


@pytest.mark.parametrize("ca", ["root", "issuing"])
@pytest.mark.parametrize("reuse", ["allow", "sameRequest", "forbid"])
def test_a_cas_key_is_no_requests(made: Clone, key_ring: KeyRing, ca: str, reuse: str) -> None:
    text = request("unused", NAME, csr=csr_on(key_ring, ca))
    made.save({SERVER: key_policy(reuse=reuse), API: text})
    plan = made.plan()
    assert (issues(plan), rules(plan)) == ([], [("key.authority", API)])
    assert f"that of CA {ca}" in plan.findings[0].message


def csr_on(key_ring: KeyRing, ca: str) -> str:
    """Return the CSR that whoever has a CA's key file and passphrase can make."""
    path = key_ring.folder / f".gitca/keys/{ca}.pem"
    key = serialization.load_pem_private_key(path.read_bytes(), PASSPHRASE)
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_a_ca_is_not_made_on_a_key_that_a_request_has(made: Clone, key_ring: KeyRing) -> None:
    made.save({API: request("unused", NAME, csr=csr_on(key_ring, "other"))})
    assert made.reconcile().exit_code == 0
    made.save({"ca/other.yaml": authority("other", "root")})
    report = made.reconcile()
    (found,) = report.findings
    assert (found.rule, str(found.location)) == ("authority.key.used", "ca/other.yaml:8:8")
    assert "is that of request “payments/api”, first ordered on 2026-11-24" in found.message
    assert made.state.authority("other").certificate is None


def test_a_ca_is_not_made_on_a_key_that_a_request_asks_for_at_the_same_time(
    made: Clone, key_ring: KeyRing
) -> None:
    made.save(
        {
            API: request("unused", NAME, csr=csr_on(key_ring, "other")),
            "ca/other.yaml": authority("other", "root"),
        }
    )
    report = made.reconcile()
    assert {found.rule for found in report.findings} == {"authority.key.used"}
    assert made.state.authority("other").certificate is None
    assert made.verify().contradictions == []


def test_a_ca_is_not_made_on_a_blocked_key(made: Clone, key_ring: KeyRing) -> None:
    made.save({"ca/other.yaml": authority("other", "root"), BLOCKED: ca_blocklist(key_ring)})
    report = made.reconcile()
    assert [found.rule for found in report.findings] == ["authority.key.blocked"]
    assert "leaked in incident 42" in report.findings[0].message
    assert made.state.authority("other").certificate is None


def test_a_ca_whose_key_is_blocked_issues_nothing_more(made: Clone, key_ring: KeyRing) -> None:
    made.save({API: request("api", NAME), BLOCKED: ca_blocklist(key_ring, "issuing")})
    plan = made.plan()
    assert (issues(plan), rules(plan)) == ([], [("authority.key.blocked", "ca/issuing.yaml")])


def ca_blocklist(key_ring: KeyRing, ca: str = "other") -> str:
    spki_der = key_ring.signer(f"file:.gitca/keys/{ca}.pem").public_key()
    keys = [{"key": spki_identifier(spki_der), "reason": "leaked in incident 42"}]
    return document("KeyBlocklist", {"keys": keys})


# What verify and the taking up of orders see.


def order_unjudged(clone: Clone, *requests: str) -> None:
    """Record orders for requests as a defective or hostile gitca would, blind to the ledger."""
    with clone.store() as store:
        snapshot, now = store.load(), clone.clock()
        requesters = store.requesters(snapshot.source)
        desired = read_desired(
            snapshot.entries, store.read, snapshot.state, now, read_requesters=requesters
        )
        lax = replace(desired.governing, policies={"server": lax_policy(desired.governing)})
        plan = make_plan(replace(desired, governing=lax), snapshot.state, now)
        actions = [action for action in plan.actions if isinstance(action, IssueCertificate)]
        assert [action.request for action in actions] == sorted(requests)
        moment = Moment(now, "another", snapshot.source, clone.world().next_serial)
        builder = Builder(lax, snapshot.state, Keys(clone.keys.signer, None), moment)
        store.record(snapshot, builder.build(actions).batch, now=now)


def lax_policy(governing: Governing) -> Document[IssuancePolicySpec]:
    document = governing.policies["server"]
    key = document.spec.key.model_copy(update={"reuse": "allow", "max_age": None})
    return replace(document, spec=document.spec.model_copy(update={"key": key}))


def contradictions(clone: Clone) -> list[str]:
    with pytest.raises(ContradictionError, match="its documents deny it"):
        clone.reconcile(take_over=True)
    return [found.message for found in clone.verify().contradictions if found.invariant == "I5"]


def test_an_order_on_another_requests_key_is_not_taken_up_and_contradicts(issued: Clone) -> None:
    issued.save({WEB: request("api", OTHER)})
    order_unjudged(issued, "payments/web")
    (message,) = contradictions(issued)
    assert "the key is that of request “payments/api”" in message


def test_orders_of_one_segment_on_the_same_new_key_contradict(made: Clone) -> None:
    made.save({API: request("new", NAME), WEB: request("new", OTHER)})
    order_unjudged(made, "payments/api", "payments/web")
    first, second = contradictions(made)
    assert "the key is asked for by “payments/web” as well" in first
    assert "the key is asked for by “payments/api” as well" in second


def test_an_order_on_a_used_key_contradicts_where_reuse_is_forbidden(issued: Clone) -> None:
    issued.save({SERVER: key_policy(reuse="forbid"), API: request("api", NAME, OTHER)})
    order_unjudged(issued, "payments/api")
    (message,) = contradictions(issued)
    assert "(policy server, key.reuse)" in message


def test_an_order_that_makes_a_key_too_old_contradicts(issued: Clone) -> None:
    issued.save({SERVER: key_policy(maxAge="45d")})
    issued.clock.forward(days=21)
    order_unjudged(issued, "payments/api")
    (message,) = contradictions(issued)
    assert "(policy server, key.maxAge)" in message


def test_orders_that_were_allowed_are_no_contradiction_afterwards(issued: Clone) -> None:
    """What came after an order does not count against it."""
    issued.save({SERVER: key_policy(reuse="allow"), WEB: request("api", OTHER)})
    assert issued.reconcile().exit_code == 0
    issued.save({SERVER: policy()})
    issued.clock.forward(days=21)
    report = issued.reconcile()
    assert [action.request for action in report.plan.actions if action.action == "renew"] == [
        "payments/api"
    ], "the key is that of the request which had it first"
    assert issued.verify().contradictions == []
