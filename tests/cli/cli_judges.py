"""Who judges what init writes for forges, and the options that it is made with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

NAMES = ("--domain", "example.internal", "--organization", "Example")
SIGNERS = {
    "file": (),
    "awskms": ("--region", "eu-west-1"),
    "pkcs11": ("--token", "CA", "--module", "/usr/lib/softhsm/libsofthsm2.so"),
}


def program(name: str) -> str:
    """Return the path of a program of the environment that the tests run in."""
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert path is not None, f"{name} is not installed: make test installs it"
    return path


def judged(*command: str) -> str:
    """Run a judge, which has to be content, and return its words."""
    environment = {**os.environ, "NO_COLOR": "1"}
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout + answer.stderr


def scripts_of(forge: str, pki: Path) -> Iterator[str]:
    """Yield what a forge gives to a shell: a step's `run`, or a job's lines together."""
    if forge == "github":
        for path in (pki / ".github/workflows").glob("*.yml"):
            for job in yaml.safe_load(path.read_text())["jobs"].values():
                yield from (step["run"] for step in job["steps"] if "run" in step)
        return
    text = (pki / ".gitlab-ci.yml").read_text().replace("!reference ", "")
    for job in yaml.safe_load(text).values():
        if isinstance(job, dict) and "script" in job:
            yield "\n".join(job["script"])
