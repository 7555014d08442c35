"""The jobs of .gitlab-ci.yml: their scripts are run, against a server that asks for a credential.

GitLab Docs, "Predefined CI/CD variables", has the environment; a runner joins `before_script` and
`script` in one shell that ends with the first failure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from gitca.cli.scaffold.pipelines import Forge as Kind
from gitca.cli.scaffold.pipelines import Setting, pinned, rendered_pipelines
from gitca.cli.scaffold.targets import NO_TARGETS, Targets
from pipeline.forge import REPOSITORY, Forge, git
from pipeline.forge_http import serving
from pipeline.gitlab_file import jobs_of

PROJECT = Path(__file__).parents[2]
PASSPHRASE = "correct horse battery staple"
# What `tools/install` does, with the packages that are here already.
INSTALL = f"""\
mkdir -p "$1/bin"
echo '#!/bin/sh' > "$1/bin/gitca"
echo 'PYTHONPATH={PROJECT}/src exec {sys.executable} -m gitca "$@"' >> "$1/bin/gitca"
chmod +x "$1/bin/gitca"
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA repository with keys in files, beside `tool`, a repository of gitca."""
    folder = tmp_path_factory.mktemp("gitlab")
    environment = {"PYTHONPATH": str(PROJECT / "src"), "GITCA_KEY_PASSPHRASE": PASSPHRASE}
    names = ("--domain", "example.internal", "--organization", "Example")
    subprocess.run(
        [sys.executable, "-m", "gitca", "init", "pki", *names, "--publish", "directory:public"],
        cwd=folder,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
    )
    (folder / "tool/tools").mkdir(parents=True)
    (folder / "tool/tools/install").write_text(INSTALL)
    program = (PROJECT / "tools/merge_request_note.py").read_text()
    (folder / "tool/tools/merge_request_note.py").write_text(program)
    git(folder / "tool", "init", "-q", "-b", "main")
    git(folder / "tool", "add", "tools")
    identity = ("-c", "user.name=t", "-c", "user.email=t@x")
    git(folder / "tool", *identity, "commit", "-q", "-m", "gitca")
    return folder


@pytest.fixture
def forge(made: Path, tmp_path: Path) -> Iterator[Forge]:
    with serving(Forge.create(tmp_path / "forge", made / "pki", {})) as served:
        yield served


def job(made: Path, name: str, targets: Targets = NO_TARGETS) -> str:
    """Return what a runner runs for a job."""
    commit = git(made / "tool", "rev-parse", "HEAD").strip()
    setting = Setting(Kind.GITLAB, pinned(str(made / "tool"), commit), "file", targets=targets)
    text = rendered_pipelines(setting)[".gitlab-ci.yml"].decode()
    found = jobs_of(text)[name]
    return "\n".join([*found["before_script"], *found["script"]])


def run(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    (folder / "tmp").mkdir(exist_ok=True)
    return subprocess.run(
        # Nobody waits between attempts here.
        ["sh", "-e", "-c", f"sleep() {{ :; }}\n{script}"],
        cwd=folder,
        env={**kept, "TMPDIR": str(folder / "tmp"), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def project(forge: Forge) -> Mapping[str, str]:
    return {
        "CI_SERVER_URL": forge.url,
        "CI_PROJECT_URL": f"{forge.url}/{REPOSITORY}",
        "CI_PIPELINE_ID": "9",
    }


def keys(made: Path) -> Mapping[str, str]:
    folder = made / "pki/.gitca/keys"
    return {
        "GITCA_KEY_PASSPHRASE": PASSPHRASE,
        "GITCA_ISSUING_KEY": str(folder / "issuing.pem"),
        "GITCA_ROOT_KEY": str(folder / "root.pem"),
    }


def test_reconcile_clones_signs_and_pushes_with_the_token_alone(
    made: Path, forge: Forge, tmp_path: Path
) -> None:
    token = forge.token("project_bot", contents="write")
    variables = {**project(forge), **keys(made), "GITCA_PUSH_TOKEN": token.text}
    answer = run(job(made, "reconcile"), tmp_path, **variables)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert {"issued/root/ca.pem", "issued/issuing/crl.der"} <= forge.tree().keys()
    assert {identity for identity, _, path in forge.calls if "receive-pack" in path} == {
        "",
        "project_bot",
    }
    for path in tmp_path.rglob("*"):
        if path.is_file() and forge.folder not in path.parents:
            assert token.text.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("is_let", [True, False], ids=["let", "not let"])
def test_reconcile_publishes_into_a_folder_of_its_runner_that_the_pipeline_lets_it(
    is_let: bool, made: Path, tmp_path: Path
) -> None:
    pki, srv = tmp_path / "pki", tmp_path / "srv"
    git(tmp_path, "clone", "-q", str(made / "pki"), str(pki))
    document = pki / "ca/repository.yaml"
    document.write_text(document.read_text().replace("directory:public", f"directory:{srv}"))
    git(pki, "-c", "user.name=t", "-c", "user.email=t@x", "commit", "-q", "-a", "-m", "srv")
    srv.mkdir()
    script = job(made, "reconcile", Targets(directories=(str(srv),)) if is_let else NO_TARGETS)
    with serving(Forge.create(tmp_path / "forge", pki, {})) as forge:
        token = forge.token("project_bot", contents="write")
        variables = {**project(forge), **keys(made), "GITCA_PUSH_TOKEN": token.text}
        answer = run(script, tmp_path, **variables)
    assert answer.returncode == (0 if is_let else 2), answer.stdout + answer.stderr
    assert (srv / "issuing.crl").exists() is is_let


def test_reconcile_without_a_token_signs_nothing(made: Path, forge: Forge, tmp_path: Path) -> None:
    before = forge.tip()
    variables = {**project(forge), **keys(made), "GIT_TERMINAL_PROMPT": "0"}
    answer = run(job(made, "reconcile"), tmp_path, **variables)
    assert answer.returncode != 0
    assert forge.tip() == before


def merge_request(made: Path, forge: Forge, tmp_path: Path, edit: str) -> tuple[Path, str]:
    """Return the checkout of a merge request's pipeline, and its commit."""
    path = tmp_path / "checkout"
    git(tmp_path, "clone", "-q", str(forge.origin), str(path))
    git(path, "checkout", "-q", "-b", "change")
    document = path / "ca/issuing.yaml"
    document.write_text(document.read_text().replace("validity: 5y", edit))
    git(path, "-c", "user.name=t", "-c", "user.email=t@x", "commit", "-q", "-a", "-m", "change")
    git(path, "checkout", "-q", "--detach")
    return path, git(path, "rev-parse", "HEAD").strip()


def of_merge_request(forge: Forge, commit: str, *, is_fork: bool = False) -> Mapping[str, str]:
    return {
        **project(forge),
        "CI_COMMIT_SHA": commit,
        "CI_PROJECT_ID": "2" if is_fork else "1",
        "CI_MERGE_REQUEST_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_PROJECT_URL": str(forge.origin).removesuffix(".git"),
        "CI_MERGE_REQUEST_SOURCE_PROJECT_URL": "https://gitlab.example/example/pki",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }


@pytest.mark.parametrize(("edit", "code"), [("validity: 4y", 0), ("validity: never", 1)])
@pytest.mark.parametrize("is_fork", [False, True], ids=["project", "fork"])
def test_plan_writes_its_reports_and_its_exit_code_is_the_jobs(
    edit: str, code: int, is_fork: bool, made: Path, forge: Forge, tmp_path: Path
) -> None:
    path, commit = merge_request(made, forge, tmp_path, edit)
    if is_fork:
        # Its origin is the fork; the branch that is to be changed is the project's.
        git(path, "update-ref", "-d", "refs/remotes/origin/main")
        git(path, "remote", "set-url", "origin", str(tmp_path / "nowhere"))
    variables = of_merge_request(forge, commit, is_fork=is_fork)
    answer = run(job(made, "plan"), path, **variables)
    assert answer.returncode == code, answer.stdout + answer.stderr
    assert (path / "plan/plan.md").read_text().startswith("<!-- gitca plan -->")
    quality = json.loads((path / "plan/codequality.json").read_text())
    assert bool(quality) is (code == 1)
    assert "<testsuite" in (path / "plan/junit.xml").read_text()


FORGED = "<!-- gitca plan -->\nApproved by everybody\n"


def folder_of_theirs(path: Path) -> None:
    (path / "plan").mkdir()
    for name in ("plan.md", "plan.json", "codequality.json", "junit.xml"):
        (path / "plan" / name).write_text(FORGED)


def link_of_theirs(path: Path) -> None:
    (path / "elsewhere/forged").mkdir(parents=True)
    (path / "elsewhere/forged/plan.md").write_text(FORGED)
    (path / "plan").symlink_to("elsewhere/forged")


@pytest.mark.parametrize("forge_plan", [folder_of_theirs, link_of_theirs])
@pytest.mark.parametrize("fault", ["", "no base", "no tool"])
def test_a_plan_that_the_merge_request_brings_is_never_an_artifact(
    fault: str, forge_plan: Callable[[Path], None], made: Path, forge: Forge, tmp_path: Path
) -> None:
    path, _ = merge_request(made, forge, tmp_path, "validity: 4y")
    forge_plan(path)
    git(path, "add", "--all")
    git(path, "-c", "user.name=t", "-c", "user.email=t@x", "commit", "-q", "-m", "a plan of mine")
    variables = dict(of_merge_request(forge, git(path, "rev-parse", "HEAD").strip()))
    script = job(made, "plan")
    if fault == "no base":
        variables["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] = "nowhere"
    if fault == "no tool":
        script = script.replace("git -C", "false git -C", 1)
    answer = run(script, path, **variables)
    assert (answer.returncode == 0) is (fault == ""), answer.stdout + answer.stderr
    kept = [item for item in path.glob("plan/**/*") if item.is_file()]
    assert not (path / "plan").is_symlink()
    assert bool(kept) is (fault == "")
    for item in kept:
        assert "Approved" not in item.read_text(), item
    assert all(item.read_text() == FORGED for item in path.glob("elsewhere/forged/plan.md"))
