"""init: a repository that appears whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from cli_command import PASSPHRASE, Command, Run

from gitca.cli import boundary
from gitca.cli.fresh import fresh_folder
from gitca.cli.scaffold import Names, render
from gitca.errors import UsageError

POLICIES = (
    *("code-signing", "internal-client", "internal-server", "iot-device", "kubernetes-issuer"),
    *("smime", "spiffe-workload"),
)
NAMES = ("--domain", "example.internal", "--organization", "Example")


def test_what_init_makes_is_committed_but_for_the_keys(scaffold: Path) -> None:
    pki = Command(scaffold)
    assert pki.git("status", "--short") == ""
    assert pki.git("ls-files").splitlines() == [
        *(".gitattributes", ".gitignore", "README.md", "ca/issuing.yaml", "ca/repository.yaml"),
        *("ca/root.yaml", "issued/.gitkeep"),
        *(f"policies/{name}{end}.yaml" for name in POLICIES for end in (".tests", "")),
        "requests/.gitkeep",
    ]
    assert pki.git("branch", "--show-current") == "main\n"
    assert pki.git("log", "-1", "--format=%an <%ae>") == "Test <test@example.com>\n"


def test_the_keys_are_encrypted_and_for_their_owner_alone(scaffold: Path) -> None:
    for name in ("root", "issuing"):
        key = scaffold / ".gitca/keys" / f"{name}.pem"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert key.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert stat.S_IMODE((scaffold / ".gitca").stat().st_mode) == 0o700


def test_the_passphrase_is_nowhere_in_the_repository(scaffold: Path) -> None:
    for path in scaffold.rglob("*"):
        assert path.is_dir() or PASSPHRASE.encode() not in path.read_bytes(), path


def test_the_scaffold_has_no_findings(run: Run) -> None:
    code, out, _ = run("validate")
    assert (code, out) == (0, "17 documents: no findings\n")


def test_without_an_identity_in_git_the_commit_is_gitcas(gitca: Command, tmp_path: Path) -> None:
    answer = gitca("init", "pki", *NAMES, GIT_CONFIG_GLOBAL=os.devnull)
    assert answer.code == 0, answer.err
    log = gitca.at(tmp_path / "pki").git("log", "-1", "--format=%an <%ae>")
    assert log == "gitca <gitca@example.internal>\n"


def test_an_empty_folder_is_filled_and_stays_the_same_folder(
    gitca: Command, tmp_path: Path
) -> None:
    (tmp_path / "pki").mkdir()
    before = (tmp_path / "pki").stat().st_ino
    gitca.at(tmp_path / "pki").runs("init", ".", *NAMES)
    assert (tmp_path / "pki").stat().st_ino == before
    assert {path.name for path in (tmp_path / "pki").iterdir()} == {
        *(".git", ".gitca", ".gitattributes", ".gitignore", "README.md"),
        *("ca", "policies", "requests", "issued"),
    }


def test_a_folder_with_anything_in_it_is_left_alone(gitca: Command, tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "notes").write_text("mine")
    answer = gitca("init", "pki", *NAMES)
    assert (answer.code, "is not empty" in answer.err) == (2, True)
    assert [path.name for path in (tmp_path / "pki").iterdir()] == ["notes"]


@pytest.mark.parametrize(
    "names",
    [
        ("--domain", "*.example.internal", "--organization", "Example"),
        ("--domain", "exa mple", "--organization", "Example"),
        ("--domain", "example.internal.", "--organization", "Example"),
        ("--domain", 'x"\nspec: {}', "--organization", "Example"),
        ("--domain", "dev.localhost", "--organization", "Example"),
        ("--domain", f"{'x' * 56}.test", "--organization", "Example"),
        ("--domain", "example.internal", "--organization", ""),
        ("--domain", "example.internal", "--organization", "x" * 60),
        ("--domain", "example.internal", "--organization", "Ex\u202eample"),
        (*NAMES, "--country", "England"),
        (*NAMES, "--country", "gb"),
        (*NAMES, "--signer", "paper"),
        (*NAMES, "--region", "eu-west-1"),
        (*NAMES, "--signer", "awskms"),
        (*NAMES, "--signer", "awskms", "--region", "the moon"),
        (*NAMES, "--signer", "awskms", "--region", "eu-west-1", "--token", "pki"),
        (*NAMES, "--signer", "pkcs11", "--token", "pki"),
        (*NAMES, "--signer", "pkcs11", "--token", "x" * 33, "--module", "/usr/lib/x.so"),
        (*NAMES, "--signer", "pkcs11", "--token", "pki", "--module", "lib/x.so"),
    ],
)
def test_names_that_no_certificate_can_have_are_refused_and_nothing_is_made(
    names: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert boundary.run(["init", "pki", *names]) == 2
    assert capsys.readouterr().err.count("Traceback") == 0
    assert list(tmp_path.iterdir()) == []


def test_without_a_passphrase_nothing_is_left_behind(tmp_path: Path) -> None:
    answer = Command(tmp_path)("init", "pki", *NAMES)
    assert (answer.code, "GITCA_KEY_PASSPHRASE" in answer.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_an_organization_may_have_quotes_and_colons(gitca: Command, tmp_path: Path) -> None:
    gitca.runs(
        *("init", "pki", "--domain", "example.internal", "--country", "GB"),
        *("--organization", 'Müller: "Sons" #1 \\ {Co}'),
    )
    pki = gitca.at(tmp_path / "pki")
    assert pki.runs("validate") == "17 documents: no findings\n"
    pki.runs("reconcile")
    subject = pki.start("openssl", "x509", "-noout", "-subject", "-nameopt", "utf8,sep_multiline",
                        "-in", "issued/root/ca.pem")  # fmt: skip
    assert 'O=Müller: "Sons" #1 \\ {Co}' in subject.out.splitlines()[2]


@pytest.mark.parametrize("domain", ["corp", "example.com", f"{'x' * 55}.test"])
def test_the_policies_and_their_tests_are_sound_for_any_domain(
    domain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, content in render(Names(domain, 'M*ller: "Sons" {Co}')).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    assert boundary.run(["--repo", str(tmp_path), "validate"]) == 0
    assert capsys.readouterr().out == "17 documents: no findings\n"


KMS = ("--signer", "awskms", "--region", "eu-west-1")
TOKEN = ("--signer", "pkcs11", "--token", "My CA", "--module", "/usr/lib/softhsm/libsofthsm2.so")


@pytest.mark.parametrize(
    ("options", "uri"),
    [
        (KMS, "awskms:///alias/muller-sons-1-co-{ca}?region=eu-west-1"),
        (
            TOKEN,
            "pkcs11:token=My%20CA;object=muller-sons-1-co-{ca}"
            "?module-path=/usr/lib/softhsm/libsofthsm2.so",
        ),
    ],
    ids=["awskms", "pkcs11"],
)
def test_with_another_signer_the_documents_name_its_keys_and_none_is_made(
    options: tuple[str, ...], uri: str, tmp_path: Path
) -> None:
    # No passphrase, no credentials, no token: nothing is asked of any of them.
    names = ("--domain", "example.internal", "--organization", 'Müller: "Sons" #1 \\ {Co}')
    Command(tmp_path).runs("init", "pki", *names, *options)
    pki = Command(tmp_path / "pki")
    for ca in ("root", "issuing"):
        document = yaml.safe_load((pki.folder / f"ca/{ca}.yaml").read_text())
        assert document["spec"]["key"] == uri.format(ca=ca)
    assert pki.runs("validate") == "17 documents: no findings\n"
    assert pki.git("status", "--short") == ""
    assert not (pki.folder / ".gitca").exists()
    text = (pki.folder / "README.md").read_text() + (pki.folder / "ca/root.yaml").read_text()
    assert "__" not in text
    assert ".gitca/keys" not in text


@pytest.mark.parametrize("options", [KMS, TOKEN], ids=["awskms", "pkcs11"])
def test_what_remains_to_be_done_is_printed_as_commands_in_order(
    options: tuple[str, ...],
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    golden: Callable[[str, str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("init", "my pki", *NAMES, *options)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    golden(f"cli/init-{options[1]}.txt", out)


def test_an_organization_without_a_latin_letter_lends_the_keys_its_domain(tmp_path: Path) -> None:
    names = ("--domain", "example.internal", "--organization", "株式会社")
    Command(tmp_path).runs("init", "pki", *names, *KMS)
    document = (tmp_path / "pki/ca/root.yaml").read_text()
    assert "awskms:///alias/example-internal-root?region=eu-west-1" in document


def test_a_name_that_looks_like_a_placeholder_is_none() -> None:
    files = render(Names("example.internal", "__DOMAIN__ __ROOT_KEY__"))
    subject = yaml.safe_load(files["ca/root.yaml"])["spec"]["subject"]
    assert subject["organization"] == "__DOMAIN__ __ROOT_KEY__"


def test_a_failure_on_the_way_leaves_no_trace(tmp_path: Path) -> None:
    def build() -> None:
        with fresh_folder(tmp_path / "pki") as folder:
            (folder / "half").write_text("done")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_appears_meanwhile_is_not_replaced(tmp_path: Path, kind: str) -> None:
    def build() -> None:
        with fresh_folder(tmp_path / "pki") as folder:
            (folder / "a").write_text("ours")
            (folder / "b").write_text("ours")
            (tmp_path / "pki").mkdir()
            theirs = tmp_path / "pki" / "b"
            theirs.write_text("theirs") if kind == "file" else theirs.mkdir()

    with pytest.raises(UsageError):
        build()
    assert [path.name for path in (tmp_path / "pki").iterdir()] == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["pki"]
