"""From a pull request to a relying party, and back: the pipelines that `gitca init` writes, run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline import relying_party, secrets_search
from pipeline.forge import ACTIONS, git
from pipeline.forge_rules import MergeRefusedError
from pipeline.pipeline_world import World
from pipeline.runner import on_main

HOST = "api.example.internal"


def the_plan_knows_no_credential(world: World, name: str) -> None:
    [plan, comment] = world.settle()
    assert (plan.name, plan.conclusion) == ("plan", "success"), plan.log
    assert (comment.name, comment.conclusion) == ("comment", "success"), comment.log
    job = plan.jobs["plan"]
    assert secrets_search.shown(world, job) == []
    assert job.token.may == {"contents": "read"}
    assert job.obeyed.others == []
    assert f"`{name}`" in job.summary or f"<code>{name}</code>" in job.summary, job.summary
    assert set(json.loads(read_plan(job.temp))) >= {"digest", "actions", "findings"}


def read_plan(temp: Path) -> str:
    return (temp / "plan/plan.json").read_text()


def only_comment(world: World, number: int) -> str:
    [comment] = world.forge.comments[number].values()
    assert comment["user"]["login"] == "github-actions[bot]"
    return str(comment["body"])


def a_merge_is_reconciled_once(world: World) -> None:
    before = world.forge.tip()
    [run] = world.settle()
    assert (run.name, run.event.name, run.conclusion) == ("reconcile", "push", "success"), run.log
    job = run.jobs["reconcile"]
    assert secrets_search.in_arguments(world, job) == []
    assert secrets_search.in_workspace(world, job.folder / "work") == []
    # Every use of a key was by the role, which the environment's jobs alone become.
    assert {made["access_key"] for made in world.signs()} <= set(world.cloud.granted)
    is_parted = "issued" in world.forge.protected
    assert (world.forge.tip() == before) == is_parted
    assert world.forge.events == []


def only_the_app_writes_issued(world: World) -> None:
    """Try to take a branch back, or on, as a person and with what any workflow has."""
    branch = world.issued_ref.removeprefix("refs/heads/")
    for identity in ("alice", ACTIONS):
        clone = world.clone(identity)
        git(clone, "checkout", "-q", "-B", "mine", f"origin/{branch}")
        git(clone, "commit", "-q", "--allow-empty", "-m", "mine")
        for refspec in (f"HEAD:{branch}", f"+HEAD~2:{branch}", f":{branch}"):
            with pytest.raises(AssertionError, match="forge: refs/heads/"):
                git(clone, "push", "-q", "origin", refspec)


def test_a_request_and_its_revocation_travel_from_pull_request_to_relying_party(
    world: World, tmp_path: Path
) -> None:
    first = world.reconcile()
    assert first.conclusion == "success", first.log
    # Its own commits, and the end of its run, start nothing.
    assert world.settle() == []

    alice = world.clone("alice")
    key = world.ask(alice, "payments/api", HOST)
    pull = world.propose(alice, "api", "alice")
    the_plan_knows_no_credential(world, "payments/api")
    body = only_comment(world, pull.number)
    assert f"`dns:{HOST}`" in body

    world.ask(alice, "payments/web", "web.example.internal")
    world.amend(alice, pull)
    the_plan_knows_no_credential(world, "payments/web")
    assert "web.example.internal" in only_comment(world, pull.number) != body

    signatures = len(world.signs())
    with pytest.raises(MergeRefusedError, match="a review is missing"):
        world.forge.merge(pull, "alice")
    world.forge.merge(pull, "petra")
    a_merge_is_reconciled_once(world)
    assert len(world.signs()) == signatures + 2

    chain = relying_party.fetch(f"{world.url}/certificates/issuing/payments/api.pem")
    roots = relying_party.fetch(f"{world.url}/bundles/roots.pem").content
    crl = relying_party.fetch(relying_party.crl_url(chain.content))
    assert crl.media_type == "application/pkix-crl"
    with relying_party.tls_server(tmp_path, chain.content, key) as port:
        for client in relying_party.connect(tmp_path, port, HOST, roots):
            assert client.accepted, client.words

        git(alice, "checkout", "-q", "main")
        git(alice, "pull", "-q")
        world.gitca(alice, "revoke", "payments/api", "--reason", "keyCompromise")
        pull = world.propose(alice, "revoke-api", "alice")
        the_plan_knows_no_credential(world, "payments/api")
        assert "revoke" in only_comment(world, pull.number)
        # Not merged yet: nothing is revoked.
        assert all(each.accepted for each in relying_party.connect(tmp_path, port, HOST, roots))
        world.forge.merge(pull, "petra")
        a_merge_is_reconciled_once(world)
        for client in relying_party.connect(tmp_path, port, HOST, roots):
            assert not client.accepted
            assert "certificate revoked" in client.words

    signatures, tip = len(world.signs()), world.issued()
    [scheduled] = world.runner.handle(on_main(world.forge, "schedule"))
    assert scheduled.conclusion == "success", scheduled.log
    assert (len(world.signs()), world.issued()) == (signatures, tip)
    manifest = json.loads(relying_party.fetch(f"{world.url}/manifest.json").content)
    assert manifest["commit"] == world.issued_tip()
    only_the_app_writes_issued(world)
    # At the end nothing is under way, and whoever clones can prove it all.
    world.gitca(world.clone("auditor"), "verify")
