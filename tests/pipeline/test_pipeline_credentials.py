"""How a pipeline's Git comes by what it may push with, against a server that asks for it."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from gitca.errors import BackendUnavailableError
from gitca.git.repository import GitRepository, Identity
from pipeline.forge import REPOSITORY, Forge, Token, git
from pipeline.forge_http import serving

PROJECT = Path(__file__).parents[2]
WORKFLOW = PROJECT / ".github/workflows/reconcile.yml"


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    seed = tmp_path / "seed"
    git(tmp_path, "init", "-q", "-b", "main", str(seed))
    (seed / "README.md").write_text("pki\n")
    git(seed, "add", "README.md")
    git(seed, "-c", "user.name=a", "-c", "user.email=a@x", "commit", "-q", "-m", "seed")
    with serving(Forge.create(tmp_path / "forge", seed, {})) as served:
        yield served


@pytest.fixture
def token(forge: Forge) -> Token:
    return forge.token("pki-bot[bot]", contents="write")


@pytest.fixture
def clone(forge: Forge, tmp_path: Path) -> Path:
    """A clone as actions/checkout leaves it, which persisted nothing."""
    path = tmp_path / "repository"
    git(tmp_path, "clone", "-q", str(forge.origin), str(path))
    git(path, "remote", "set-url", "origin", f"{forge.url}/{REPOSITORY}.git")
    return path


def reconcile_environment(forge: Forge, token: Token) -> dict[str, str]:
    """Return the environment of the step that reconciles, as the workflow has it."""
    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["reconcile"]["steps"]
    (environment,) = [step["env"] for step in steps if step["name"] == "Reconcile"]
    values = {
        "${{ github.server_url }}": forge.url,
        "${{ steps.app.outputs.token || github.token }}": token.text,
    }
    filled = {}
    for name, text in environment.items():
        for expression, value in values.items():
            text = text.replace(expression, value)
        assert "${{" not in text
        filled[name] = text
    return filled


def push_something(path: Path) -> str:
    """Fetch, commit and push as gitca does; return the commit."""
    with GitRepository.open(path, network_timeout=30) as repository:
        tip = repository.fetch("main")
        commit = repository.commit(
            tip,
            changes={"issued/x": b"x"},
            message="x",
            author=Identity("gitca", "gitca@example.internal"),
            when=datetime.now(UTC),
        )
        repository.push(commit, "main")
    return commit


class Watch:
    """Looks at the arguments of all processes for a secret, for as long as it is open."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = [secret.encode() for secret in secrets]
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: list[bytes] = []
        self.looks = 0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.is_set():
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    self._read(entry / "cmdline")
            self.looks += 1

    def _read(self, path: Path) -> None:
        try:
            arguments = path.read_bytes()
        except OSError:
            return  # it has ended
        if any(secret in arguments for secret in self._secrets):
            self.seen.append(arguments)


def test_the_workflows_credential_pushes_and_is_in_no_argument_and_no_file(
    forge: Forge, token: Token, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in reconcile_environment(forge, token).items():
        monkeypatch.setenv(name, value)
    encoded = base64.b64encode(f"x-access-token:{token.text}".encode()).decode()
    with Watch(token.text, encoded) as watch:
        commit = push_something(clone)
    assert forge.tip() == commit
    assert watch.looks > 0
    assert watch.seen == []
    for path in clone.rglob("*"):
        assert path.is_dir() or token.text.encode() not in path.read_bytes(), path
    assert {identity for identity, _, path in forge.calls if "git-receive-pack" in path} == {
        "",  # asked for a credential first
        "pki-bot[bot]",
    }


def test_the_watch_sees_a_secret_in_an_argument(tmp_path: Path) -> None:
    with Watch("an-argument-of-git") as watch:
        while not watch.looks:
            git(tmp_path, "-c", "x.y=an-argument-of-git", "version")
        for _ in range(200):
            if watch.seen:
                break
            git(tmp_path, "-c", "x.y=an-argument-of-git", "hash-object", "/dev/null")
    assert watch.seen


def test_the_credential_is_for_the_forges_server_alone(
    forge: Forge, token: Token, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = reconcile_environment(forge, token)
    other = environment["GIT_CONFIG_KEY_1"].replace(forge.url, "https://forge.example")
    for name, value in (environment | {"GIT_CONFIG_KEY_1": other}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BackendUnavailableError):
        push_something(clone)
    assert {identity for identity, _, _ in forge.calls} == {""}


def test_without_a_credential_nothing_is_fetched(forge: Forge, clone: Path) -> None:
    with pytest.raises(BackendUnavailableError):
        push_something(clone)
    assert not (clone / ".git/FETCH_HEAD").exists()


@pytest.mark.parametrize("version", ["v5", "v7"])
def test_what_checkout_persists_is_obeyed_as_well(
    version: str, forge: Forge, token: Token, clone: Path, tmp_path: Path
) -> None:
    # Not what the workflows do, but what a person's own workflow may: `persist-credentials: true`
    # leaves a header in .git/config (to v5), or in a file that it includes (from v6 on).
    words = base64.b64encode(f"x-access-token:{token.text}".encode()).decode()
    key, header = f"http.{forge.url}/.extraheader", f"AUTHORIZATION: basic {words}"
    if version == "v5":
        git(clone, "config", "--local", key, header)
    else:
        file = tmp_path / "git-credentials.config"
        git(clone, "config", "--file", str(file), key, header)
        condition = f"includeIf.gitdir:{clone / '.git'}.path"
        git(clone, "config", "--local", condition, str(file))
    assert "GIT_CONFIG_COUNT" not in os.environ
    commit = push_something(clone)
    assert forge.tip() == commit
