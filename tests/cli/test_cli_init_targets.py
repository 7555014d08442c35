"""init: what no reconcile, or no pipeline's, could do is refused before anything is written."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml
from cli_command import PASSPHRASE, Command
from cli_judges import NAMES, SIGNERS, judged, program, scripts_of

from gitca.cli import boundary
from gitca.cli.code_owners import owners_of
from gitca.errors import UsageError
from gitca.publishers import directory_place, s3_place

S3 = "s3://example-pki/prod?region=eu-west-1"
MINIO = f"{S3}&endpoint=https://minio.example.internal"
HERE = "s3://example-pki?endpoint=http://127.0.0.1:9000"


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run an init that is refused, and return why; nothing is made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITCA_KEY_PASSPHRASE", PASSPHRASE)

    def refuse(*options: str) -> str:
        assert boundary.run(["init", "pki", *NAMES, *options]) == 2
        assert list(tmp_path.iterdir()) == []
        return capsys.readouterr().err

    return refuse


@pytest.mark.parametrize(
    "targets",
    [
        ("directory:public", "directory:public/"),
        ("directory:out", "directory:out/public"),
        ("s3://example-pki", "s3://example-pki/prod?region=eu-west-1"),
        tuple(f"directory:public{number}" for number in range(33)),
    ],
    ids=["twice", "within", "a prefix within", "too many"],
)
def test_targets_that_the_documents_refuse_are_refused(
    targets: tuple[str, ...], refused: Callable[..., str]
) -> None:
    options = [part for target in targets for part in ("--publish", target)]
    assert refused(*options).startswith("gitca: --publish: ")


@pytest.mark.parametrize("ci", [(), ("--ci", "github")], ids=["no pipelines", "pipelines"])
@pytest.mark.parametrize(
    "branch",
    ["ü", "a|b", 'a"b', "a$(id)b", "refs/heads/issued", "main/issued", "x.lock", "x" * 201],
)
def test_a_branch_that_the_documents_refuse_is_refused(
    branch: str, ci: tuple[str, ...], refused: Callable[..., str]
) -> None:
    assert refused("--issued-branch", branch, *ci).startswith("gitca: --issued-branch: ")


@pytest.mark.parametrize("forge", ["github", "gitlab"])
@pytest.mark.parametrize(
    ("signer", "targets", "words"),
    [
        ("file", ("directory:public",), "public/ would lie in the pipeline's clone"),
        ("pkcs11", ("directory:public",), "as directory:/srv/pki"),
        ("file", (S3, "directory:/srv/pki"), "/srv/pki would lie on a machine of the forge's"),
        ("awskms", ("directory:/srv/pki",), "/srv/pki would lie on a machine of the forge's"),
        ("file", (HERE,), "127.0.0.1:9000 would be a machine of the forge's"),
        # A role's session would be shown to who answers there, and be worth nothing to it.
        ("awskms", (MINIO,), "minio.example.internal is not AWS's"),
        ("file", (S3, MINIO.replace("/prod", "/other")), "minio.example.internal is not AWS's"),
    ],
)
def test_targets_that_a_pipeline_cannot_fill_for_anybody_are_refused(
    forge: str, signer: str, targets: tuple[str, ...], words: str, refused: Callable[..., str]
) -> None:
    options = [part for target in targets for part in ("--publish", target)]
    told = refused("--ci", forge, "--signer", signer, *SIGNERS[signer], *options)
    assert told.startswith("gitca: --publish: ")
    assert words in told
    assert "docs/pipelines.md" in told


ALLOWED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "another S3": ("file", (MINIO,)),
    "two of one's own": ("pkcs11", ("directory:/srv/pki", "directory:/srv/eu", MINIO, HERE)),
}


@pytest.mark.parametrize(("signer", "targets"), ALLOWED.values(), ids=ALLOWED)
@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_a_pipeline_lets_gitca_go_where_it_is_to_publish_and_setup_says_what_is_needed_there(
    forge: str, signer: str, targets: tuple[str, ...], tmp_path: Path
) -> None:
    options = [part for target in targets for part in ("--publish", target)]
    given = ("--ci", forge, "--signer", signer, *SIGNERS[signer], *options)
    made = Command(tmp_path, GITCA_KEY_PASSPHRASE=PASSPHRASE)
    made.runs("init", "pki", *NAMES, *given)
    pki = made.at(tmp_path / "pki")
    environment = environment_of(forge, pki.folder)
    for target in targets:
        parser_of(target)(target, environment)
    for other in ("directory:/etc/pki", MINIO.replace("minio", "other")):
        with pytest.raises(UsageError):
            parser_of(other)(other, environment)
    setup = (pki.folder / "SETUP.md").read_text()
    assert "AWS_SECRET_ACCESS_KEY" in setup
    assert "https://minio.example.internal" in setup
    assert "aws iam" not in setup
    assert ("--owner RUNNER /srv/eu" in setup) is (signer == "pkcs11")
    assert pki.runs("validate").endswith("no findings\n")
    pipelines = re.findall(r"^(\w+) +pipeline +", pki("doctor").out, re.MULTILINE)
    assert set(pipelines) == {"ok"}
    judge(forge, pki.folder)


def parser_of(target: str) -> Callable[[str, Mapping[str, str]], object]:
    """Return what opens a target of this kind, as far as whether the environment lets it."""
    if target.startswith("directory:"):
        return lambda uri, environment: directory_place.parse_target(uri, Path(), environment)
    return s3_place.parse_target


def environment_of(forge: str, pki: Path) -> Mapping[str, str]:
    """Return the variables that the job's step, or its script, sets itself."""
    if forge == "github":
        text = (pki / ".github/workflows/reconcile.yml").read_text()
        return dict(yaml.safe_load(text)["jobs"]["reconcile"]["steps"][-1]["env"])
    text = (pki / ".gitlab-ci.yml").read_text()
    lines = re.findall(r"^    - (export GITCA_(?:AWS|PUBLISH)\w+=.*)$", text, re.MULTILINE)
    answer = subprocess.run(
        ["sh", "-c", "\n".join([*lines, "env"])], env={}, capture_output=True, text=True, check=True
    )
    return dict(line.split("=", 1) for line in answer.stdout.splitlines())


def judge(forge: str, pki: Path) -> None:
    """Have the pipelines' own judges look at them."""
    check = program("check-jsonschema")
    if forge == "github":
        options = ("--offline", "--no-progress", "--persona", "auditor", "--strict-collection")
        judged(program("zizmor"), *options, str(pki / ".github"))
        workflow = str(pki / ".github/workflows/reconcile.yml")
        judged(check, "--builtin-schema", "vendor.github-workflows", workflow)
    else:
        options = ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
        judged(check, *options, str(pki / ".gitlab-ci.yml"))
    for script in scripts_of(forge, pki):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_the_owner_of_a_folder_keeps_it_in_whatever_order_they_are_given(tmp_path: Path) -> None:
    options = ("--signer", "awskms", "--region", "eu-west-1", "--ci", "github")
    given = ("payments/eu/cards=@cards", "payments/eu=@eu", "mesh=@mesh", "payments=@pay")
    owners = [part for value in given for part in ("--owners", value)]
    Command(tmp_path).runs("init", "pki", *NAMES, *options, *owners)
    text = (tmp_path / "pki/.github/CODEOWNERS").read_text()
    for value in given:
        folder, _, owner = value.partition("=")
        assert owners_of(text, f"requests/{folder}/a.yaml") == (owner,)


def test_a_folder_with_two_owners_is_refused(refused: Callable[..., str]) -> None:
    owners = ("--owners", "payments=@pay", "--owners", "requests/payments/=@eu")
    told = refused("--signer", "awskms", "--region", "eu-west-1", "--ci", "gitlab", *owners)
    assert told.startswith("gitca: --owners: requests/payments/ is there twice")
