"""What goes wrong is one line on standard error and an exit code, never a traceback (I9)."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest
from cli_command import Run

from gitca.cli import boundary
from gitca.errors import (
    BackendUnavailableError,
    ContradictionError,
    GitcaError,
    LostRaceError,
    UsageError,
)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("frobnicate",), "No such command"),
        (("plan", "--frobnicate"), "No such option"),
        (("plan", "--at", "tomorrow"), "RFC 3339"),
        (("plan", "--at", "2026-12-01T00:00:00"), "RFC 3339"),
        (("plan", "--at", "0001-01-01T00:00:00+14:00"), "out of range"),
        (("plan", "--base", "nowhere"), "no commit"),
        (("list", "--format", "yaml"), "is not one of"),
        (("list", "--ca", "nobody"), "no CA"),
        (("reconcile", "--ca", "nobody"), "no CA"),
        (("reconcile", "--concurrency", "0"), "greater than or equal to 1"),
        (("show",), "either"),
        (("show", "nobody"), "no request, serial number or CA"),
        (("show", "--crl", "nobody"), "no CRL"),
        (("show", "abcdef0123"), "no request, serial number or CA"),
        (("request", "show", "nobody"), "there is no requests/nobody.yaml"),
        (("request", "new", "../up", "--policy", "internal-server", "--csr", "x"), "cannot be"),
        (("request", "new", "a.yaml", "--policy", "internal-server", "--csr", "x"), "cannot be"),
        (("request", "new", "a", "--policy", "nobody", "--csr", "x"), "no usable policy"),
        (("request", "new", "a", "--policy", "internal-server"), "either --csr"),
        (("request", "new", "a", "--policy", "internal-server", "--csr", "nowhere"), "cannot read"),
        (("revoke", "nobody", "--reason", "superseded"), "no request, serial number or CA"),
        (("revoke", "nobody", "--reason", "removeFromCRL"), "is not one of"),
        (("revoke", "nobody"), "Missing option"),
        (("keys", "show", "nobody"), "no usable CA"),
        (("keys", "create", "vault:///x"), "scheme"),
        (("keys", "create", "root", "--spec", "P-192"), "is not one of"),
        (("verify", "--since", "nowhere"), "no segment, no date"),
        (("schema",), "either"),
        (("schema", "Certificate"), "is not one of"),
        (("validate", "nowhere"), "there is no"),
        (("validate", "/"), "outside"),
        (("--repo", "/nowhere", "validate"), "not a folder"),
        (("--verbose", "--quiet", "list"), "both"),
        (("init", "."), "Missing option"),
        (("demo", "--documents", "nowhere"), "not a folder"),
    ],
)  # fmt: skip
def test_wrong_usage_exits_with_2(run: Run, arguments: tuple[str, ...], words: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError, 2),
        (LostRaceError, 3),
        (BackendUnavailableError, 4),
        (ContradictionError, 5),
        (GitcaError, 1),
    ],
)
def test_each_error_is_one_line_with_its_remedy_and_its_code(
    error: type[GitcaError],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: object) -> int:
        raise error("it\nbroke", remedy="mend it")

    monkeypatch.setattr(boundary, "_invoke", fail)
    assert boundary.run(["list"]) == code
    assert capsys.readouterr().err == "gitca: it\\x0abroke; mend it\n"


def test_a_full_disk_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "issued")

    monkeypatch.setattr(boundary, "_invoke", fail)
    assert boundary.run(["init", "x"]) == 4
    assert "No space left on device: issued" in capsys.readouterr().err


def test_an_interrupt_exits_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(boundary, "_invoke", interrupt)
    assert boundary.run(["reconcile"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("verbose", [False, True])
def test_a_defect_is_one_line_and_its_traceback_is_for_those_who_ask(
    verbose: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(boundary, "_invoke", fail)
    assert boundary.run(["--verbose", "list"] if verbose else ["list"]) == boundary.UNFORESEEN
    err = capsys.readouterr().err
    assert "this is a defect in gitca: ZeroDivisionError" in err
    assert ("Traceback" in err) is verbose
    assert verbose or err.count("\n") == 1


def test_outside_of_a_repository_the_way_in_is_shown(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (("list",), ("validate",), ("reconcile",), ("status",), ("plan",), ("verify",)):
        code, _, err = run(*command)
        assert code == 2, command
        assert err.startswith("gitca: ")


@pytest.mark.parametrize("command", ["list", "plan", "status", "verify"])
def test_a_repository_without_a_commit_is_wrong_usage(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet", "."], check=True)
    code, _, err = run(command)
    assert code == 2
    assert "no commit" in err


def test_without_a_passphrase_and_a_terminal_a_key_is_not_asked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITCA_KEY_PASSPHRASE", raising=False)
    code, _, err = run("keys", "show", "root")
    assert code == 2
    assert "GITCA_KEY_PASSPHRASE" in err


def test_a_wrong_passphrase_is_not_repeated_and_is_handed_to_no_other_program(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I12."""
    monkeypatch.setenv("GITCA_KEY_PASSPHRASE", "hunter2")
    code, out, err = run("--verbose", "keys", "show", "root")
    assert code == 2
    assert "hunter2" not in out + err
    assert "GITCA_KEY_PASSPHRASE" not in os.environ


def test_quiet_says_nothing_where_there_is_nothing_to_say(run: Run) -> None:
    assert run("--quiet", "validate") == (0, "", "")
    assert run("--quiet", "list") == (0, "", "")
    assert run("--quiet", "plan") == (0, "", "")
