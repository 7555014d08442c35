"""Signers that fail, lie or are not here."""

from __future__ import annotations

import contextlib
import threading

import pytest

from ca_documents import authority, policy, request, revocation
from ca_signers import Around, Garbled, Watched, failing_after
from ca_world import Clone, serials_of
from gitca.errors import BackendUnavailableError, ContradictionError, GitcaError, UsageError
from gitca.reconcile.keys import Keys
from gitca.reconcile.recipe import reconcile
from gitca.reconcile.report import Missing
from gitca.signers import KeyUnsuitableError, Signature, Signer

NAMES = ["a", "b", "c", "d"]
ZONE = "example.internal"
FOUR = {f"requests/{name}.yaml": request(name, f"{name}.example.internal") for name in NAMES}


@pytest.mark.parametrize("with_origin", [False, True], ids=["no remote", "remote"])
def test_a_signer_that_fails_midway_leaves_the_rest_ordered_for_the_next_run(
    made: Clone, with_origin: bool
) -> None:
    if with_origin:
        made.with_origin(made.folder.parent / "origin.git")
    made.save(FOUR)
    broken = failing_after(made.keys.named("issuing"), 2)
    report = made.reconcile(opener=made.keys.but(issuing=broken))
    assert (report.exit_code, len(report.signed)) == (4, 2)
    assert "throttles" in report.unreachable["issuing"]
    state = made.state
    assert sum(1 for name in NAMES if state.requests[name].current) == 2
    assert len(state.pending) == 2
    assert made.verify().contradictions == []
    assert made.status == "", "the working tree shows what was committed"
    serials = serials_of(state)
    report = made.reconcile(take_over=True)
    assert (report.exit_code, len(report.resumed)) == (0, 2)
    assert serials_of(made.state) == serials
    assert [made.openssl_verify(name) for name in NAMES] == ["OK"] * 4
    assert made.verify().contradictions == []
    assert made.status == ""


OUTAGE = BackendUnavailableError("the HSM does not answer")


@pytest.mark.parametrize(("key", "code"), [(OUTAGE, 4), (None, 0)], ids=["outage", "elsewhere"])
def test_a_key_out_of_reach_is_reported_and_everything_else_is_done(
    made: Clone, key: GitcaError | None, code: int
) -> None:
    made.save({"ca/other.yaml": authority("other"), **FOUR})
    report = made.reconcile(opener=made.keys.but(other=key))
    assert report.exit_code == code
    assert list(report.unreachable) == (["other"] if key else [])
    assert list(report.absent) == ([] if key else ["other"])
    assert [made.openssl_verify(name) for name in NAMES] == ["OK"] * 4
    assert made.reconcile().exit_code == 0
    assert made.state.authority("other").certificate is not None


def test_the_orders_of_an_offline_root_wait_for_its_key(made: Clone) -> None:
    made.clock.forward(days=5)
    made.save(FOUR)
    report = made.reconcile(opener=made.keys.but(root=None))
    assert report.exit_code == 0
    assert [(item.ca, item.missing) for item in report.waiting] == [("root", Missing.ABSENT)]
    assert [made.openssl_verify(name) for name in NAMES] == ["OK"] * 4
    serials = serials_of(made.state)
    (pending,) = made.state.pending
    made.clock.forward(minutes=5)
    report = made.reconcile(opener=made.keys.but(root=None))
    assert (report.exit_code, report.held) == (0, ()), (
        "its lease is not over, and nobody is held up"
    )
    made.clock.forward(hours=1)
    assert made.reconcile().exit_code == 0
    assert made.state.orders[pending].signed is not None
    assert serials_of(made.state) == serials


def test_a_run_for_one_ca_uses_no_other_key(made: Clone) -> None:
    made.clock.forward(days=5)
    made.save(FOUR)
    root = Watched(made.keys.named("root"), lambda _: None)
    report = made.reconcile(opener=made.keys.but(root=root), selected={"issuing"})
    assert report.exit_code == 0
    assert root.signed == []
    assert [made.openssl_verify(name) for name in NAMES] == ["OK"] * 4
    assert made.reconcile(take_over=True).exit_code == 0
    assert made.plan().actions == ()


def test_a_signer_with_another_key_stops_before_anything_is_recorded(made: Clone) -> None:
    made.save(FOUR)
    before = made.tip
    wrong = made.keys.named("other")
    with pytest.raises(
        ContradictionError, match="another key than the CA's certificate"
    ) as refusal:
        made.reconcile(opener=made.keys.but(issuing=wrong))
    assert refusal.value.exit_code == 5
    assert made.tip == before


def test_signatures_of_another_key_are_thrown_away(made: Clone) -> None:
    made.save(FOUR)
    liar = Garbled(made.keys.named("issuing"), made.keys.named("other"))
    with pytest.raises(ContradictionError, match="does not verify under the CA's key"):
        made.reconcile(opener=made.keys.but(issuing=liar))
    assert len(made.state.pending) == 4
    assert made.verify().contradictions == []
    assert made.status == ""
    assert made.reconcile(take_over=True).exit_code == 0
    assert [made.openssl_verify(name) for name in NAMES] == ["OK"] * 4


def test_a_wrong_key_among_leftovers_wastes_no_signature_of_another_ca(made: Clone) -> None:
    """Every signature that a key makes is in the ledger."""
    made.save(FOUR)
    made.clock.forward(days=5)  # both CAs' CRLs are due
    dead = {name: failing_after(made.keys.named(name), 0) for name in ("root", "issuing")}
    assert made.reconcile(opener=made.keys.but(**dead)).exit_code == 4
    assert len(made.state.pending) == 6
    issuing = Watched(made.keys.named("issuing"), lambda _: None)
    with pytest.raises(ContradictionError, match="another key than the CA"):
        made.reconcile(
            take_over=True, opener=made.keys.but(issuing=issuing, root=made.keys.named("other"))
        )
    assert 6 - len(made.state.pending) == len(issuing.signed)
    assert made.reconcile(take_over=True).exit_code == 0


def test_a_passphrase_that_is_wrong_for_one_key_is_a_usage_error_and_no_traceback(
    made: Clone,
) -> None:
    def opener(uri: str) -> object:
        raise UsageError(f"the passphrase of {uri} is wrong")

    made.save(FOUR)
    report = made.reconcile(opener=opener)
    assert (report.exit_code, report.signed, made.state.pending) == (2, [], {})
    assert [item.rule for item in report.findings] == ["authority.key"]
    assert "passphrase" in report.findings[0].message
    assert made.reconcile().exit_code == 0


def test_a_wrong_passphrase_is_tried_once_and_keeps_no_other_ca_from_its_work(made: Clone) -> None:
    made.save({"ca/other.yaml": authority("other"), **FOUR})
    asked = []
    usual = made.keys.but()

    def opener(uri: str) -> Signer:
        if "other" in uri:
            asked.append(uri)
            raise UsageError(f"the passphrase of {uri} is wrong")
        return usual(uri)

    report = made.reconcile(opener=opener)
    assert (report.exit_code, len(asked)) == (2, 1)
    assert [made.openssl_verify(name) for name in NAMES] == ["OK"] * 4


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BackendUnavailableError("throttled"), 4),
        (UsageError("the key may not do this"), 2),
        (KeyUnsuitableError("kms:Sign is denied"), 1),
    ],
    ids=["outage", "wrong use", "refusal"],
)
def test_whatever_a_signer_raises_the_finished_signatures_are_committed(
    made: Clone, error: Exception, code: int
) -> None:
    made.save(FOUR)

    def before(_: bytes) -> None:
        if len(signer.signed) == 2:
            raise error

    signer = Watched(made.keys.named("issuing"), before)
    report = made.reconcile(opener=made.keys.but(issuing=signer))
    assert (report.exit_code, len(report.signed)) == (code, 2)
    state = made.state
    assert sum(1 for name in NAMES if state.requests[name].current) == len(signer.signed) == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyUnsuitableError("kms:Sign is denied", remedy="allow it"), 1),
        (BackendUnavailableError("throttled"), 4),
    ],
    ids=["refusal", "outage"],
)
def test_a_key_that_does_not_sign_keeps_no_other_ca_from_its_work(
    made: Clone, error: BackendUnavailableError | UsageError, code: int
) -> None:
    """For as long as it goes on: the others' certificates, CRLs and revocations are made."""
    made.save({"ca/other.yaml": authority("other"), "policies/other.yaml": policy(issuer="other")})
    assert made.reconcile().exit_code == 0

    def before(_: bytes) -> None:
        raise error

    opener = made.keys.but(other=Watched(made.keys.named("other"), before))
    of_other = request("api", "api.example.internal", policy="other")
    made.save({"requests/api.yaml": of_other, "requests/a.yaml": request("a", f"a.{ZONE}")})
    report = made.reconcile(opener=opener)
    assert (report.exit_code, len(report.signed)) == (code, 1)
    (left,) = made.state.pending
    made.clock.forward(days=5)
    made.save(
        {
            "requests/b.yaml": request("b", f"b.{ZONE}"),
            "requests/stop.yaml": revocation(certificate="a"),
        }
    )
    report = made.reconcile(opener=opener)
    assert (report.exit_code, len(report.revoked), left in made.state.pending) == (code, 1, True)
    assert [made.openssl_verify(name) for name in "ab"] == ["certificate revoked", "OK"]
    made.clock.forward(minutes=11)
    assert made.reconcile().exit_code == 0
    assert made.state.orders[left].signed is not None
    assert made.verify().contradictions == []


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_signatures_are_asked_for_at_once_than_was_said(
    made: Clone, concurrency: int
) -> None:
    made.save(FOUR)
    one_more = threading.Barrier(concurrency + 1)
    lock = threading.Lock()
    running, most = 0, 0

    class Counted(Around):
        def sign(self, message: bytes, signature_algorithm: str) -> Signature:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            # As many as may be at once wait for one more, which must not come.
            with contextlib.suppress(threading.BrokenBarrierError):
                one_more.wait(2)
            with lock:
                running -= 1
            return self.inner.sign(message, signature_algorithm)

    opener = made.keys.but(issuing=Counted(made.keys.named("issuing")))
    with made.store() as store:
        report = reconcile(store, Keys(opener), made.world(), concurrency=concurrency)
    assert (report.exit_code, most) == (0, concurrency)
