"""docs/pipelines.md: its shell lines are run as they stand, and its names are there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs/pipelines.md").read_text()
# What `tools/install` does, with the packages that are here already.
INSTALL = f"""\
mkdir -p "$1/bin"
echo '#!/bin/sh' > "$1/bin/gitca"
echo 'PYTHONPATH={PROJECT}/src exec {sys.executable} -m gitca "$@"' >> "$1/bin/gitca"
chmod +x "$1/bin/gitca"
"""
PASSPHRASE = "correct horse battery staple"


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@x")
    command = ["git", *identity, *arguments]
    answer = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return answer.stdout.strip()


def committed(folder: Path) -> str:
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "-q", "-m", "x")
    return git(folder, "rev-parse", "HEAD")


def shell(folder: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_four_lines_make_a_plan_and_two_others_a_reconcile(tmp_path: Path) -> None:
    plan, rest = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert len(plan.splitlines()) == 4
    source = tmp_path / "source"
    (source / "tools").mkdir(parents=True)
    (source / "tools/install").write_text(INSTALL)
    tool = {"GITCA_REPOSITORY": str(source), "GITCA_COMMIT": committed(source)}
    command = [sys.executable, "-m", "gitca", "init", "pki", "--domain", "example.internal"]
    made = {"PYTHONPATH": str(PROJECT / "src"), "GITCA_KEY_PASSPHRASE": PASSPHRASE}
    subprocess.run(
        [*command, "--organization", "Example"],
        cwd=tmp_path,
        env={**os.environ, **made},
        check=True,
        capture_output=True,
    )
    git(tmp_path, "clone", "-q", "--bare", "pki", "origin.git")
    git(tmp_path, "clone", "-q", "origin.git", "repository")
    answer = shell(tmp_path, plan, **tool)
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "plan.md").read_text().startswith("<!-- gitca plan -->")

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "gitca").symlink_to(tmp_path / "gitca")
    clone, reconcile = rest.splitlines()
    keys = "cp -r ../pki/.gitca repository/"
    script = "\n".join([clone, keys, reconcile])
    environment = {"REPOSITORY": "../origin.git", "GITCA_KEY_PASSPHRASE": PASSPHRASE}
    answer = shell(elsewhere, script, **environment)
    assert answer.returncode == 0, answer.stderr
    assert "issued/root/ca.pem" in git(tmp_path / "origin.git", "ls-tree", "-r", "main")


def test_what_the_page_names_is_there() -> None:
    files = " ".join(
        path.read_text()
        for path in [
            *(PROJECT / ".github/workflows").glob("*.yml"),
            PROJECT / ".gitlab-ci.yml",
            *(PROJECT / "src/gitca/cli/scaffold/ci").rglob("*.yml"),
        ]
    )
    for name in set(re.findall(r"`(GITCA_[A-Z_]+)`", PAGE)):
        assert name in files, name
    for path in set(re.findall(r"`((?:tools|\.github)/[\w./]+)`", PAGE)):
        assert (PROJECT / path).exists(), path
    help_text = (PROJECT / "src/gitca/cli/init.py").read_text()
    for option in set(re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE)):
        assert f'"{option}"' in help_text, option
