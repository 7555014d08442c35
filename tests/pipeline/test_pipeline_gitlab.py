"""The pipeline that `gitca init --ci gitlab` writes, run: merge request, merge, schedule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws.aws_server import AwsServer
from pipeline import relying_party
from pipeline.attacks import insider
from pipeline.expressions import UnknownSyntaxError
from pipeline.forge import BOT, git
from pipeline.gitlab_file import jobs_of, runs
from pipeline.gitlab_runner import GitlabRunner
from pipeline.pipeline_world import ROLE, World
from pipeline.pipeline_world import world as new_world
from pipeline.runner import on_main

SECRETS = {"GITCA_PUSH_TOKEN", "GITCA_AWS_ROLE", "AWS_ID_TOKEN"}


@pytest.fixture
def gitlab(tmp_path: Path, aws_once: AwsServer) -> Iterator[World]:
    """A project at a forge, set up as SETUP.md says."""
    with new_world(tmp_path, aws_once, parted=False, ci="gitlab") as world:
        yield world


@pytest.fixture
def runner(gitlab: World) -> GitlabRunner:
    """Its runners: the SDK finds STS, as KMS and S3, at the AWS of the tests."""
    pushes = gitlab.forge.token(BOT, contents="write")
    return GitlabRunner(
        gitlab.forge,
        gitlab.folder / "jobs",
        {"AWS_ENDPOINT_URL_STS": gitlab.aws.endpoint, "NO_PROXY": "127.0.0.1"},
        {"GITCA_PUSH_TOKEN": pushes.text, "GITCA_AWS_ROLE": ROLE},
    )


def test_a_merge_request_is_planned_without_a_secret_and_its_merge_is_reconciled(
    gitlab: World, runner: GitlabRunner
) -> None:
    first = runner.handle(on_main(gitlab.forge, "schedule"))
    assert first["reconcile"].succeeded, first["reconcile"].log
    # Its own commits touch issued/ alone.
    own = gitlab.forge.events.pop()
    assert own.changed
    assert runner.handle(own) == {}
    gitlab.forge.events.clear()

    alice = insider(gitlab)
    gitlab.ask(alice.clone, "payments/api", "api.example.internal")
    pull = alice.propose("api")
    [opened] = [event for event in gitlab.forge.events if event.name == "pull_request"]
    [pushed] = [event for event in gitlab.forge.events if event.name == "push"]
    gitlab.forge.events.clear()
    assert runner.handle(pushed) == {}
    signatures = len(gitlab.signs())
    [plan] = runner.handle(opened).values()
    assert (plan.name, plan.succeeded) == ("plan", True), plan.log
    assert not SECRETS & set(plan.environment)
    assert not [name for name in plan.environment if name.startswith("AWS_") and "STS" not in name]
    assert "payments/api" in (plan.project / "plan/plan.md").read_text()
    assert json.loads((plan.project / "plan/codequality.json").read_text()) == []
    assert (plan.project / "plan/junit.xml").exists()
    assert len(gitlab.signs()) == signatures

    gitlab.forge.merge(pull, "petra")
    [merged] = gitlab.forge.events
    [reconcile] = runner.handle(merged).values()
    assert reconcile.succeeded, reconcile.log
    made = gitlab.signs()[signatures:]
    # By credentials of a session: the SDK changed the job's token for the role's.
    assert [each["access_key"][:4] for each in made] == ["ASIA"]
    claims = gitlab.forge.identities[reconcile.environment["AWS_ID_TOKEN"]]
    condition = gitlab.cloud.trust["Statement"][0]["Condition"]["StringEquals"]
    assert condition == {f"gitlab.com:{name}": value for name, value in claims.items()}
    chain = relying_party.fetch(f"{gitlab.url}/certificates/issuing/payments/api.pem").content
    assert chain.count(b"BEGIN CERTIFICATE") == 2


def test_a_merge_request_that_changes_the_pipeline_has_neither_variables_nor_role(
    gitlab: World, runner: GitlabRunner
) -> None:
    alice = insider(gitlab)
    path = alice.clone / ".gitlab-ci.yml"
    text = path.read_text()
    evil = text[: text.index("plan:\n")] + (
        "reconcile:\n  rules: [{when: always}]\n"
        "  id_tokens: {AWS_ID_TOKEN: {aud: sts.amazonaws.com}}\n"
        "  script: ['echo \"push <$GITCA_PUSH_TOKEN> role <$GITCA_AWS_ROLE>\"']\n"
    )
    path.write_text(evil)
    alice.propose("evil")
    for event in gitlab.forge.events:
        [job] = runner.handle(event).values()
        assert "push <> role <>" in job.log
        claims = gitlab.forge.identities[job.environment["AWS_ID_TOKEN"]]
        with pytest.raises(PermissionError, match="Not authorized"):
            gitlab.cloud.assume_role(ROLE, job.environment["AWS_ID_TOKEN"])
        assert claims["sub"].endswith("ref:evil")


def test_a_tag_that_is_named_like_the_base_judges_no_merge_request(
    gitlab: World, runner: GitlabRunner
) -> None:
    alice = insider(gitlab)
    policy = (alice.clone / "policies/internal-server.yaml").read_text()
    alice.write({"policies/internal-server.yaml": policy.replace('"pki.', '"x.')})
    git(alice.clone, "commit", "-q", "--all", "-m", "a policy of mine")
    git(alice.clone, "push", "-q", "origin", "HEAD:refs/tags/origin/main")
    gitlab.ask(alice.clone, "payments/evil", "pki.example.internal")
    alice.propose("evil")
    [opened] = [event for event in gitlab.forge.events if event.name == "pull_request"]
    [plan] = runner.handle(opened).values()
    assert not plan.succeeded
    assert "change.policy-with-request" in (plan.project / "plan/plan.md").read_text()


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({"if": '$A == "x" && $B != "y"'}, True),
        ({"if": '$A && ($MISSING || $B == "y")'}, False),
        ({"if": '$A == "x"', "when": "never"}, False),
        ({"changes": ["ca/**/*"]}, True),
        ({"changes": ["issued/*"]}, False),
    ],
)
def test_rules_mean_what_gitlab_says(rule: dict[str, object], fits: bool) -> None:
    assert runs({"rules": [rule]}, {"A": "x", "B": "z"}, ("ca/root.yaml",)) is fits


@pytest.mark.parametrize(
    "text", ["job: {trigger: x}", "job: {script: [x], rules: [{exists: [x]}]}"]
)
def test_a_file_with_something_unknown_is_not_run(text: str) -> None:
    with pytest.raises(UnknownSyntaxError):
        [runs(job, {}, ()) for job in jobs_of(text).values()]
