"""A KMS that throttles, fails and forgets to answer: nothing is lost, and nothing is done twice.

Every test holds the log of the Signs that made a signature against the ledger.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import gitca_process
from aws.aws_server import AwsServer
from ca_documents import revocation
from ca_world import KeyRing, git, serials_of
from gitca.errors import ContradictionError
from gitca.signers import Signer
from kms_world import KmsWorld, signed_events, signers_of_a_run

MakeWorld = Callable[..., KmsWorld]


@pytest.fixture
def make_world(
    tmp_path: Path, key_ring: KeyRing, aws: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> MakeWorld:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    return partial(KmsWorld.create, tmp_path, key_ring, aws)


@pytest.fixture
def world(make_world: MakeWorld) -> KmsWorld:
    return make_world("ECC_NIST_P256")


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pauses between the attempts at a call take no time."""
    monkeypatch.setattr(time, "sleep", lambda _: None)


def orders_of(world: KmsWorld) -> dict[str, str]:
    """Return the digests of what is ordered and not yet signed, by order."""
    return {order: record.ordered.tbs for order, record in world.clone.state.pending.items()}


@pytest.mark.usefixtures("no_waiting")
def test_with_30_percent_of_calls_throttled_every_request_is_answered_once(
    world: KmsWorld,
) -> None:
    names = world.ask(320)
    world.aws.switch(throttle=0.3, seed=7)
    report = world.run()
    assert (report.exit_code, report.findings) == (0, ())
    assert len(world.aws.failures("Sign")) > 60
    world.check_outcomes(names)
    world.check_log()
    assert all(not event.spent for event in signed_events(world.clone, world.key))
    serials = serials_of(world.clone.state)
    assert len(set(serials)) == len(serials)
    assert world.clone.openssl_verify(names[-1]) == "OK"


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("after", ["error", "drop"])
def test_where_every_sign_fails_after_it_signed_all_is_counted_and_the_next_run_finishes(
    world: KmsWorld, after: str
) -> None:
    names = world.ask(40)
    world.aws.switch(after=after)
    assert world.run().exit_code == 4
    unanswered = [entry for entry in world.aws.signs() if entry["outcome"] != "answered"]
    lost = [event for event in signed_events(world.clone, world.key) if event.is_lost]
    assert len(lost) == len(unanswered) >= 10
    assert all(event.spent for event in lost)
    world.check_log()
    orders = orders_of(world)
    assert len(orders) == len(names)
    assert world.clone.verify().contradictions == []

    world.aws.clear_switches()
    assert world.run(take_over=True).exit_code == 0
    world.check_outcomes(names)
    world.check_log()
    state = world.clone.state
    assert {order: state.orders[order].ordered.tbs for order in orders} == orders
    assert len(signed_events(world.clone, world.key)) == len(world.aws.signs())


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("after", ["error", "drop"])
def test_where_first_attempts_fail_after_they_signed_the_surplus_is_recorded_as_spent(
    world: KmsWorld, after: str
) -> None:
    names = world.ask(25)
    # So slow that all first attempts are there before the second one of any.
    world.aws.switch(after=after, calls=len(names), latency_ms=400)
    assert world.run().exit_code == 0
    events = signed_events(world.clone, world.key)
    assert sum(event.spent for event in events) == len(names)
    state = world.clone.state
    assert [state.requests[name].orders[0].spent for name in names] == [1] * len(names)
    world.check_outcomes(names)
    world.check_log()


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    "outage", [{"before": "error"}, {"before": "drop"}, {"deny": ["Sign"]}], ids=str
)
def test_an_outage_midway_keeps_what_was_signed_and_leaves_the_rest_ordered(
    world: KmsWorld, outage: dict[str, object]
) -> None:
    names = world.ask(60)
    world.aws.switch(spare=25, **outage)
    assert world.run().exit_code == (1 if "deny" in outage else 4)
    state = world.clone.state
    answered = [name for name in names if state.requests[name].current]
    assert len(answered) == 25
    assert len(state.pending) == 35
    world.check_nothing_is_missing()
    assert world.clone.verify().contradictions == []
    orders = orders_of(world)
    world.aws.clear_switches()
    assert world.run(take_over=True).exit_code == 0
    world.check_outcomes(names)
    state = world.clone.state
    assert {order: state.orders[order].ordered.tbs for order in orders} == orders
    world.check_nothing_is_missing()


STATES: dict[str, tuple[Callable[[Any, str], object], str]] = {
    "disabled": (lambda kms, key: kms.disable_key(KeyId=key), "Disabled"),
    "pending deletion": (
        lambda kms, key: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7),
        "PendingDeletion",
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_ordered_of_a_key_that_may_not_sign(world: KmsWorld, state: str) -> None:
    change, words = STATES[state]
    world.ask(3)
    change(world.aws.kms(), world.key)
    before = world.clone.tip
    report = world.run()
    assert report.exit_code == 1
    found = [finding for finding in report.findings if finding.rule == "authority.key"]
    assert [words in finding.message for finding in found] == [True]
    assert (world.clone.tip, report.signed) == (before, [])
    world.check_log()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}, "ENCRYPT_DECRYPT"),
        ({"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}, "ENCRYPT_DECRYPT"),
        ({"KeySpec": "ECC_SECG_P256K1"}, "ECC_SECG_P256K1"),
    ],
    ids=["symmetric", "to encrypt", "another curve"],
)
def test_an_alias_made_again_for_a_key_that_can_be_no_cas_is_a_finding_and_orders_nothing(
    world: KmsWorld, parameters: dict[str, str], words: str
) -> None:
    world.ask(3)
    other = world.aws.create_key(parameters["KeySpec"], **parameters)
    # UpdateAlias would refuse a key of another usage.
    world.aws.kms().delete_alias(AliasName=world.alias)
    world.aws.kms().create_alias(AliasName=world.alias, TargetKeyId=other)
    before = world.clone.tip
    report = world.run()
    assert report.exit_code == 1
    found = [finding for finding in report.findings if finding.rule == "authority.key"]
    assert [words in finding.message for finding in found] == [True]
    assert (world.clone.tip, report.signed) == (before, [])


def test_an_alias_moved_to_another_key_stops_the_run_before_anything_is_recorded(
    world: KmsWorld,
) -> None:
    world.ask(3)
    other = world.aws.create_key("ECC_NIST_P256")
    world.aws.kms().update_alias(AliasName=world.alias, TargetKeyId=other)
    before, signs = world.clone.tip, world.aws.signs()
    with pytest.raises(ContradictionError, match=r"another key than the CA's certificate") as stop:
        world.run()
    assert stop.value.exit_code == 5
    assert world.alias in stop.value.message
    assert world.clone.tip == before
    assert world.aws.signs() == signs
    assert world.clone.verify().contradictions == []


def test_an_alias_that_moves_in_the_middle_of_a_run_changes_nothing_for_that_run(
    world: KmsWorld,
) -> None:
    names = world.ask(5)
    other = world.aws.create_key("ECC_NIST_P256")
    with signers_of_a_run(world.clone.folder) as signers:

        def opener(uri: str) -> Signer:
            if uri.startswith("file:"):
                return world.clone.keys.signer(uri)
            signer = signers(uri)
            world.aws.kms().update_alias(AliasName=world.alias, TargetKeyId=other)
            return signer

        assert world.run(opener=opener).exit_code == 0
    world.check_outcomes(names)
    world.check_log()
    assert {entry["key"] for entry in world.aws.signs()} == {world.key}
    # The next run opens the alias anew.
    world.ask(1, "late")
    with pytest.raises(ContradictionError, match="another key"):
        world.run()


def test_a_run_that_is_killed_while_kms_signs_is_finished_with_the_same_bytes(
    make_world: MakeWorld,
) -> None:
    """The log has more than the ledger: what a run used whose memory is gone.

    A run writes its uses of keys down when it commits; SIGKILL leaves no time for it. So each order
    of the dead run may have one use more in the log than the ledger tells, and never one less.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    world = make_world("ECC_NIST_P256", start=now - timedelta(hours=2))
    clone = world.clone
    names = world.ask(40)
    setup = len(world.aws.signs())
    world.aws.switch(latency_ms=250)
    running = gitca_process.start(clone.folder, "reconcile", **world.aws.environment())
    while len(world.aws.signs()) < setup + 10 and running.process.is_alive():
        time.sleep(0.01)
    running.process.kill()
    assert running.wait() == -signal.SIGKILL, running.words
    git(clone.folder, "fetch", "-q", "origin")
    orders = clone.snapshot(git(clone.folder, "rev-parse", "origin/main")).state.pending
    assert len(orders) == len(names)
    recorded = {order: record.ordered.tbs for order, record in orders.items()}

    world.aws.clear_switches()
    running = gitca_process.run(clone.folder, "reconcile", "--take-over", **world.aws.environment())
    assert running.wait() == 0, running.words
    state = clone.state
    assert {order: state.orders[order].ordered.tbs for order in recorded} == recorded
    clone.clock.now = datetime.now(UTC).replace(microsecond=0)
    world.check_outcomes(names)
    events = [event.request_id for event in signed_events(clone, world.key)]
    made = {entry["request_id"]: entry["digest"] for entry in world.aws.signs()}
    assert set(events) <= set(made)
    surplus = set(made) - set(events)
    assert 10 <= len(surplus) <= len(names)
    assert len(made) == len(events) + len(surplus)


def test_a_crl_beyond_what_kms_signs_with_ed25519_is_a_finding_and_certificates_go_on(
    make_world: MakeWorld,
) -> None:
    world = make_world("ECC_NIST_EDWARDS25519")
    clone = world.clone
    names = world.ask(130)
    assert world.run().exit_code == 0
    clone.clock.forward(hours=1)
    clone.save(
        {f"requests/{name}-revoked.yaml": revocation(certificate=name) for name in names[:120]}
    )
    world.ask(1, "late")
    report = world.run()
    assert report.exit_code == 1
    assert [finding.rule for finding in report.findings if finding.is_error] == ["signer.limit"]
    state = clone.state
    assert state.requests["late0"].current is not None
    assert state.authority("issuing").last_crl_number == 1
    assert not state.pending
    assert clone.verify().contradictions == []
    world.check_log()
