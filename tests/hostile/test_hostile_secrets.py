"""I12: no passphrase, PIN or AWS credential reaches a commit, a file, an output or a process.

The whole life of a repository, with a key at each kind of signer, and the failures that go with it;
meanwhile the arguments and environments of all processes are sampled.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hostile_world import Hostile

import gitca_process
from aws.aws_server import AwsServer
from ca_documents import authority, policy, request, revocation
from token_world import PINS, token

PASSPHRASE = secrets.token_hex(20)
AWS_SECRET = secrets.token_hex(20)
AWS_SESSION = secrets.token_hex(40)
WRONG = secrets.token_hex(20)
PIN = PINS["secrets"]
SECRETS = (PASSPHRASE, PIN, AWS_SECRET, AWS_SESSION, WRONG)


@dataclass
class Watch:
    """What was seen of processes: arguments of all, variables of the Gits below a folder."""

    below: Path
    arguments: set[bytes] = field(default_factory=set)
    variables: set[bytes] = field(default_factory=set)

    def look(self) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes()
                self.arguments.add(words)
                if words.startswith(b"git\0") and Path(
                    os.readlink(process / "cwd")  # noqa: PTH115 - the link as it is
                ).is_relative_to(self.below):
                    variables = (process / "environ").read_bytes()
                    self.variables.update(variables.split(b"\0"))
            except OSError:
                continue


@contextmanager
def watching(below: Path) -> Iterator[Watch]:
    """Look at all processes again and again while the block runs."""
    watch, over = Watch(below), threading.Event()

    def look() -> None:
        while not over.is_set():
            watch.look()
            over.wait(0.002)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


@dataclass
class Life:
    """A repository whose commands were run: what they said, and what was seen of processes."""

    world: Hostile
    watch: Watch
    variables: dict[str, str]
    outputs: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    def __call__(self, *arguments: str, **environment: str) -> int:
        running = gitca_process.start(
            self.world.clone, *arguments, **(self.variables | environment)
        )
        self.codes.append(running.wait())
        self.outputs.append(running.words)
        return self.codes[-1]

    def save(self, files: dict[str, str]) -> None:
        for path, text in files.items():
            place = self.world.clone / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        self.world.git("add", "--all")
        self.world.git("commit", "-q", "-m", "documents")
        self.world.git("push", "-q", "origin", "main")


@pytest.fixture(scope="module")
def life(aws_once: AwsServer, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """From the making of the keys to a revocation, with failures."""
    top = tmp_path_factory.mktemp("secrets")
    world, hsm = Hostile(top), token("secrets")
    world.git("init", "-q", "-b", "main", "pki", where=top)
    world.git("init", "-q", "-b", "main", "--bare", "origin.git", where=top)
    world.git("remote", "add", "origin", str(world.origin))
    variables = aws_once.environment() | {
        "AWS_ENDPOINT_URL": aws_once.endpoint,
        "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
        "AWS_SESSION_TOKEN": AWS_SESSION,
        "GITCA_KEY_PASSPHRASE": PASSPHRASE,
        "GITCA_PKCS11_PIN": PIN,
        "TMPDIR": str(top / "temporary"),
        "NO_COLOR": "1",
    }
    (top / "temporary").mkdir()
    alias = f"alias/secrets/{os.getpid()}"
    aws_once.create_key("ECC_NIST_P256", alias=alias)
    with watching(top) as watch:
        life = Life(world, watch, variables)
        live(
            life,
            {"issuing": aws_once.uri(alias), "tokens": hsm.uri("secrets", "module-name=softhsm2")},
        )
    return life


def live(life: Life, keys: dict[str, str]) -> None:
    """Run every command that meets a secret, well and badly."""
    documents = {f"ca/{ca}.yaml": authority(ca, "root", key=uri) for ca, uri in keys.items()}
    life.save({".gitignore": ".gitca\n", "ca/root.yaml": authority("root"), **documents})
    life.save({"policies/server.yaml": policy(), "policies/token.yaml": policy(issuer="tokens")})
    assert life("keys", "create", "root", "--spec", "P-256") == 0
    assert life("keys", "create", "tokens", "--spec", "P-256") == 0
    other = request("token", "b.example.internal", policy="token")
    life.save({"requests/a.yaml": request("a", "a.example.internal"), "requests/b.yaml": other})
    assert life("--verbose", "reconcile") == 0
    life.save({"requests/stop.yaml": revocation("keyCompromise", certificate="a")})
    for variable in ("GITCA_KEY_PASSPHRASE", "GITCA_PKCS11_PIN"):
        assert life("--verbose", "reconcile", **{variable: WRONG}) != 70
        assert life("keys", "show", "root", **{variable: WRONG}) != 70
    assert life("--verbose", "reconcile", AWS_ENDPOINT_URL="http://127.0.0.1:1") in {0, 4}
    assert life("--verbose", "reconcile") == 0
    for command in (("doctor",), ("verify",), ("list",), ("keys", "show", "tokens")):
        assert life(*command) == 0
    life.world.git(
        "remote", "set-url", "origin", f"https://user:{WRONG}@127.0.0.1:1/x?token={WRONG}"
    )
    assert life("--verbose", "reconcile") == 4
    assert life("--verbose", "doctor") == 1


def holding(data: bytes) -> list[str]:
    """Return the secrets in some bytes, by their beginning."""
    return [secret[:4] for secret in SECRETS if secret.encode() in data]


def test_no_output_tells_a_secret(life: Life) -> None:
    assert len(life.outputs) > 12
    assert [holding(words.encode()) for words in life.outputs if holding(words.encode())] == []


def test_no_object_of_git_holds_a_secret(life: Life) -> None:
    for folder in (life.world.clone, life.world.origin):
        everything = subprocess.run(
            ["git", "cat-file", "--batch", "--batch-all-objects"],
            cwd=folder,
            capture_output=True,
            check=True,
        ).stdout
        assert b"BEGIN CERTIFICATE" in everything
        assert holding(everything) == []


def test_no_file_holds_a_secret_but_the_address_that_git_was_given(life: Life) -> None:
    files = [path for path in life.world.top.rglob("*") if path.is_file()]
    found = {path: holding(path.read_bytes()) for path in files}
    given = life.world.clone / ".git" / "config"
    assert {path: held for path, held in found.items() if held and path != given} == {}


def test_no_process_has_a_secret_among_its_arguments(life: Life) -> None:
    seen = [words for words in life.watch.arguments if words.startswith(b"git\0")]
    assert len(seen) > 20
    # The remote helper gets the address that the configuration holds, as Git has it, and this test
    # writes the address into the configuration. No other test has any of these secrets.
    others = (b"remote-http", b"set-url")
    ours = [words for words in life.watch.arguments if not any(one in words for one in others)]
    assert [words for words in ours if holding(words)] == []


def test_git_is_given_neither_passphrase_nor_pin(life: Life) -> None:
    assert any(one.startswith(b"GIT_CONFIG_COUNT=") for one in life.watch.variables)
    names = {one.partition(b"=")[0] for one in life.watch.variables}
    # A Git of the test itself has what the test has: where the token's module is, and CI's word.
    plain = {b"GITCA_PKCS11_MODULES", b"GITCA_REQUIRE_ALL"}
    assert {name for name in names if name.startswith(b"GITCA_")} <= plain
    # AWS's credentials stay: a helper that reaches CodeCommit needs them.
    kept = {b"AWS_SECRET_ACCESS_KEY", b"AWS_SESSION_TOKEN"}
    told = [one for one in life.watch.variables if holding(one)]
    assert {one.partition(b"=")[0] for one in told} <= kept
