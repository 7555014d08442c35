"""The commands with a key in a token: where the PIN comes from, and who never sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_command import Command

from ca_documents import GOVERNING, authority
from components import softhsm_module
from token_world import PIN, Token, token

HERE = "module-name=softhsm2"


@pytest.fixture(scope="module")
def hsm() -> Token:
    return token("command")


@pytest.fixture
def command(hsm: Token, tmp_path: Path) -> Command:
    folder = tmp_path / "ca"
    for path, text in GOVERNING.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    gitca = Command(folder)
    gitca.git("init", "-q", "-b", "main")
    gitca.git("add", "--all")
    gitca.git("commit", "-q", "-m", "documents")
    return gitca


def test_keys_are_made_and_shown_with_the_pin_of_the_environment(command, hsm) -> None:
    uri = hsm.uri("made", HERE)
    made = command("keys", "create", uri, "--spec", "P-384", "--format", "json",
                   GITCA_PKCS11_PIN=PIN)  # fmt: skip
    assert made.code == 0, made.err
    shown = command("keys", "show", uri, "--format", "json", GITCA_PKCS11_PIN=PIN)
    assert shown.code == 0, shown.err
    assert json.loads(shown.out)["identifier"] == json.loads(made.out)["identifier"]
    assert json.loads(shown.out)["key"] == "P-384"
    by_file = command("keys", "show", uri, GITCA_PKCS11_PIN_FILE=str(hsm.pin_file))
    assert by_file.code == 0, by_file.err
    assert PIN not in made.out + made.err + shown.out + shown.err + by_file.out + by_file.err


def test_without_a_terminal_the_message_names_the_variables(command, hsm) -> None:
    answer = command("keys", "show", hsm.uri("any", HERE))
    assert answer.code == 2
    assert "GITCA_PKCS11_PIN" in answer.err


def test_a_pin_from_two_places_is_refused(command, hsm) -> None:
    both = {"GITCA_PKCS11_PIN": PIN, "GITCA_PKCS11_PIN_FILE": str(hsm.pin_file)}
    answer = command("keys", "show", hsm.uri("any", HERE), **both)
    assert answer.code == 2
    assert "allowed is one" in answer.err
    assert PIN not in answer.err


def test_a_wrong_pin_ends_the_command_and_is_not_repeated(command, hsm) -> None:
    answer = command("keys", "show", hsm.uri("any", HERE), GITCA_PKCS11_PIN="0000-wrong")
    assert answer.code == 2
    assert "refuses the PIN" in answer.err
    assert "0000-wrong" not in answer.err


def test_no_program_that_gitca_starts_is_handed_the_pin(command, hsm, tmp_path) -> None:
    # Git starts a helper, which writes down the environment that it was given.
    seen = tmp_path / "seen"
    remote = tmp_path / "helpers"
    remote.mkdir()
    helper = remote / "git-remote-spy"
    helper.write_text(f"#!/bin/sh\nenv > {seen}\nexit 1\n")
    helper.chmod(0o755)
    command.git("remote", "add", "origin", "spy::anywhere")
    path = f"{remote}:/usr/local/bin:/usr/bin:/bin"
    command("reconcile", GITCA_PKCS11_PIN=PIN, PATH=path, GIT_ALLOW_PROTOCOL="spy")
    assert seen.exists()
    assert PIN not in seen.read_text()


@pytest.mark.parametrize("query", ["pin-value=1234", "module-path=lib.so", "colour=blue"])
def test_validate_finds_a_malformed_uri_and_needs_no_module(command, query) -> None:
    ca = command.folder / "ca" / "root.yaml"
    ca.write_text(authority("root", key=f"pkcs11:token=t;object=k?{query}"))
    answer = command("validate", GITCA_PKCS11_MODULES="")
    assert answer.code == 1
    assert "ca/root.yaml" in answer.out + answer.err
    assert "pkcs11 URI" in answer.out + answer.err or "carries a PIN" in answer.out + answer.err
    assert "1234" not in answer.out + answer.err


def test_a_document_cannot_have_a_module_loaded(command, hsm) -> None:
    uri = hsm.uri("any", f"module-path={softhsm_module()}")
    (command.folder / "ca" / "root.yaml").write_text(authority("root", key=uri))
    answer = command("keys", "show", "root", GITCA_PKCS11_PIN=PIN, GITCA_PKCS11_MODULES="")
    assert answer.code == 4
    assert "not listed in GITCA_PKCS11_MODULES" in answer.err
