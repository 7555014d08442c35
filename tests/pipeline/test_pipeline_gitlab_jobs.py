"""The jobs of .gitlab-ci.yml: their scripts are run, against a server that asks for a credential.

GitLab Docs, "Predefined CI/CD variables", has the environment; a runner joins `before_script` and
`script` in one shell that ends with the first failure.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from gitca.cli.scaffold.pipelines import Forge as Kind
from gitca.cli.scaffold.pipelines import Setting, pinned, rendered_pipelines
from pipeline.forge import REPOSITORY, Forge, git
from pipeline.forge_http import serving

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


def job(made: Path, name: str) -> str:
    """Return what a runner runs for a job."""
    commit = git(made / "tool", "rev-parse", "HEAD").strip()
    setting = Setting(Kind.GITLAB, pinned(str(made / "tool"), commit), "file")
    text = rendered_pipelines(setting)[".gitlab-ci.yml"].decode()
    jobs = yaml.safe_load(re.sub(r"- !reference \[(.+), before_script\]", r"- REF \1", text))
    lines = [
        line
        for each in [*jobs[jobs[name]["extends"]]["before_script"], *jobs[name]["script"]]
        for line in (jobs[each[4:]]["before_script"] if each.startswith("REF ") else [each])
    ]
    return "\n".join(lines)


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
    variables = {
        **project(forge),
        "CI_COMMIT_SHA": commit,
        "CI_PROJECT_ID": "2" if is_fork else "1",
        "CI_MERGE_REQUEST_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_PROJECT_URL": str(forge.origin).removesuffix(".git"),
        "CI_MERGE_REQUEST_SOURCE_PROJECT_URL": "https://gitlab.example/example/pki",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }
    answer = run(job(made, "plan"), path, **variables)
    assert answer.returncode == code, answer.stdout + answer.stderr
    assert (path / "plan/plan.md").read_text().startswith("<!-- gitca plan -->")
    quality = json.loads((path / "plan/codequality.json").read_text())
    assert bool(quality) is (code == 1)
    assert "<testsuite" in (path / "plan/junit.xml").read_text()
