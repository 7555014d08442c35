"""Running gitca as a user does: a process of its own, in a folder, with an environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSPHRASE = "correct horse battery staple"  # noqa: S105 - of keys that live for one test
SOURCES = Path(__file__).parents[2] / "src"


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


class Command:
    """gitca in a folder; `fails` and `runs` say what is expected."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = environment

    def __call__(self, *arguments: str, **environment: str) -> Answer:
        return self.start(sys.executable, "-m", "gitca", *arguments, **environment)

    def start(self, *command: str, **environment: str) -> Answer:
        inherited = {"PYTHONPATH": str(SOURCES), "COLUMNS": "100"}
        answer = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | inherited | self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=120,
        )
        assert "Traceback" not in answer.stderr, answer.stderr
        return Answer(answer.returncode, answer.stdout, answer.stderr)

    def runs(self, *arguments: str, code: int = 0) -> str:
        answer = self(*arguments)
        assert answer.code == code, f"{arguments}: {answer.code}\n{answer.out}{answer.err}"
        return answer.out

    def git(self, *arguments: str) -> str:
        answer = self.start("git", *arguments)
        assert answer.code == 0, answer.err
        return answer.out

    def at(self, folder: Path) -> Command:
        return Command(folder, **self.environment)


@pytest.fixture
def gitca(tmp_path: Path) -> Command:
    return Command(tmp_path, GITCA_KEY_PASSPHRASE=PASSPHRASE)


@pytest.fixture(scope="session")
def scaffold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that `init` made and nobody touched; copy it."""
    folder = tmp_path_factory.mktemp("scaffold")
    command = Command(folder, GITCA_KEY_PASSPHRASE=PASSPHRASE)
    command.runs("init", "pki", "--domain", "example.internal", "--organization", "Example")
    return folder / "pki"


@pytest.fixture
def make_csr(tmp_path: Path) -> Callable[..., Path]:
    """Make a CSR with openssl: P-256, with the subject and names that are given."""

    def make(name: str, subject: str = "/", *names: str) -> Path:
        csr = tmp_path / f"{name}.csr"
        extension = ["-addext", f"subjectAltName={','.join(names)}"] if names else []
        subprocess.run(
            [
                *("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
                *("-nodes", "-keyout", str(tmp_path / f"{name}.key"), "-out", str(csr)),
                *("-subj", subject, *extension),
            ],
            check=True,
            capture_output=True,
        )
        return csr

    return make
