"""The hook for pre-commit: run as pre-commit runs it, by what the file says."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[2]
HOOKS = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text())


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the entry in a repository's folder: with `pass_filenames: false`, it is all there is."""
    (hook,) = HOOKS
    assert hook["pass_filenames"] is False
    program, *arguments = shlex.split(hook["entry"])
    scripts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["scripts"]
    # `language: python` installs the project, whose script this is.
    module, function = scripts[program].split(":")
    code = f"import sys; from {module} import {function}; sys.argv[0] = 'gitca'; {function}()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_hook_passes_a_sound_repository_and_fails_a_broken_one(tmp_path: Path) -> None:
    for name in ("ca", "policies", "requests", "issued"):
        (tmp_path / name).mkdir()
        for path in (PROJECT / name).rglob("*"):
            target = tmp_path / path.relative_to(PROJECT)
            target.mkdir() if path.is_dir() else target.write_bytes(path.read_bytes())
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    sound = run(tmp_path)
    assert (sound.returncode, "no findings" in sound.stdout) == (0, True), sound.stderr
    document = tmp_path / "ca/issuing.yaml"
    document.write_text(document.read_text().replace("validity: 5y", "validity: 5 years"))
    broken = run(tmp_path)
    assert broken.returncode == 1
    assert "ca/issuing.yaml:" in broken.stdout


def test_the_hook_runs_for_whatever_can_change_the_judgement() -> None:
    (hook,) = HOOKS
    assert hook["files"] == "^(ca|policies|requests)/"
    assert hook["language"] == "python"
