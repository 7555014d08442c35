"""I9 at the command line: nothing that a repository holds gives a traceback or moves a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from cli_command import Command, Run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitca.cli import boundary

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3)
    ),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ["policy", "subject", "sans", "validity", "keyUsage", "csr", "csrFile", "extendedKeyUsage"]
)


def shape(spec: object) -> bytes:
    kind = {"apiVersion": "gitca/v1", "kind": "CertificateRequest", "spec": spec}
    return json.dumps(kind).encode()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | st.dictionaries(KEYS, JSON, max_size=6).map(shape))
def test_no_document_gives_a_traceback(
    pki: Command,
    content: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(pki.folder)
    (pki.folder / "requests/fuzz.yaml").write_bytes(content)
    code = boundary.run(["validate"])
    captured = capsys.readouterr()
    assert code in {0, 1}, captured.err
    assert captured.err == ""
    assert captured.out.replace("\n", "").isprintable()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arguments=st.lists(
        st.sampled_from(
            [
                *("list", "show", "status", "request", "new", "keys", "schema", "plan", "validate"),
                *("--ca", "--format", "json", "--at", "--crl", "--within", "-1", "--base", "--"),
                *("\x1b[31m", "\udcff", "", "../..", "root", "é" * 300, "--quiet", "--help"),
            ]
        ),
        max_size=6,
    )
)
def test_no_arguments_give_a_traceback(run: Run, arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert code in {0, 1, 2, 4}, err
    assert "\x1b" not in out
    assert "this is a defect" not in err


def test_a_changed_ledger_is_a_contradiction_and_not_a_defect(lived_in: Command) -> None:
    segment = sorted((lived_in.folder / "issued/ledger").iterdir())[1]
    segment.write_bytes(segment.read_bytes().replace(b"root", b"toor", 1))
    lived_in.git("commit", "--quiet", "-am", "tamper")
    for command in ("list", "plan", "status", "verify", "reconcile"):
        answer = lived_in(command)
        assert answer.code == 5, (command, answer.out, answer.err)


@pytest.mark.parametrize("damage", [b"", b"\x00" * 40, b"-----BEGIN CERTIFICATE-----\n", b"{"])
def test_damaged_files_under_issued_are_told_without_a_traceback(
    lived_in: Command, damage: bytes
) -> None:
    for name in ("issued/root/ca.pem", "issued/issuing/crl.der"):
        (lived_in.folder / name).write_bytes(damage)
    lived_in.git("commit", "--quiet", "-am", "damage")
    assert lived_in("verify").code == 5
    assert lived_in("show", "--crl", "issuing").code == 5
    assert lived_in("validate").code == 5


def test_words_of_a_document_reach_the_terminal_escaped(lived_in: Command) -> None:
    request = lived_in.folder / "requests/payments/api.yaml"
    document = yaml.safe_load(request.read_text())
    document["metadata"] = {"owner": "\x1b]0;pwned\x07\u202e"}
    request.write_text(json.dumps(document))
    for arguments in (("request", "show", "payments/api"), ("validate",)):
        answer = lived_in(*arguments)
        assert answer.code in {0, 1}
        assert not {"\x1b", "\x07", "\u202e"} & set(answer.out + answer.err)


def test_a_commit_message_and_an_author_reach_the_terminal_escaped(lived_in: Command) -> None:
    request = lived_in.folder / "requests/payments/api.yaml"
    request.write_text(request.read_text().replace("api.example", "api2.example"))
    lived_in.git("-c", "user.name=\x1b[31mMallory\u202e", "commit", "--quiet", "-am", "\x1b[2J")
    lived_in.runs("reconcile")
    answer = lived_in("show", "payments/api")
    assert answer.code == 0
    assert "Mallory" in answer.out
    assert not {"\x1b", "\u202e"} & set(answer.out)


def test_the_repository_may_be_named_from_anywhere(lived_in: Command, tmp_path: Path) -> None:
    here = lived_in.at(tmp_path)
    assert here.runs("--repo", str(lived_in.folder), "list") == lived_in.runs("list")
    assert here.runs("--repo", str(lived_in.folder / "requests"), "validate").startswith("21 ")
