"""The commands where `issued/` has a branch of its own, from init to a revocation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_command import PASSPHRASE, SOURCES, Command

INIT = ("--domain", "example.internal", "--organization", "Example")


@pytest.fixture
def parted(gitca: Command) -> Command:
    """What `init --issued-branch` made, with a bare origin and one request."""
    gitca.runs("init", "pki", *INIT, "--issued-branch", "issued")
    command = gitca.at(gitca.folder / "pki")
    command.git("init", "--quiet", "--bare", "--initial-branch=main", "../origin.git")
    command.git("remote", "add", "origin", "../origin.git")
    command.runs(
        *("request", "new", "web", "--policy", "internal-server", "--new-key", "../web.key"),
        *("--dns", "web.example.internal"),
    )
    save(command, "a request")
    return command


def save(command: Command, message: str) -> None:
    command.commit(message)
    command.git("push", "--quiet", "-u", "origin", "main")


def test_every_command_works_with_a_branch_of_its_own(parted: Command) -> None:
    assert not (parted.folder / "issued").exists()
    assert "create-ca" in parted.runs("plan"), "a plan before the branch is there"
    said = parted.runs("reconcile")
    assert "not checked out" not in said
    assert parted.git("status", "--porcelain") == ""
    assert parted.git("log", "--format=%s", "origin/main").splitlines()[0] == "a request"
    assert "Nothing to do" in parted.runs("plan")
    (row,) = json.loads(parted.runs("list", "--format", "json"))
    assert (row["request"], row["status"]) == ("web", "valid")
    assert "web.example.internal" in parted.runs("show", "web")
    assert "1 valid" in parted.runs("status")
    parted.runs("revoke", "web", "--reason", "superseded")
    save(parted, "a revocation")
    parted.runs("reconcile")
    assert "superseded" in parted.runs("show", "--crl", "issuing")
    assert "Nothing contradicts" in parted.runs("verify", "--complete")
    assert "issued of origin is at" in parted.runs("doctor")


def test_a_branch_that_was_begun_without_history_is_joined_with_main(parted: Command) -> None:
    """Its commits know no document that names gitca's committer, nor a parent with documents."""
    assert "gitca@example.internal" in (parted.folder / "ca/repository.yaml").read_text()
    parted.runs("reconcile")
    parted.runs("revoke", "web", "--reason", "superseded")
    save(parted, "a revocation")
    parted.runs("reconcile")
    page = (SOURCES.parent / "docs/operations.md").read_text(encoding="utf-8")
    commands = page.partition("```sh join\n")[2].partition("gitca reconcile")[0]
    answer = parted.start("sh", "-eu", "-c", commands)
    assert answer.code == 0, answer.err
    parted.runs("reconcile")
    assert "issuedBranch" not in (parted.folder / "ca/repository.yaml").read_text()
    assert (parted.folder / "issued/root/ca.pem").exists()
    assert "Nothing contradicts" in parted.runs("verify", "--complete")


def test_a_pull_request_is_judged_by_the_ledger_of_the_branch(parted: Command) -> None:
    parted.runs("reconcile")
    parted.git("switch", "--quiet", "-c", "feature")
    planted = parted.folder / "issued/ledger/00000001.jsonl"
    planted.parent.mkdir(parents=True)
    planted.write_text("{}\n")
    parted.git("add", "--all", "issued")
    parted.git("commit", "--quiet", "-m", "plant")
    record = json.loads(parted.runs("plan", "--base", "origin/main", "--format", "json", code=1))
    assert record["actions"] == []
    assert [finding["rule"] for finding in record["findings"]] == ["change.issued"]


def test_a_plan_in_a_clone_of_main_alone_says_what_to_fetch(parted: Command) -> None:
    parted.runs("reconcile")
    url = (parted.folder.parent / "origin.git").as_uri()
    parted.git("clone", "--quiet", "--single-branch", url, "../single")
    single = parted.at(parted.folder.parent / "single")
    answer = single("plan")
    assert answer.code == 2
    assert "git fetch origin issued:refs/remotes/origin/issued" in answer.err
    assert single("verify").code == 2
    single.git("fetch", "--quiet", "origin", "issued:refs/remotes/origin/issued")
    assert "Nothing to do" in single.runs("plan")


@pytest.mark.parametrize(
    ("branch", "words"),
    [("main", "is where the documents are"), ("a..b", "is not the name of a branch")],
)
def test_a_branch_that_cannot_be_is_refused(gitca: Command, branch: str, words: str) -> None:
    answer = gitca("init", "pki", *INIT, "--issued-branch", branch)
    assert answer.code == 2
    assert words in answer.err
    assert not Path(gitca.folder / "pki").exists()
    assert PASSPHRASE not in answer.err
