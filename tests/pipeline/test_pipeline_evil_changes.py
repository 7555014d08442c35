"""An evil pull request that changes what it is judged by, or what gitca alone writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline import secrets_search
from pipeline.attacks import Attacker, bodies, insider, outsider
from pipeline.forge import Pull
from pipeline.forge_rules import MergeRefusedError
from pipeline.pipeline_world import World
from pipeline.runner import Run

HOST = "pki.example.internal"  # which the policy denies to everybody


def planned(world: World) -> Run:
    """Run what a pull request starts, and return the run of the plan."""
    runs = {run.name: run for run in world.settle()}
    assert secrets_search.shown(world, runs["plan"].jobs["plan"]) == []
    assert runs["comment"].conclusion == "success", runs["comment"].log
    return runs["plan"]


def findings(run: Run) -> dict[str, set[str]]:
    """Return the files that each rule of the plan found something in."""
    plan: dict[str, Any] = json.loads((run.jobs["plan"].temp / "plan/plan.json").read_text())
    found: dict[str, set[str]] = {}
    for each in plan["findings"]:
        found.setdefault(each["rule"], set()).add(each["file"])
    return found


def refusal(world: World, pull: Pull, *reviewers: str) -> str:
    """Return why a pull request cannot be merged by these people."""
    with pytest.raises(MergeRefusedError) as refused:
        world.forge.merge(pull, *reviewers)
    return str(refused.value)


def wish(attacker: Attacker, name: str = "payments/vault") -> None:
    """Ask for a name that the policy denies, with a policy that does not."""
    text = (attacker.clone / "policies/internal-server.yaml").read_text()
    assert f'deny: ["{HOST}"]' in text
    attacker.write({"policies/internal-server.yaml": text.replace(f'"{HOST}"', '"x.internal"')})
    attacker.world.ask(attacker.clone, name, HOST)


def test_a_policy_that_comes_with_its_request_is_not_the_one_that_judges_it(
    standing: World,
) -> None:
    mallory = outsider(standing)
    wish(mallory)
    pull = mallory.propose()
    run = planned(standing)
    assert run.conclusion == "failure"
    found = findings(run)
    assert found["change.policy-with-request"] == {"policies/internal-server.yaml"}
    assert "requests/payments/vault.yaml" in set().union(*found.values())
    [body] = bodies(standing, pull)
    assert "change.policy-with-request" in body
    # The team of the folder cannot let it in, nor can anybody while the plan is red.
    assert "policies/internal-server.yaml: no review of @example/security" in refusal(
        standing, pull, "petra"
    )
    assert "the check plan has not passed" in refusal(standing, pull, "petra", "sam")


def test_a_request_cannot_bring_its_own_waiver_or_repository_settings(standing: World) -> None:
    mallory = outsider(standing)
    settings = (mallory.clone / "ca/repository.yaml").read_text()
    mallory.write({"ca/repository.yaml": settings.replace("branch: main", "branch: evil")})
    standing.ask(mallory.clone, "payments/honest", "honest.example.internal")
    pull = mallory.propose()
    run = planned(standing)
    assert findings(run)["change.policy-with-request"] == {"ca/repository.yaml"}
    assert "the check plan has not passed" in refusal(standing, pull, "petra", "sam")


def test_a_change_below_issued_makes_the_plan_red(standing: World) -> None:
    attacker = insider(standing)
    ledger = next(name for name in standing.issued() if name.startswith("issued/ledger/"))
    changed = ("issued/issuing/ca.pem", "issued/issuing/crl.der", ledger)
    attacker.write({"issued/issuing/certificates/payments/free.pem": "free\n"})
    for name in changed:
        path = attacker.clone / name
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    pull = attacker.propose("issued-by-me")
    run = planned(standing)
    assert run.conclusion == "failure"
    assert findings(run)["change.issued"] >= set(changed), run.log
    [body] = bodies(standing, pull)
    assert "change.issued" in body
    assert "no review of @example/security" in refusal(standing, pull, "petra")
