"""keys create, keys show: what is made or would be, and which certificate a key belongs to."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable

import pytest
import typer
from cli_command import Command, Run

from aws.aws_server import AwsServer
from gitca.cli.key_specs import parse_spec
from gitca.signers.key_spec_names import KMS_SPECS
from gitca.x509.keys import KEY_SPECS as KNOWN_SPECS

ROLE = "arn:aws:iam::123456789012:role/gitca"
KMS_URI = "awskms:///alias/example-root?region=eu-west-1"
PREVIEW = (
    *("keys", "create", KMS_URI, "--spec", "ECC_NIST_P384", "--multi-region", "--print"),
    *("--sign-role", ROLE, "--sign-role", f"{ROLE}-2"),
    *("--admin-role", "arn:aws:iam::123456789012:role/security"),
)


def test_every_kind_of_key_has_gitcas_name_and_that_of_kms() -> None:
    assert set(KMS_SPECS) == set(KNOWN_SPECS)
    for name, kms in KMS_SPECS.items():
        assert parse_spec(name) == parse_spec(kms) == name


@pytest.mark.parametrize(
    ("text", "hint"),
    [("p-384", "write P-384"), ("rsa_4096", "write RSA-4096"), ("ML-DSA_65", "write ML-DSA-65")],
)
def test_a_name_in_another_case_is_told_how_it_is_written(text: str, hint: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"is not one of .*; {hint}$"):
        parse_spec(text)


def test_an_unknown_kind_of_key_is_told_once_with_all_that_there_are(run: Run) -> None:
    code, _, err = run("keys", "create", "root", "--spec", "P-192")
    assert code == 2
    assert err.count("P-192") == 1
    assert all(name in err for name in KMS_SPECS)


@pytest.mark.parametrize(
    ("incomplete", "offered"),
    [("ECC", {"ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_NIST_EDWARDS25519"}),
     ("P-", {"P-256", "P-384", "P-521"})],
)  # fmt: skip
def test_the_shell_completes_kinds_of_keys(
    gitca: Command, incomplete: str, offered: set[str]
) -> None:
    line = f"gitca keys create x --spec {incomplete}"
    answer = gitca(_GITCA_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD="5")
    assert set(answer.out.split()) == offered


def test_a_preview_is_an_outline_of_at_most_the_terminals_width(
    run: Run, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    code, out, _ = run(*PREVIEW)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    golden("cli/keys-create-print.txt", out)


def test_a_preview_in_json_is_what_kms_would_be_given(run: Run) -> None:
    code, out, _ = run(*PREVIEW, "--format", "json")
    preview = json.loads(out)
    assert code == 0
    assert preview["CreateKey"]["MultiRegion"] is True
    assert preview["CreateKey"]["Policy"]["Statement"][0]["Principal"]["AWS"] == [ROLE, f"{ROLE}-2"]


def test_a_preview_of_a_file_asks_for_no_passphrase_and_makes_none(pki: Command) -> None:
    pki = Command(pki.folder)
    out = pki.runs("keys", "create", "file:.gitca/keys/spare.pem", "--print")
    assert "signer: file:.gitca/keys/spare.pem\nspec: P-256\n" in out
    assert not (pki.folder / ".gitca/keys/spare.pem").exists()


def test_options_of_kms_are_refused_for_a_file(pki: Command) -> None:
    answer = pki("keys", "create", "file:.gitca/keys/spare.pem", "--multi-region")
    assert (answer.code, "they are AWS KMS's" in answer.err) == (2, True)


def test_a_new_key_is_told_with_what_to_write_in_the_document(
    pki: Command, golden: Callable[[str, str], None], masked: Callable[[str], str]
) -> None:
    out = pki.runs("keys", "create", "file:.gitca/keys/spare.pem", "--spec", "ECC_NIST_P384")
    golden("cli/keys-create.txt", masked(out))
    line = next(line for line in out.splitlines() if line.startswith("  key: "))
    document = pki.folder / "ca/issuing.yaml"
    text = document.read_text()
    document.write_text(text.replace('  key: "file:.gitca/keys/issuing.pem"', line))
    assert document.read_text() != text
    assert "P-384" in pki.runs("keys", "show", "issuing")


def test_a_key_that_a_document_names_already_is_told_so(pki: Command) -> None:
    (pki.folder / ".gitca/keys/root.pem").unlink()
    out = pki.runs("keys", "create", "root", "--spec", "P-384")
    assert "ca/root.yaml names it" in out
    assert "\n  key: " not in out


def test_a_quiet_create_gives_the_record_alone(pki: Command) -> None:
    out = pki.runs("--quiet", "keys", "create", "file:.gitca/keys/spare.pem")
    assert [line.split()[0] for line in out.splitlines()] == ["signer", "key", "identifier"]


@pytest.mark.parametrize("target", ["root", "file:.gitca/keys/root.pem"])
def test_a_ca_with_a_certificate_gets_no_other_key(lived_in: Command, target: str) -> None:
    key = lived_in.folder / ".gitca/keys/root.pem"
    key.unlink()
    answer = lived_in("keys", "create", target)
    assert (answer.code, answer.out) == (2, "")
    assert "is pinned to its key" in answer.err
    assert "a new key is a new CA" in answer.err
    assert not key.exists()


def test_a_key_is_shown_with_the_certificate_that_it_belongs_to(
    standing: Command, golden: Callable[[str, str], None], masked: Callable[[str], str]
) -> None:
    golden("cli/keys-show.txt", masked(standing.runs("keys", "show", "issuing")))
    record = json.loads(standing.runs("keys", "show", "issuing", "--format", "json"))
    shown = json.loads(standing.runs("show", "issuing", "--format", "json"))
    (bound,) = record["authorities"]
    assert bound == {
        "ca": "issuing",
        "named": True,
        "key": record["identifier"],
        "isThisKey": True,
        "certificate": {
            "serial": shown["serial"],
            "notAfter": shown["notAfter"],
            "status": "valid",
        },
    }


def test_the_public_key_in_pem_is_the_one_of_the_certificate(standing: Command) -> None:
    pem = standing.runs("keys", "show", "issuing", "--format", "pem")
    judged = standing.start(
        *("openssl", "x509", "-in", "issued/issuing/ca.pem", "-noout", "-pubkey")
    )
    assert pem == judged.out


def test_a_key_by_its_uri_is_found_in_a_certificate_whose_document_names_another(
    lived_in: Command,
) -> None:
    keys = lived_in.folder / ".gitca/keys"
    shutil.copy(keys / "issuing.pem", keys / "copy.pem")
    out = lived_in.runs("keys", "show", "file:.gitca/keys/copy.pem")
    assert "CA issuing, serial " in out
    assert "the CA's document names another URI" in " ".join(out.split())


def test_a_key_that_no_ca_has_is_told_so(pki: Command) -> None:
    pki.runs("keys", "create", "file:.gitca/keys/spare.pem")
    out = pki.runs("keys", "show", "file:.gitca/keys/spare.pem")
    assert "no CA's document here names this key, and no CA's certificate has it" in out
    assert "CA root names this key, and has no certificate yet" in pki.runs("keys", "show", "root")


@pytest.mark.parametrize("form", ["text", "json", "pem"])
def test_another_key_than_the_certificates_is_told_loudly_with_exit_code_5(
    lived_in: Command, form: str
) -> None:
    keys = lived_in.folder / ".gitca/keys"
    shutil.copy(keys / "issuing.pem", keys / "root.pem")
    answer = lived_in("keys", "show", "root", "--format", form)
    assert answer.code == 5
    assert "has ANOTHER key" in answer.err
    if form == "text":
        told = "CA root names this key, and its certificate (serial "
        assert told in " ".join(answer.out.split())
    if form == "json":
        bound = {item["ca"]: item for item in json.loads(answer.out)["authorities"]}
        assert bound["root"]["isThisKey"] is False
        assert bound["issuing"]["isThisKey"] is True


def test_a_folder_without_git_shows_its_keys_and_says_what_was_not_looked_for(
    pki: Command,
) -> None:
    shutil.rmtree(pki.folder / ".git")
    out = " ".join(pki.runs("keys", "show", "root").split())
    assert "certificate not looked for: " in out
    assert "is not in a Git repository" in out


def test_a_key_in_kms_is_made_for_the_named_role_and_shown(pki: Command, aws: AwsServer) -> None:
    uri = aws.uri(f"alias/keys-{os.getpid()}-{pki.folder.parent.name}")
    kms = Command(pki.folder, **aws.environment())
    refused = kms("keys", "create", uri, "--spec", "RSA_3072")
    assert (refused.code, "--sign-role" in refused.err) == (2, True)
    made = json.loads(
        kms.runs(
            *("keys", "create", uri, "--spec", "RSA_3072", "--sign-role", ROLE),
            *("--format", "json"),
        )
    )
    assert made["key"] == "RSA 3072"
    shown = json.loads(kms.runs("keys", "show", uri, "--format", "json"))
    assert {name: shown[name] for name in made} == made
    assert shown["details"]["keySpec"] == "RSA_3072"
    assert shown["authorities"] == []
    policy = aws.kms().get_key_policy(KeyId=shown["details"]["arn"], PolicyName="default")
    assert ROLE in policy["Policy"]
    again = kms("keys", "create", uri, "--spec", "RSA_3072", "--sign-role", ROLE)
    assert (again.code, "exists already" in again.err) == (2, True)
    assert aws.signs() == []
