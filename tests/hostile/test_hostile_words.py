"""Whatever documents, names of files, commits and remotes say comes out as text on one line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from hostile_world import READING, Hostile, Said
from payloads import PAYLOADS, unsafe

from ca_documents import csr_pem

FILE_NAMES = {
    name: payload.replace("/", "_").replace("\0", "")[:200] for name, payload in PAYLOADS.items()
}
CODES = {0, 1, 2, 4}
SOME = ("escape", "newline", "command", "bidi", "option", "dots", "shell", "long", "surrogate")


def request_of(payload: str) -> str:
    """Say the payload in every place of a request that holds a text."""
    text = payload.encode("utf-8", "replace").decode()
    spec = {
        "policy": "internal-server",
        "subject": {"commonName": text, "organization": text},
        "sans": {"dns": [text], "uri": [text], "email": [text], "ip": [text]},
        "validity": text,
        "keyUsage": [text],
        "csr": csr_pem("hostile"),
        text: text,
    }
    metadata = {"owner": text, "labels": {"team": text, text: "x"}, "description": text}
    whole = {"apiVersion": "gitca/v1", "kind": "CertificateRequest"}
    # YAML's own escapes, so that the reader gets every character.
    return yaml.dump(whole | {"metadata": metadata, "spec": spec}, width=10**6)


def other_documents(name: str, payload: str) -> dict[str, str]:
    """Say the payload in a CA, a policy, a revocation, a request for a policy of that name."""
    text = payload.encode("utf-8", "replace").decode()
    head = {"apiVersion": "gitca/v1"}
    authority = {"subject": {"commonName": text}, "issuer": text, "key": text, "validity": text}
    documents = {
        f"ca/{name}.yaml": head | {"kind": "CertificateAuthority", "spec": authority},
        f"policies/{name}.yaml": head
        | {"kind": "IssuancePolicy", "spec": {"issuer": text, "sans": {"dns": {"allow": [text]}}}},
        f"requests/{name}-stop.yaml": head
        | {"kind": "RevocationRequest", "spec": {"certificate": text, "reason": text}},
        f"requests/{name}-policy.yaml": head
        | {"kind": "CertificateRequest", "spec": {"policy": text, "csr": text}},
        f"requests/{name}-kind.yaml": {"apiVersion": text, "kind": text, "spec": text},
    }
    return {path: yaml.dump(value, width=10**6) for path, value in documents.items()}


def write(world: Hostile, path: str, text: str) -> None:
    """Write a file whose name may be any bytes."""
    place = os.path.join(os.fsencode(world.clone), path.encode("utf-8", "surrogateescape"))  # noqa: PTH118 - bytes
    os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120 - bytes
    Path(os.fsdecode(place)).write_text(text, "utf-8")


@pytest.fixture(scope="module")
def speaking(lived_in: Hostile, tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    """A repository that has every payload in every place, on a branch and in commits, too."""
    world = lived_in.copy(tmp_path_factory.mktemp("speaking"))
    for name, payload in PAYLOADS.items():
        write(world, f"requests/{name}.yaml", request_of(payload))
        write(world, f"requests/{FILE_NAMES[name]}.yaml", request_of(payload))
        write(world, f"policies/{FILE_NAMES[name]}.yaml", "kind: x\n")
        write(world, f"ca/{FILE_NAMES[name]}.yaml", "kind: x\n")
        for path, text in other_documents(name, payload).items():
            write(world, path, text)
    world.git("add", "--all", "requests", "ca", "policies")
    words = PAYLOADS["escape"] + PAYLOADS["command"]
    world.git(
        *("-c", f"user.name={words}", "-c", f"user.email={words}@x"),
        *("commit", "-q", "-m", "\n".join(PAYLOADS.values()).replace("\0", "")),
    )
    world.git("push", "-q", "origin", "main")
    return world


@pytest.fixture(scope="module")
def said(speaking: Hostile) -> dict[str, Said]:
    """What every command says of it."""
    commands = (*READING, ("reconcile",), ("verify",), ("--verbose", "plan"), ("list",))
    return {" ".join(command): speaking.gitca(*command) for command in commands}


def test_every_command_answers(said: dict[str, Said]) -> None:
    assert {name: one.code for name, one in said.items() if one.code not in CODES} == {}


def test_no_output_moves_a_terminal_or_speaks_to_a_ci_system(said: dict[str, Said]) -> None:
    assert {name: lines for name, one in said.items() if (lines := unsafe(one.words))} == {}


def test_json_is_ascii_and_says_what_the_documents_say(said: dict[str, Said]) -> None:
    for name, one in said.items():
        if "--format json" in name and one.code < 2:
            assert one.words.isascii()
            json.loads(one.words)
    findings = json.loads(said["validate --format json"].words)["findings"]
    assert any("##[set-output" in finding["message"] for finding in findings)


def test_a_reconcile_writes_below_issued_alone(speaking: Hostile, said: dict[str, Said]) -> None:
    assert said["reconcile"].code == 1
    changed = speaking.git("diff", "--name-only", "-z", "origin/main", "main").split("\0")
    assert all(path.startswith("issued/") for path in changed if path)
    assert sorted(
        path.name for path in speaking.top.iterdir() if not path.name.endswith(".key")
    ) == [
        "origin.git",
        "pki",
    ]


def test_what_stood_before_is_not_held_up(speaking: Hostile, said: dict[str, Said]) -> None:
    assert said["verify"].code == 0
    tree = speaking.git("ls-tree", "-r", "--name-only", "main")
    assert "issued/issuing/certificates/shop/web.pem" in tree


@pytest.mark.parametrize("name", SOME)
def test_a_payload_as_an_argument_is_answered_in_words(world_once: Hostile, name: str) -> None:
    payload = PAYLOADS[name].replace("\0", "")
    for command in (("show", payload), ("plan", "--base", payload)):
        one = world_once.gitca(*command)
        assert one.code == 2
        assert unsafe(one.words) == []
    one = world_once.gitca(
        *("request", "new", payload, "--policy", "internal-server", "--dns", "a.example.internal"),
        *("--new-key", "../key-of-payload.pem"),
    )
    assert one.code in {0, 2}
    assert unsafe(one.words) == []
    world_once.git("clean", "-fdq", "requests")
    (world_once.top / "key-of-payload.pem").unlink(missing_ok=True)
    assert world_once.git("status", "--porcelain") == ""


@pytest.fixture(scope="module")
def world_once(lived_in: Hostile, tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    """A copy for commands that leave nothing behind."""
    return lived_in.copy(tmp_path_factory.mktemp("arguments"))


@pytest.mark.parametrize("name", ["escape", "newline", "bidi", "old-command"])
def test_a_remotes_address_is_told_in_words(world: Hostile, name: str) -> None:
    payload = PAYLOADS[name]
    world.git("remote", "set-url", "origin", f"https://user:secret@127.0.0.1:1/{payload}")
    for command in ("doctor", "reconcile"):
        one = world.gitca(command)
        assert one.code in {1, 4}
        assert unsafe(one.words) == []
        assert "secret" not in one.words


@pytest.mark.parametrize("name", ["escape", "newline", "option", "dots", "long"])
def test_a_branch_that_the_repository_names_is_no_option_and_no_path(
    world: Hostile, name: str
) -> None:
    text = PAYLOADS[name].encode("utf-8", "replace").decode()
    spec = {"branch": text, "committer": {"name": text, "email": text}}
    document = {"apiVersion": "gitca/v1", "kind": "Repository", "spec": spec}
    (world.clone / "ca/repository.yaml").write_text(yaml.dump(document))
    world.git("commit", "-q", "-am", "branch")
    world.git("push", "-q", "origin", "main")
    one = world.gitca("reconcile")
    assert one.code == 1
    assert unsafe(one.words) == []
