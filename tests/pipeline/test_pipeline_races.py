"""Merges close to each other, runs at once, late or in vain: each request has one certificate."""

from __future__ import annotations

import json
import threading

import pytest

from pipeline import relying_party
from pipeline.forge import Environment, Pull
from pipeline.pipeline_world import ENVIRONMENT, World
from pipeline.runner import Run, Runner
from pipeline.workflow_file import Event


def merged(world: World, number: int) -> tuple[Pull, Event]:
    """Merge a request for a host, and return the push that starts a reconcile."""
    alice = world.clone("alice")
    world.ask(alice, f"payments/host{number}", f"host{number}.example.internal")
    pull = world.propose(alice, f"host{number}", "alice")
    world.settle()
    world.forge.merge(pull, "petra")
    return pull, world.forge.events.pop()


def at_once(world: World, events: list[Event]) -> list[Run]:
    """Run what events start at the same moment, as if no concurrency group held one back."""
    runs: list[Run] = []

    def handle(event: Event) -> None:
        alone = Runner(world.forge, world.runner.setting, world.runner.folder)
        runs.extend(alone.handle(event))

    threads = [threading.Thread(target=handle, args=(event,)) for event in events]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return runs


@pytest.mark.parametrize("world", ["together", "parted"], indirect=True)
def test_two_merges_and_two_reconciles_at_once_give_each_request_one_certificate(
    world: World,
) -> None:
    assert world.reconcile().conclusion == "success"
    _, first = merged(world, 1)
    _, second = merged(world, 2)
    signatures = len(world.signs())
    runs = at_once(world, [first, second])
    assert [run.name for run in runs] == ["reconcile", "reconcile"]
    assert {run.conclusion for run in runs} == {"success"}, [run.log for run in runs]
    assert len(world.signs()) == signatures + 2
    # A run that comes late, or that somebody starts again, finds nothing to do.
    tip = world.issued_tip()
    [late] = world.runner.handle(first)
    assert late.conclusion == "success", late.log
    assert (world.issued_tip(), len(world.signs())) == (tip, signatures + 2)
    auditor = world.clone("auditor")
    listed = json.loads(world.gitca(auditor, "list", "--format", "json"))
    of_requests = [entry["request"] for entry in listed if entry["request"]]
    assert sorted(of_requests) == ["payments/host1", "payments/host2"]
    world.gitca(auditor, "verify")
    manifest = json.loads(relying_party.fetch(f"{world.url}/manifest.json").content)
    assert manifest["commit"] == world.issued_tip()


@pytest.mark.parametrize("world", ["together"], indirect=True)
def test_what_was_merged_although_the_policy_denies_it_gets_nothing_and_holds_up_nothing(
    world: World,
) -> None:
    assert world.reconcile().conclusion == "success"
    alice = world.clone("alice")
    world.ask(alice, "payments/good", "good.example.internal")
    world.ask(alice, "payments/bad", "bad.example.internal")
    bad = alice / "requests/payments/bad.yaml"
    bad.write_text(bad.read_text().replace("spec:\n", "spec:\n  validity: 900d\n"))
    pull = world.propose(alice, "bad", "alice")
    [plan, _] = world.settle()
    assert plan.conclusion == "failure"
    # Whoever administers the forge can let it in all the same.
    world.forge.rules = None
    signatures = len(world.signs())
    world.forge.merge(pull, "petra")
    [run] = world.settle()
    assert run.conclusion == "failure"
    assert "validity 900d is above 90d" in run.log
    assert len(world.signs()) == signatures + 1
    assert relying_party.fetch(f"{world.url}/certificates/issuing/payments/good.pem").content
    assert not any("payments/bad" in path for path in world.issued())


@pytest.mark.parametrize("world", ["together"], indirect=True)
def test_a_run_whose_pushes_are_refused_signs_nothing(world: World) -> None:
    # Set up but for the App: the job pushes with its own token, as every branch's workflow could.
    settings = world.forge.environments[ENVIRONMENT]
    role = {"GITCA_AWS_ROLE": settings.variables["GITCA_AWS_ROLE"]}
    world.forge.environments[ENVIRONMENT] = Environment(settings.branches, variables=role)
    tip = world.forge.tip()
    run = world.reconcile()
    assert run.conclusion == "failure"
    assert "forge: refs/heads/" in run.log
    assert world.signs() == []
    assert world.forge.tip() == tip
