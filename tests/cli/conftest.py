"""Repositories to run commands in: as init makes one, and one that has been lived in."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_command import PASSPHRASE, Command, Run

from gitca.cli import boundary


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


@pytest.fixture
def pki(scaffold: Path, tmp_path: Path) -> Command:
    """A fresh copy of the scaffold, nothing issued yet."""
    shutil.copytree(scaffold, tmp_path / "pki", symlinks=True)
    return Command(tmp_path / "pki", GITCA_KEY_PASSPHRASE=PASSPHRASE)


@pytest.fixture(scope="session")
def standing(scaffold: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A repository with CAs, a valid server, a revoked client, and a request never reconciled.

    For commands that change nothing; `lived_in` is a copy for the others.
    """
    folder = tmp_path_factory.mktemp("lived-in") / "pki"
    shutil.copytree(scaffold, folder, symlinks=True)
    command = Command(folder, GITCA_KEY_PASSPHRASE=PASSPHRASE)
    for name, policy in (("payments/api", "internal-server"), ("jobs/backup", "internal-client")):
        host = f"{name.split('/')[1]}.example.internal"
        command.runs(
            *("request", "new", name, "--policy", policy, "--new-key", f"../{host}.key"),
            *("--dns", host, "--common-name", host),
        )
    command.commit("two requests")
    command.runs("reconcile")
    command.runs("revoke", "jobs/backup", "--reason", "superseded")
    command.commit("one revocation")
    command.runs("reconcile")
    command.runs(
        *("request", "new", "shop/web", "--policy", "internal-server", "--new-key", "../web.key"),
        *("--dns", "web.example.internal"),
    )
    command.commit("one more request")
    return command


@pytest.fixture
def lived_in(standing: Command, tmp_path: Path) -> Command:
    """A copy of the repository that `standing` describes."""
    shutil.copytree(standing.folder, tmp_path / "lived-in", symlinks=True)
    return Command(tmp_path / "lived-in", GITCA_KEY_PASSPHRASE=PASSPHRASE)


_MASKS = (
    (r"sha256:[0-9a-f]{64}", "sha256:DIGEST"),
    (r"\b[0-9a-f]{40}\b", "f" * 40),
    (r"\b[0-9a-f]{12}…[0-9a-f]{12}\b", "f" * 12 + "…" + "f" * 12),
    (r"\b[0-9a-f]{32}\b", "ORDER"),
    (r"\brun [0-9a-f]{16}\b", "run RUN"),
    (r"\b(commit|blob) [0-9a-f]{12}\b", r"\1 ID"),
    (r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)", "2026-11-24T12:00:00Z"),
    (r"\b20\d\d-\d\d-\d\d\b", "2026-11-24"),
    (r"\bin \d+ days\b", "in N days"),
)


@pytest.fixture
def masked() -> Callable[[str], str]:
    """What is drawn or dated replaced by something of the same width, for golden files."""

    def mask(text: str) -> str:
        for pattern, replacement in _MASKS:
            text = re.sub(pattern, replacement, text)
        return text

    return mask


@pytest.fixture
def run(scaffold: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run gitca in this process, in the scaffold; for commands that change nothing."""
    monkeypatch.chdir(scaffold)
    monkeypatch.setenv("COLUMNS", "100")

    def run_here(*arguments: str) -> tuple[int, str, str]:
        code = boundary.run(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_here
