"""An evil pull request that changes what it is judged by, or what gitca alone writes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pipeline import secrets_search
from pipeline.attacks import Attacker, Standing, bodies, insider, outsider
from pipeline.forge import Pull, git
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


def test_a_tag_that_is_named_like_the_base_judges_nothing(standing: World) -> None:
    """Git takes a tag `origin/main` before the branch, and a checkout of all history has tags."""
    attacker = insider(standing)
    wish(attacker, "payments/tagged")
    git(attacker.clone, "add", "policies")
    git(attacker.clone, "commit", "-q", "-m", "a policy of mine")
    git(attacker.clone, "tag", "origin/main")
    git(attacker.clone, "push", "-q", "origin", "refs/tags/origin/main")
    attacker.propose("tagged")
    try:
        run = planned(standing)
    finally:
        git(standing.forge.origin, "update-ref", "-d", "refs/tags/origin/main")
    assert run.conclusion == "failure"
    assert findings(run)["change.policy-with-request"] == {"policies/internal-server.yaml"}


def test_no_tag_says_which_branch_reconcile_obeys(standing_once: World) -> None:
    """A runner's clone has no `refs/remotes/origin/HEAD`; a tag may be called that."""
    attacker, before = insider(standing_once), Standing.of(standing_once)
    settings = (attacker.clone / "ca/repository.yaml").read_text()
    attacker.write({"ca/repository.yaml": settings.replace("branch: main", "branch: obeyed")})
    git(attacker.clone, "commit", "-q", "--all", "-m", "obey me")
    name = "refs/tags/refs/remotes/origin/HEAD"
    git(attacker.clone, "push", "-q", "origin", f"HEAD:{name}", "HEAD:refs/heads/obeyed")
    tip = standing_once.forge.tip("refs/heads/obeyed")
    standing_once.forge.events.clear()
    try:
        run = standing_once.reconcile()
    finally:
        git(standing_once.forge.origin, "update-ref", "-d", name)
    assert run.conclusion == "success", run.log
    assert standing_once.forge.tip("refs/heads/obeyed") == tip
    assert "obeyed" not in run.log
    # The run became the role, as each does.
    assert Standing.of(standing_once) == replace(before, roles=before.roles + 1)
