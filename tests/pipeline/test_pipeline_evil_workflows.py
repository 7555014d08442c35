"""An evil pull request that brings workflows of its own: they run, and reach nothing."""

from __future__ import annotations

import re

import pytest

from pipeline.attacks import bodies, insider, outsider
from pipeline.forge import git
from pipeline.forge_rules import MergeRefusedError
from pipeline.pipeline_world import ENVIRONMENT, ROLE, World
from pipeline.runner import on_main

PIN = "e" * 40
PLAN = ".github/workflows/plan.yml"
STEAL = f"""\
name: plan
on: [pull_request, push]
permissions:
  actions: write
  contents: write
  id-token: write
  issues: write
  pull-requests: write
jobs:
  plan:
    name: plan
    runs-on: ubuntu-24.04
    steps:
      - env:
          TOKEN: ${{{{ github.token }}}}
          KEY: ${{{{ secrets.GITCA_APP_PRIVATE_KEY }}}}
        run: |
          echo "the key is <$KEY>, the role <$AWS_SESSION_TOKEN>"
          git clone -q "${{GITHUB_SERVER_URL/:\\/\\//://x:$TOKEN@}}/$GITHUB_REPOSITORY.git" clone
          cd clone
          date > requests/evil.yaml
          git add . && git -c user.name=x -c user.email=x@example.org commit -qm evil
          git push -q origin HEAD:main && echo "main is mine"
          git push -q --force origin HEAD~2:main && echo "main is mine"
        shell: bash
      - if: always()
        run: |
          mkdir -p "$RUNNER_TEMP/plan"
          echo "<!-- gitca plan --> All is well." > "$RUNNER_TEMP/plan/plan.md"
      - uses: actions/upload-artifact@{PIN}
        if: always()
        with: {{name: plan, path: "${{{{ runner.temp }}}}/plan"}}
  in-the-environment:
    runs-on: ubuntu-24.04
    environment: {ENVIRONMENT}
    steps:
      - env: {{KEY: "${{{{ secrets.GITCA_APP_PRIVATE_KEY }}}}"}}
        run: echo "the key is $KEY"
  as-the-role:
    runs-on: ubuntu-24.04
    steps:
      - uses: aws-actions/configure-aws-credentials@{PIN}
        with: {{aws-region: eu-west-1, role-to-assume: "{ROLE}"}}
      - run: echo "I am the role"
"""
# The plan's check passes whatever is asked for.
GREEN = """\
name: plan
on: pull_request
permissions: {}
jobs:
  plan: {name: plan, runs-on: ubuntu-24.04, steps: [{run: "true"}]}
"""


def test_a_forks_workflow_has_no_secret_no_role_and_writes_nothing(standing: World) -> None:
    mallory = outsider(standing)
    mallory.write({PLAN: STEAL})
    pull = mallory.propose()
    runs = standing.settle()
    [evil] = [run for run in runs if run.name == "plan"]
    job = evil.jobs["plan"]
    # It ran, with a token that reads: that is all that a fork's workflow has.
    assert "the key is <>, the role <>" in job.log
    assert set(job.token.may.values()) == {"read"}
    assert job.log.count("403") == 2
    assert "main is mine" not in job.log
    assert ENVIRONMENT in evil.refused["in-the-environment"]
    assert "no permission id-token" in evil.jobs["as-the-role"].log
    # What its plan says is repeated nowhere.
    [body] = bodies(standing, pull)
    assert f"This pull request changes `{PLAN}`" in body
    assert "All is well" not in body


def test_a_branchs_workflow_that_may_write_reaches_neither_main_nor_key(standing: World) -> None:
    alice = insider(standing)
    alice.write({PLAN: STEAL})
    refusals = len(standing.cloud.refusals)
    pull = alice.propose("evil-pipeline")
    runs = [run for run in standing.settle() if run.name == "plan"]
    assert {run.event.name for run in runs} == {"pull_request", "push"}
    for run in runs:
        job = run.jobs["plan"]
        # Whoever may push branches can give the token of their workflows the right to write.
        assert job.token.may["contents"] == "write"
        assert "the key is <>, the role <>" in job.log
        assert job.log.count("forge: refs/heads/main: ") == 2, job.log
        assert "main is mine" not in job.log
        assert ENVIRONMENT in run.refused["in-the-environment"]
        assert "Not authorized" in run.jobs["as-the-role"].log
    told = standing.cloud.refusals[refusals:]
    assert sorted(told) == [
        "repo:example@1/pki@1:pull_request",
        "repo:example@1/pki@1:ref:refs/heads/evil-pipeline",
    ]
    assert all("All is well" not in body for body in bodies(standing, pull))


def test_a_branchs_copy_of_reconcile_gets_neither_environment_nor_role(standing: World) -> None:
    alice = insider(standing)
    path = ".github/workflows/reconcile.yml"
    text = (alice.clone / path).read_text()
    eager = re.sub(r"\n    if: .*\n", "\n", text).replace("branches: [main]", 'branches: ["**"]')
    bare = eager.replace(f"    environment: {ENVIRONMENT}\n", "").replace(
        "${{ vars.GITCA_AWS_ROLE }}", ROLE
    )
    assert bare != eager != text
    bare_path = ".github/workflows/bare.yml"
    alice.write({path: eager, bare_path: bare})
    pull = alice.propose("my-reconcile")
    runs = [run for run in standing.settle() if run.name == "reconcile"]
    assert {run.event.ref for run in runs} == {"refs/heads/my-reconcile"}
    by_path = {run.workflow.path: run for run in runs}
    assert ENVIRONMENT in by_path[path].refused["reconcile"]
    assert "Not authorized" in by_path[bare_path].jobs["reconcile"].log
    assert bodies(standing, pull)


def test_a_check_that_made_itself_green_is_not_enough(standing: World) -> None:
    alice = insider(standing)
    policy = (alice.clone / "policies/internal-server.yaml").read_text()
    alice.write({"policies/internal-server.yaml": policy.replace("max: 90d", "max: 900d"),
                 PLAN: GREEN})  # fmt: skip
    pull = alice.propose("green")
    [plan, comment] = standing.settle()
    assert plan.conclusion == "success"
    assert "is not repeated here" in bodies(standing, pull)[0], comment.log
    with pytest.raises(MergeRefusedError) as refused:
        standing.forge.merge(pull, "petra")
    assert f"{PLAN}: no review of @example/security" in str(refused.value)
    assert "policies/internal-server.yaml: no review" in str(refused.value)
    assert "check" not in str(refused.value)


def test_a_workflow_that_borrows_the_plans_name_is_not_heard(standing: World) -> None:
    mallory = outsider(standing)
    mallory.write({".github/workflows/another.yml": STEAL})
    pull = mallory.propose("another")
    runs = standing.settle()
    comments = [run for run in runs if run.name == "comment"]
    assert len(comments) == 2
    logs = [run.jobs["comment"].log for run in comments]
    assert sum("nothing to say" in log for log in logs) == 1
    [body] = bodies(standing, pull)
    assert "All is well" not in body


def test_by_hand_on_a_branch_reconcile_does_nothing(standing: World) -> None:
    alice = insider(standing)
    git(alice.clone, "push", "-q", "origin", "HEAD:refs/heads/by-hand")
    event = on_main(standing.forge, "workflow_dispatch")
    tip = standing.forge.tip("refs/heads/by-hand")
    [run] = standing.runner.handle(event.__class__(
        event.name, "refs/heads/by-hand", tip, event.payload, "alice", branch="by-hand"
    ))  # fmt: skip
    assert run.conclusion == "skipped"
    assert run.jobs == {}
