"""The runner and the forge of these tests refuse what GitHub refuses, and hide nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import forge_http
from pipeline.expressions import Scope, UnknownSyntaxError, condition, evaluate, fill
from pipeline.forge import ACTIONS, BOT, REPOSITORY, Environment, Forge, git
from pipeline.runner import Runner, on_main
from pipeline.runner_job import Setting
from pipeline.runner_programs import Programs
from pipeline.workflow_commands import Obeyed, parse_command, read_assignments
from pipeline.workflow_file import Event, matches, parse

PIN = "a" * 40
FLOW = f"""\
name: flow
on:
  push: {{branches: [main], paths-ignore: ["issued/**"]}}
  pull_request: {{branches: [main]}}
  workflow_dispatch:
permissions: {{}}
env: {{COLOUR: red}}
jobs:
  first:
    runs-on: ubuntu-24.04
    permissions: {{contents: read}}
    outputs: {{answer: "${{{{ steps.think.outputs.answer }}}}"}}
    steps:
      - uses: actions/checkout@{PIN}
        with: {{fetch-depth: 0, persist-credentials: false}}
      - id: think
        env: {{SIZE: "${{{{ github.event_name }}}}"}}
        run: |
          echo "answer=$COLOUR $SIZE" >> "$GITHUB_OUTPUT"
          echo "LATER=set" >> "$GITHUB_ENV"
          echo "::error file=README,line=2,title=a%2Cb::one%0Atwo"
          test "$(cat README)" = readme
      - run: false
      - run: echo never
      - if: failure() && env.LATER == 'set'
        run: echo "but this, $LATER"
  second:
    needs: first
    if: always()
    environment: vault
    runs-on: ubuntu-24.04
    steps:
      - env: {{KEY: "${{{{ secrets.KEY }}}}", TOKEN: "${{{{ github.token }}}}"}}
        run: test "$KEY" = sesame
"""


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """A runner for a repository with the workflow above."""
    seed = tmp_path / "seed"
    (seed / ".github/workflows").mkdir(parents=True)
    (seed / ".github/workflows/flow.yml").write_text(FLOW)
    (seed / "README").write_text("readme")
    git(tmp_path, "init", "-q", "-b", "main", str(seed))
    git(seed, "add", ".")
    git(seed, "commit", "-q", "-m", "first")
    forge = Forge.create(tmp_path / "forge", seed, {"main": (BOT,)})
    forge.environments["vault"] = Environment(("main",), secrets={"KEY": "sesame"})
    with forge_http.serving(forge):
        yield Runner(forge, Setting(Programs(), {}, lambda role, token: {}), tmp_path / "jobs")


def clone(forge: Forge, identity: str, where: Path, repository: str = REPOSITORY) -> Path:
    """Clone as somebody who may push branches."""
    token = forge.token(identity, contents="write", workflows="write")
    address = forge.url.replace("//", f"//x:{token.text}@")
    git(where.parent, "clone", "-q", f"{address}/{repository}.git", str(where))
    return where


def push(folder: Path, *refs: str) -> str:
    """Push and return what was said when it was refused, or nothing."""
    done = subprocess.run(
        ["git", "push", "-q", "origin", *refs],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stderr if done.returncode else ""


def commit(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    git(folder, "add", "--all", ".")
    git(folder, "commit", "-q", "-m", f"change {name}")


def test_a_workflow_runs_as_its_file_says(runner: Runner, tmp_path: Path) -> None:
    work = clone(runner.forge, "alice", tmp_path / "alice")
    commit(work, "text", "x")
    assert push(work, "HEAD:refs/heads/branch") == ""
    assert runner.settle() == []  # a branch that is not main
    runner.forge.merge(runner.forge.pull(REPOSITORY, "branch", "alice"), "bob")
    pulled, merged = runner.settle()
    first = pulled.jobs["first"]
    assert [step.outcome for step in first.done] == [
        *("success", "success", "failure", "skipped", "success")
    ]
    assert first.outputs == {"answer": "red pull_request"}
    assert "but this, set" in first.log
    [told] = first.obeyed.annotations
    assert (told.properties["title"], told.data) == ("a,b", "one\ntwo")
    # The pull request does not get into the environment; the merged commit does, with its secret.
    assert "second" in pulled.refused
    assert merged.jobs["second"].conclusion == "success"
    assert runner.forge.tokens.get(first.token.text) is None


def test_what_touches_ignored_paths_alone_starts_nothing(runner: Runner, tmp_path: Path) -> None:
    work = clone(runner.forge, BOT, tmp_path / "bot")
    commit(work, "issued/x", "x")
    assert push(work, "HEAD:main") == ""
    assert runner.settle() == []
    commit(work, "requests/x", "x")
    assert push(work, "HEAD:main") == ""
    assert len(runner.settle()) == 1


@pytest.mark.parametrize("identity", ["alice", ACTIONS])
def test_a_protected_branch_takes_nothing_from_persons_and_workflows(
    runner: Runner, tmp_path: Path, identity: str
) -> None:
    work = clone(runner.forge, identity, tmp_path / "work")
    commit(work, "text", "x")
    assert "through a pull request" in push(work, "HEAD:main")
    git(work, "checkout", "-q", "--orphan", "other")
    git(work, "commit", "-q", "-m", "another history")
    assert "no forced push" in push(work, "+HEAD:main")
    assert "cannot be deleted" in push(work, ":main")
    assert "only branches" in push(work, "HEAD:refs/pull/1/head")


def test_a_protected_branch_takes_what_its_exception_pushes(runner: Runner, tmp_path: Path) -> None:
    work = clone(runner.forge, BOT, tmp_path / "bot")
    commit(work, "text", "x")
    assert push(work, "HEAD:main") == ""


def test_a_token_without_the_right_pushes_nothing(runner: Runner, tmp_path: Path) -> None:
    token = runner.forge.token(ACTIONS, contents="read")
    address = f"{runner.forge.url.replace('//', f'//x:{token.text}@')}/{REPOSITORY}.git"
    git(tmp_path, "clone", "-q", address, "reader")
    commit(tmp_path / "reader", "text", "x")
    assert "403" in push(tmp_path / "reader", "HEAD:refs/heads/branch")


def test_a_fork_gets_no_secret_and_a_token_that_reads(runner: Runner, tmp_path: Path) -> None:
    fork = runner.forge.fork("mallory")
    work = clone(runner.forge, "mallory", tmp_path / "mallory", fork)
    text = FLOW.replace("{contents: read}", "{contents: write, id-token: write}")
    text = text.replace("    environment: vault\n", "")
    commit(work, ".github/workflows/flow.yml", text)
    assert push(work, "HEAD:refs/heads/evil") == ""
    runner.forge.pull(fork, "evil", "mallory")
    [run] = runner.settle()
    assert run.jobs["first"].token.may == {"contents": "read"}
    assert run.jobs["second"].secrets == {}
    assert run.jobs["second"].conclusion == "failure"


def test_runs_by_hand_are_those_of_the_main_branch(runner: Runner) -> None:
    [run] = runner.handle(on_main(runner.forge, "workflow_dispatch"))
    assert run.jobs["first"].outputs["answer"] == "red workflow_dispatch"


@pytest.mark.parametrize(
    "broken",
    [
        FLOW.replace("runs-on:", "runs-one:", 1),
        FLOW.replace("permissions: {}", "permissions: write-all"),
        FLOW.replace("workflow_dispatch", "pull_request_target"),
        FLOW.replace("      - run: false", "      - {run: x, uses: y}"),
    ],
)
def test_a_file_with_something_unknown_is_refused(broken: str) -> None:
    assert parse("flow.yml", FLOW).name == "flow"
    with pytest.raises(UnknownSyntaxError):
        parse("flow.yml", broken)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("github.event.number", 7),
        ("github.event.nothing.at.all", None),
        ("'It''s' == 'IT''S'", True),
        ("github.token || 'none'", "none"),
        ("!(1 == 2) && contains(fromJSON('[\"a\", \"b\"]'), 'B')", True),
        ("format('{0}-{1}', 'a', github.event.number)", "a-7"),
        ("github.event['number'] != 7", False),
        ("null == ''", True),
    ],
)
def test_expressions_mean_what_github_says(expression: str, value: object) -> None:
    scope = Scope({"github": {"event": {"number": 7}, "token": ""}})
    assert evaluate(expression, scope) == value


@pytest.mark.parametrize("expression", ["hashFiles('x')", "secrets.X", "1 + 1", "github.a b", "("])
def test_an_unknown_expression_is_refused(expression: str) -> None:
    with pytest.raises(UnknownSyntaxError):
        fill(f"${{{{ {expression} }}}}", Scope({"github": {}}))


@pytest.mark.parametrize(
    ("text", "runs"),
    [(None, False), ("always()", True), ("failure()", True), ("github.x == ''", False)],
)
def test_after_a_failure_only_what_asks_for_it_runs(text: str | None, runs: bool) -> None:
    assert condition(text, Scope({"github": {}}, failed=True)) is runs


def test_commands_are_found_where_githubs_runner_finds_them() -> None:
    assert parse_command("  ::set-output name=a::b") is not None
    assert parse_command("text ##[set-env name=a]b") is not None
    assert parse_command("text ::set-output name=a::b") is None
    obeyed = Obeyed()
    obeyed.read("::stop-commands::end\n::error::x\n::end::\n::warning::y\r::add-mask::z")
    assert [each.name for each in obeyed.others] == ["stop-commands"]
    assert [each.data for each in obeyed.annotations] == ["y"]
    assert obeyed.masks == ["z"]


def test_command_files_hold_names_and_values() -> None:
    assert read_assignments("a=b=c\nd<<END\ne\nf\nEND\n") == {"a": "b=c", "d": "e\nf"}
    with pytest.raises(UnknownSyntaxError):
        read_assignments("neither")


def test_filters_match_as_documented() -> None:
    assert matches("issued/a/b", ["issued/**"])
    assert not matches("issued/a/b", ["issued/*"])
    assert not matches("issued/a", ["issued/**", "!issued/a"])


def test_a_pull_request_starts_nothing_that_waits_for_another_branch() -> None:
    flow = parse("flow.yml", FLOW)
    event = Event("pull_request", "refs/pull/1/merge", "", {"action": "opened"}, "a", "other")
    assert not flow.starts_on(event)
