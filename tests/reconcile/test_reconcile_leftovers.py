"""Orders that a run left behind: leases, taking over, giving up, and signatures made twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ca_documents import (
    GOVERNING,
    authority,
    document,
    key_identifier,
    policy,
    request,
    revocation,
)
from ca_fixtures import both_layouts
from ca_signers import Watched, failing_after
from ca_world import Clone, KeyRing, kinds, serials_of
from gitca.errors import ContradictionError
from gitca.ledger.state import LedgerState
from gitca.plan.model import IssueCertificate

NAME = "api.example.internal"
API = {"requests/payments/api.yaml": request("api", NAME)}


def die_before_signing(clone: Clone, *names: str) -> None:
    """Let a run record its orders and get no further."""
    dead = {name: failing_after(clone.keys.named(name), 0) for name in names or ["issuing"]}
    assert clone.reconcile(opener=clone.keys.but(**dead)).exit_code == 4


def sound(clone: Clone) -> None:
    assert clone.verify().contradictions == []
    assert clone.status == ""


def crl_numbers(state: LedgerState, ca: str = "issuing") -> list[int]:
    return [
        record.crl.number
        for record in state.orders.values()
        if record.ordered.ca == ca and record.ordered.documents.request is None
        and not hasattr(record.ordered.particulars, "serial")
    ]  # fmt: skip


@both_layouts
def test_orders_of_another_run_are_left_until_their_lease_is_over(made: Clone) -> None:
    made.save(API)
    die_before_signing(made)
    serials = serials_of(made.state)
    made.clock.forward(minutes=9, seconds=59)
    report = made.reconcile()
    assert report.exit_code == 3
    assert [held.until for held in report.held] == [made.clock.now + timedelta(seconds=1)]
    assert (report.signed, report.resumed) == ([], [])
    made.clock.forward(seconds=1)
    report = made.reconcile()
    assert (report.exit_code, len(report.resumed)) == (0, 1)
    assert serials_of(made.state) == serials
    assert made.openssl_verify("payments/api") == "OK"
    sound(made)


@both_layouts
def test_take_over_waits_for_no_lease(made: Clone) -> None:
    made.save(API)
    die_before_signing(made)
    serials = serials_of(made.state)
    assert made.reconcile(take_over=True).exit_code == 0
    assert serials_of(made.state) == serials
    assert made.openssl_verify("payments/api") == "OK"
    sound(made)


@both_layouts
def test_what_is_new_is_done_while_others_hold_their_orders(made: Clone) -> None:
    made.save(API)
    die_before_signing(made)
    made.save({"requests/web.yaml": request("web", "web.example.internal")})
    assert made.reconcile().exit_code == 3
    assert made.openssl_verify("web") == "OK"
    assert made.state.requests["payments/api"].current is None


@both_layouts
def test_an_order_for_a_request_that_says_something_else_by_now_is_abandoned(made: Clone) -> None:
    """The request as it is now is answered, on a serial number of its own."""
    made.save(API)
    die_before_signing(made)
    made.save({"requests/payments/api.yaml": request("api", NAME, "new.example.internal")})
    report = made.reconcile(take_over=True)
    assert (report.exit_code, len(report.abandoned)) == (0, 1)
    first, second = made.state.requests["payments/api"].orders
    assert first.abandoned is not None
    assert first.abandoned.reason == "the documents ask for another certificate by now"
    assert second.signed
    assert made.plan().actions == ()
    sound(made)


def test_a_request_that_says_the_same_in_other_words_gets_the_order_signed(made: Clone) -> None:
    made.save(API)
    die_before_signing(made)
    made.save({"requests/payments/api.yaml": "# remark\n" + request("api", NAME)})
    report = made.reconcile(take_over=True)
    assert (report.exit_code, len(report.resumed)) == (0, 1)
    sound(made)


BLOCKLIST = {"keys": [{"key": key_identifier("api"), "reason": "its host was broken into"}]}
DENIED = {
    "request deleted": ({"requests/payments/api.yaml": None}, "the request is gone"),
    "another kind": (
        {"requests/payments/api.yaml": revocation("superseded", key=key_identifier("web"))},
        "the request is gone",
    ),
    "policy stricter": (
        {"policies/server.yaml": policy(selector={"paths": ["nothing"]})},
        "the documents deny it by now: ",
    ),
    "shorter": (
        {
            "policies/server.yaml": policy(
                validity={"default": "5d", "max": "9d", "backdate": "5m"},
                renewal={"automatic": True, "before": "1d"},
            )
        },
        "the documents let it end on ",
    ),
    "key blocked": (
        {"policies/blocked.yaml": document("KeyBlocklist", BLOCKLIST)},
        "a blocklist refuses its key by now",
    ),
    "key blocked, request broken": (
        {
            "policies/blocked.yaml": document("KeyBlocklist", BLOCKLIST),
            "requests/payments/api.yaml": "spec: [",
        },
        "a blocklist refuses its key by now",
    ),
    "CA closed": (
        {"ca/issuing.yaml": authority("issuing", "root", state="crl-only")},
        "CA issuing is crl-only by now",
    ),
    "another CA": (
        {
            "ca/other.yaml": authority("other", "root"),
            "policies/server.yaml": policy(issuer="other"),
        },
        "its policy issues from CA other by now",
    ),
}


@pytest.mark.parametrize(("change", "reason"), DENIED.values(), ids=DENIED.keys())
def test_a_leftover_order_that_the_documents_deny_by_now_is_abandoned(
    made: Clone, change: dict[str, str | None], reason: str
) -> None:
    made.save(API)
    die_before_signing(made)
    (pending,) = made.state.pending
    made.save(change)
    made.reconcile(take_over=True)
    record = made.state.orders[pending]
    assert record.signed is None
    assert record.abandoned is not None
    assert record.abandoned.reason.startswith(reason)
    assert not made.state.pending
    sound(made)


@pytest.mark.parametrize(
    "broken",
    [
        {"requests/payments/api.yaml": "spec: ["},
        {"policies/server.yaml": "spec: ["},
        {"policies/blocked.yaml": "kind: KeyBlocklist\nspec: ["},
        {"ca/issuing.yaml": "spec: ["},
        {"requests/stop.yaml": revocation("superseded", certificate="payments/api") + "x: y\n"},
    ],
    ids=["request", "policy", "blocklist", "CA", "revocation"],
)
def test_an_order_waits_while_a_document_that_decides_on_it_is_broken(
    made: Clone, broken: dict[str, str]
) -> None:
    made.save(API)
    die_before_signing(made)
    whole = {path: GOVERNING.get(path) or API.get(path) for path in broken}
    made.save(broken)
    report = made.reconcile(take_over=True)
    assert (report.exit_code, len(report.waiting), report.abandoned) == (1, 1, [])
    assert made.state.requests["payments/api"].orders[0].is_pending
    made.save(whole)
    assert made.reconcile(take_over=True).exit_code == 0
    assert len(made.state.requests["payments/api"].orders) == 1
    assert made.openssl_verify("payments/api") == "OK"
    sound(made)


@both_layouts
def test_a_revocation_of_what_awaits_its_signature_is_recorded_first(made: Clone) -> None:
    """Its word on the key would be lost, were the order given up before."""
    made.save(API)
    die_before_signing(made)
    (pending,) = made.state.pending
    made.save({"requests/stop.yaml": revocation("keyCompromise", certificate="payments/api")})
    report = made.reconcile(take_over=True)
    assert report.abandoned == [pending]
    assert key_identifier("api") in made.state.refused_keys
    assert list(made.revoked()) == [made.state.orders[pending].certificate.serial]
    sound(made)


@both_layouts
def test_an_order_whose_certificate_was_revoked_meanwhile_is_abandoned(made: Clone) -> None:
    made.save(API)
    die_before_signing(made)
    (pending,) = made.state.pending
    made.save({"requests/stop.yaml": revocation(certificate="payments/api")})
    assert made.reconcile().exit_code == 3
    assert list(made.revoked()) == [made.state.orders[pending].certificate.serial]
    report = made.reconcile(take_over=True)
    assert report.abandoned == [pending]
    assert made.state.requests["payments/api"].current is None
    assert made.plan().actions == ()
    sound(made)


@pytest.mark.parametrize(
    "change",
    [
        {"policies/server.yaml": policy(validity={"default": "40d", "max": "90d"})},
        {"requests/payments/api.yaml": request("api", NAME) + "# remark\n"},
    ],
    ids=["policy", "comment"],
)
def test_a_request_that_was_revoked_before_it_was_signed_stays_revoked(
    made: Clone, change: dict[str, str]
) -> None:
    made.save(API)
    die_before_signing(made)
    made.save({"requests/stop.yaml": revocation("superseded", certificate="payments/api")})
    assert made.reconcile().exit_code == 3
    assert len(made.reconcile(take_over=True).abandoned) == 1
    made.save(change)
    for days in (0, 30, 60):
        plan = made.plan(at=made.clock.now + timedelta(days=days))
        assert not any(isinstance(action, IssueCertificate) for action in plan.actions)
    made.save({"requests/payments/api.yaml": request("api", NAME, "new.example.internal")})
    assert "issue" in kinds(made.plan().actions)


def test_an_order_on_a_key_that_is_refused_by_now_is_abandoned(issued: Clone) -> None:
    """The key's other certificate was revoked for keyCompromise while the order waited."""
    key = {"algorithms": [{"type": "ecdsa", "curves": ["P-256"]}], "reuse": "allow"}
    files = {"policies/server.yaml": policy(key=key)}
    issued.save({**files, "requests/b.yaml": request("api", "b.example.internal")})
    die_before_signing(issued)
    issued.save({"requests/stop.yaml": revocation("keyCompromise", certificate="payments/api")})
    assert issued.reconcile().exit_code == 3
    assert len(issued.reconcile(take_over=True).abandoned) == 1
    assert key_identifier("api") in issued.state.refused_keys
    assert issued.state.requests["b"].current is None
    assert not issued.state.pending
    sound(issued)


def test_an_order_whose_certificate_would_have_expired_is_abandoned_and_issued_anew(
    made: Clone,
) -> None:
    made.save(API)
    die_before_signing(made)
    made.clock.forward(days=31)
    report = made.reconcile()
    assert (report.exit_code, len(report.abandoned)) == (0, 1)
    assert made.openssl_verify("payments/api") == "OK"
    assert len(set(serials_of(made.state))) == 4
    sound(made)


def test_a_crl_order_that_lapsed_is_abandoned_and_the_next_has_a_higher_number(
    made: Clone,
) -> None:
    made.clock.forward(days=4)
    die_before_signing(made, "root", "issuing")
    made.clock.forward(days=8)
    assert made.reconcile().exit_code == 0
    state = made.state
    assert crl_numbers(state) == [1, 2, 3]
    abandoned = [record for record in state.orders.values() if record.abandoned]
    assert sorted(record.ordered.ca for record in abandoned) == ["issuing", "root"]
    assert made.crl().next_update_utc > made.clock.now
    sound(made)


@both_layouts
def test_a_crl_order_that_lacks_a_later_revocation_is_abandoned(issued: Clone) -> None:
    issued.clock.forward(days=5)
    die_before_signing(issued)
    issued.save({"requests/stop.yaml": revocation(certificate="payments/api")})
    assert issued.reconcile().exit_code == 3
    assert len(issued.reconcile(take_over=True).abandoned) == 1
    serial = issued.current("payments/api").certificate.serial
    assert list(issued.revoked()) == [serial]
    assert crl_numbers(issued.state) == [1, 2, 3]
    sound(issued)


def test_orders_of_cas_are_finished_too(
    tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing
) -> None:
    clone = Clone.create(tmp_path_factory.mktemp("fresh") / "clone", key_ring, {**GOVERNING, **API})
    die_before_signing(clone, "root")
    die_order = serials_of(clone.state)
    assert [ca for ca, _ in die_order] == ["root"]
    clone.reconcile(take_over=True)
    assert serials_of(clone.state)[:1] == die_order
    assert clone.openssl_verify("payments/api") == "OK"
    sound(clone)


def test_the_order_of_a_ca_waits_for_the_key_that_it_is_about(made: Clone) -> None:
    """The signing CA's key is here and the new CA's is not: its bytes cannot be checked."""
    made.save({"ca/other.yaml": authority("other", "root"), **API})
    die_before_signing(made, "root")
    made.clock.forward(hours=1)
    report = made.reconcile(opener=made.keys.but(other=None))
    assert report.exit_code == 0
    assert [(item.missing, item.ca) for item in report.waiting] == [("absent", "other")]
    assert made.openssl_verify("payments/api") == "OK"
    assert len(made.state.pending) == 1
    assert made.reconcile().exit_code == 0
    assert made.state.authority("other").certificate is not None
    sound(made)


@pytest.mark.parametrize(
    "change",
    [
        {"ca/other.yaml": None},
        {"ca/other.yaml": authority("other", "root", key="file:.gitca/keys/spare.pem")},
        {"ca/other.yaml": authority("other", "root", subject={"commonName": "Another"})},
        {"ca/other.yaml": authority("other", "root", validity="1y")},
        {"ca/other.yaml": authority("other", "root", validity="11y")},
        {"ca/other.yaml": authority("other", "root", state="retired")},
        {"ca/other.yaml": authority("other", "root", pathLength=1)},
        {"ca/root.yaml": authority("root", state="crl-only")},
    ],
    ids=[
        *("document deleted", "another key", "another subject", "shorter", "denied"),
        *("retired", "longer path", "issuer closed"),
    ],
)
def test_the_order_of_a_ca_that_nobody_wants_like_this_any_more_is_abandoned(
    made: Clone, change: dict[str, str | None]
) -> None:
    made.save({"ca/other.yaml": authority("other", "root"), **API})
    die_before_signing(made, "root")
    made.save(change)
    report = made.reconcile(take_over=True)
    assert len(report.abandoned) == 1
    assert made.openssl_verify("payments/api") == "OK"
    assert not made.state.pending
    sound(made)


def test_a_certificate_ordered_from_a_ca_that_was_revoked_since_is_abandoned(made: Clone) -> None:
    made.save(API)
    die_before_signing(made)
    issuing = made.state.authority("issuing").certificate
    assert issuing is not None
    number = issuing.certificate.serial
    made.save({"requests/ca/stop.yaml": revocation("cACompromise", serial=number, ca="root")})
    assert made.reconcile().exit_code == 3
    assert len(made.reconcile(take_over=True).abandoned) == 1
    assert made.state.requests["payments/api"].current is None
    sound(made)


def test_an_order_that_is_dated_far_ahead_is_left_until_its_date(made: Clone) -> None:
    """It would be signed with a date that has not come."""
    made.save(API)
    made.clock.forward(hours=3)
    die_before_signing(made)
    made.clock.forward(hours=-3)
    assert made.reconcile().exit_code == 3
    made.clock.forward(hours=3)
    report = made.reconcile(take_over=True)
    assert (report.exit_code, len(report.resumed)) == (0, 1)
    sound(made)


@both_layouts
def test_an_order_that_two_runs_sign_is_committed_once_and_spent_once(shared: Clone) -> None:
    """The lease ran out while the first run waited for its signer."""
    shared.clock.forward(days=4)
    shared.save(API)
    other = shared.beside("other")

    def slow(_: bytes) -> None:
        if not issuing.signed:
            shared.clock.forward(minutes=11)
            report = other.reconcile()
            assert (report.exit_code, len(report.resumed)) == (0, 3)

    issuing = Watched(shared.keys.named("issuing"), slow)
    report = shared.reconcile(opener=shared.keys.but(issuing=issuing))
    assert report.exit_code == 0
    state = shared.state
    spent = {record.ordered.ca: record.spent for record in state.orders.values() if record.spent}
    assert spent == {"issuing": 1, "root": 1}
    assert sum(record.spent for record in state.orders.values()) == 3
    assert len(state.requests["payments/api"].orders) == 1
    assert shared.openssl_verify("payments/api") == "OK"
    verified = shared.verify()
    assert verified.contradictions == []
    assert verified.checked["spent signatures"] == 3
    assert shared.plan().actions == ()


def test_a_spent_signature_of_a_crl_that_is_not_the_last_any_more_verifies(issued: Clone) -> None:
    issued.with_origin(issued.folder.parent / "origin.git")
    other, person = issued.beside("other"), issued.beside("person")
    issued.clock.forward(days=4)

    def slow(_: bytes) -> None:
        """Another run signs the CRL, and after a revocation the next one."""
        if issuing.signed:
            return
        issued.clock.forward(minutes=11)
        other.reconcile()
        person.pull()
        person.save({"requests/stop.yaml": revocation(certificate="payments/api")})
        other.reconcile()

    issuing = Watched(issued.keys.named("issuing"), slow)
    assert issued.reconcile(opener=issued.keys.but(issuing=issuing)).exit_code == 0
    assert crl_numbers(issued.state) == [1, 2, 3]
    assert [record.spent for record in issued.state.orders.values() if record.spent] == [1, 1]
    assert issued.verify().contradictions == []


@both_layouts
def test_a_signature_of_an_order_that_was_abandoned_meanwhile_is_spent(shared: Clone) -> None:
    before = set(serials_of(shared.state))
    shared.save(API)
    other, person = shared.beside("other"), shared.beside("person")

    def slow(_: bytes) -> None:
        if not issuing.signed:
            person.pull()
            person.save({"requests/stop.yaml": revocation(certificate="payments/api")})
            assert other.reconcile().exit_code == 3
            shared.clock.forward(minutes=11)
            assert len(other.reconcile().abandoned) == 1

    issuing = Watched(shared.keys.named("issuing"), slow)
    assert shared.reconcile(opener=shared.keys.but(issuing=issuing)).exit_code == 0
    ((_, serial),) = set(serials_of(shared.state)) - before
    assert list(shared.revoked()) == [serial]
    assert [record.spent for record in shared.state.orders.values() if record.spent] == [1]
    assert shared.verify().contradictions == []
    assert not shared.state.pending


def test_a_run_that_gives_up_what_it_orders_stops_after_five_times(issued: Clone) -> None:
    """The key is away, and whenever the run looks at the clock, somebody has revoked one more."""
    names = ["b", "c", "d", "e", "f", "g", "h"]
    issued.save({f"requests/{n}.yaml": request(n, f"{n}.example.internal") for n in names})
    assert issued.reconcile().exit_code == 0
    issued.clock.forward(hours=1)
    left = iter(names)

    def clock() -> datetime:
        pending = issued.state.authority("issuing").pending_crl
        if pending is not None and len(issued.state.revoked) == pending[0].crl.revocations:
            name = next(left)
            issued.save({f"requests/stop-{name}.yaml": revocation(certificate=name)})
        return issued.clock.now

    issued.save({"requests/stop.yaml": revocation(certificate="payments/api")})
    world = replace(issued.world(), clock=clock)
    with pytest.raises(ContradictionError, match="ordered CRL of CA issuing 5 times") as stopped:
        issued.reconcile(opener=issued.keys.but(issuing=None), world=world)
    assert "revocations were recorded since" in str(stopped.value)
    assert next(left) == "g"
    assert issued.reconcile().exit_code == 0
    assert len(issued.revoked()) == 6
    sound(issued)
