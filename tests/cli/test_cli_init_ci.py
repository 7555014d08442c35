"""init --ci: pipelines that their judges find nothing wrong with, and what remains to be done."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml
from cli_command import PASSPHRASE, Command, Run
from cli_judges import NAMES, SIGNERS, judged, program, scripts_of

from gitca.cli import boundary
from gitca.cli.scaffold.pipelines import (
    ACTIONS,
    OWN,
    OWN_ON_GITLAB,
    Forge,
    Setting,
    rendered_pipelines,
)

PROJECT = Path(__file__).parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOOLS = {
    "github": ("--tool", f"example/gitca@{COMMIT}"),
    "gitlab": ("--tool", f"https://gitlab.com/example/gitca.git@{COMMIT}"),
}
OWNERS = (("payments", "@gitca/payments"), ("mesh", "@gitca/platform"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Return the repository that init makes for a forge and a signer, each made once."""
    folder = tmp_path_factory.mktemp("pipelines")

    def make(forge: str, signer: str) -> Path:
        name = f"{forge}-{signer}"
        if not (folder / name).exists():
            options = ("--signer", signer, *SIGNERS[signer], "--ci", forge, *TOOLS[forge])
            command = Command(folder, GITCA_KEY_PASSPHRASE=PASSPHRASE)
            command.runs("init", name, *NAMES, *options, "--repository", "example/pki")
        return folder / name

    return make


@pytest.mark.parametrize("signer", SIGNERS)
def test_zizmor_finds_nothing_in_what_init_writes(
    signer: str, made: Callable[[str, str], Path]
) -> None:
    options = ("--offline", "--no-progress", "--persona", "auditor", "--strict-collection")
    judged(program("zizmor"), *options, str(made("github", signer) / ".github"))


@pytest.mark.parametrize("signer", SIGNERS)
def test_what_init_writes_is_valid_by_the_forges_schemas(
    signer: str, made: Callable[[str, str], Path]
) -> None:
    check = program("check-jsonschema")
    workflows = sorted((made("github", signer) / ".github/workflows").glob("*.yml"))
    assert [path.name for path in workflows] == ["comment.yml", "plan.yml", "reconcile.yml"]
    judged(check, "--builtin-schema", "vendor.github-workflows", *map(str, workflows))
    pipeline = str(made("gitlab", signer) / ".gitlab-ci.yml")
    options = ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
    judged(check, *options, pipeline)


@pytest.mark.parametrize("forge", TOOLS)
@pytest.mark.parametrize("signer", SIGNERS)
def test_no_placeholder_is_left_and_what_is_written_is_committed(
    forge: str, signer: str, made: Callable[[str, str], Path]
) -> None:
    pki = made(forge, signer)
    command = Command(pki)
    assert command.git("status", "--short") == ""
    for path in command.git("ls-files").splitlines():
        text = (pki / path).read_text()
        assert not re.search(r"__[A-Z_]+__", text), path
        assert PASSPHRASE not in text
    assert command.runs("validate") == "17 documents: no findings\n"


@pytest.mark.parametrize("forge", TOOLS)
@pytest.mark.parametrize("signer", SIGNERS)
def test_every_script_of_a_pipeline_is_one_for_its_shell(
    forge: str, signer: str, made: Callable[[str, str], Path]
) -> None:
    scripts = list(scripts_of(forge, made(forge, signer)))
    assert len(scripts) > 2
    shell = "bash" if forge == "github" else "sh"
    for script in scripts:
        answer = subprocess.run(
            [shell, "-n"], input=script, capture_output=True, text=True, check=False
        )
        assert (answer.returncode, answer.stderr) == (0, ""), script


@pytest.mark.parametrize("signer", SIGNERS)
def test_no_expression_reaches_a_shell_and_every_action_is_a_commit(
    signer: str, made: Callable[[str, str], Path]
) -> None:
    pki = made("github", signer)
    assert not any("${{" in script for script in scripts_of("github", pki))
    for path in [*(pki / ".github/workflows").glob("*.yml"), PROJECT / "action.yml"]:
        uses = re.findall(r"uses: (\S+)(.*)", path.read_text())
        for action, comment in uses:
            is_pinned = re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)
            assert action == "./tool" or (is_pinned and re.match(r" # v\d+\.\d+\.\d+$", comment))


@pytest.mark.parametrize("signer", SIGNERS)
def test_only_reconcile_has_secrets_and_may_write(
    signer: str, made: Callable[[str, str], Path]
) -> None:
    folder = made("github", signer) / ".github/workflows"
    jobs = {
        name: (yaml.safe_load(text)["jobs"][name], yaml.safe_load(text)["permissions"], text)
        for name in ("plan", "comment", "reconcile")
        for text in [(folder / f"{name}.yml").read_text()]
    }
    assert all(permissions == {} for _, permissions, _ in jobs.values())
    assert {name: job["permissions"] for name, (job, _, _) in jobs.items()} == {
        "plan": {"contents": "read"},
        "comment": {"actions": "read", "contents": "read", "pull-requests": "write"},
        "reconcile": {"contents": "write", "id-token": "write"},
    }
    assert "secrets." not in jobs["plan"][2] + jobs["comment"][2]
    assert jobs["reconcile"][0]["environment"] == "gitca"
    for _, _, text in jobs.values():
        assert text.count("persist-credentials: false") == text.count("actions/checkout@")


@pytest.mark.parametrize("signer", SIGNERS)
def test_the_action_that_makes_the_apps_token_runs_before_any_key_is_there(
    signer: str, made: Callable[[str, str], Path]
) -> None:
    text = (made("github", signer) / ".github/workflows/reconcile.yml").read_text()
    steps = yaml.safe_load(text)["jobs"]["reconcile"]["steps"]
    before = steps[: [step.get("id") for step in steps].index("app")]
    assert not any("secrets." in str(step) for step in before)
    others = {step["uses"].partition("@")[0] for step in before if "uses" in step}
    assert others == {"actions/checkout", "./tool"}


def test_setup_keeps_pipelines_of_forks_out_and_says_which_plan_of_github_it_needs(
    made: Callable[[str, str], Path],
) -> None:
    gitlab = (made("gitlab", "awskms") / "SETUP.md").read_text()
    forks = gitlab.index("ci_allow_fork_pipelines_to_run_in_parent_project=false")
    assert forks < gitlab.index("aws iam") < gitlab.index("GITCA_PUSH_TOKEN")
    assert "GitHub Pro, Team or Enterprise" in (made("github", "awskms") / "SETUP.md").read_text()


def test_the_projects_own_pipelines_are_what_init_writes() -> None:
    own = {Forge.GITHUB: OWN, Forge.GITLAB: OWN_ON_GITLAB}
    for forge, tool in own.items():
        setting = Setting(
            forge, tool, "awskms", region="eu-west-1", security="@gitca/security", owners=OWNERS
        )
        for path, content in rendered_pipelines(setting).items():
            assert (PROJECT / path).read_bytes() == content, path


def test_the_projects_own_plan_is_never_made_by_the_pull_requests_gitca() -> None:
    plan = yaml.safe_load((PROJECT / ".github/workflows/plan.yml").read_text())
    checkouts = [step["with"] for step in plan["jobs"]["plan"]["steps"] if "with" in step]
    refs = {
        step["path"]: step["ref"] for step in checkouts if step["path"] in {"tool", "repository"}
    }
    assert refs == {
        "tool": "${{ github.event.pull_request.base.sha }}",
        "repository": "${{ github.event.pull_request.head.sha }}",
    }
    # The action of the tool is there before anything of the pull request is.
    assert [step["name"] for step in plan["jobs"]["plan"]["steps"]][:3] == [
        "Check out gitca",
        "Install gitca",
        "Check out the pull request as data",
    ]


def test_an_action_has_one_commit_in_all_files() -> None:
    texts = [path.read_text() for path in (PROJECT / ".github/workflows").glob("*.yml")]
    used = {
        found for text in texts for found in re.findall(r"uses: ([\w-]+/[\w-]+@\S+ # \S+)", text)
    }
    assert used == set(ACTIONS.values())


@pytest.mark.parametrize(
    ("forge", "signer"), [("github", "awskms"), ("gitlab", "awskms"), ("github", "file")]
)
def test_what_remains_for_the_pipelines_is_printed_in_order(
    forge: str,
    signer: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Run,
    golden: Callable[[str, str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITCA_KEY_PASSPHRASE", PASSPHRASE)
    options = ("--signer", signer, *SIGNERS[signer], "--ci", forge, *TOOLS[forge])
    publish = ("--publish", "s3://example-pki/prod?region=eu-west-1")
    owners = ("--repository", "example/pki", "--owners", "payments=@example/payments")
    code, out, _ = run("init", "pki", *NAMES, *options, *publish, *owners)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    golden(f"cli/init-{forge}-{signer}.txt", out)
    # Every file that a command reads is there.
    for name in re.findall(r"(?:setup/|\.gitca/keys/)[\w.-]+", out):
        assert (tmp_path / "pki" / name.rstrip(".")).is_file(), name


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_the_printed_commands_are_ones_for_a_shell(
    forge: str, made: Callable[[str, str], Path]
) -> None:
    text = (made(forge, "awskms") / "SETUP.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert len(blocks) > 5
    for block in blocks:
        answer = subprocess.run(
            ["bash", "-n"], input=block, capture_output=True, text=True, check=False
        )
        assert (answer.returncode, answer.stderr) == (0, ""), block


def test_the_role_is_for_this_repository_and_environment_alone(
    made: Callable[[str, str], Path],
) -> None:
    pki = made("github", "awskms")
    trust = json.loads((pki / "setup/aws-trust.json").read_text())["Statement"]
    (statement,) = trust
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert set(statement["Condition"]) == {"StringEquals"}
    issuer = "token.actions.githubusercontent.com"
    assert statement["Condition"]["StringEquals"] == {
        f"{issuer}:aud": "sts.amazonaws.com",
        f"{issuer}:sub": "SUBJECT",
    }
    assert ":environment:gitca" in (pki / "SETUP.md").read_text()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A clone of gitca that gitca runs in; tests say what its origin is."""
    folder = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "src", folder / "src", ignore=ignored)
    source = Command(folder)
    source.git("init", "--quiet", "--initial-branch=main")
    source.git("commit", "--quiet", "--allow-empty", "--message=gitca")
    # What origin does not have, no pipeline can fetch.
    source.git("update-ref", "refs/remotes/origin/main", "HEAD")
    return source


def init_of(source: Command, folder: Path) -> str:
    """Run the init of a clone of gitca, and return what it prints."""
    options = ("--signer", "awskms", "--region", "eu-west-1", "--ci", "github")
    command = Command(folder, PYTHONPATH=str(source.folder / "src"))
    return command.runs("init", "pki", *NAMES, *options)


@pytest.mark.parametrize(
    ("region", "role", "partition"),
    [
        ("cn-north-1", "", "aws-cn"),
        ("us-gov-west-1", "", "aws-us-gov"),
        ("eu-west-1", "arn:aws:iam::123456789012:role/pki/gitca", "aws"),
    ],
)
def test_arns_are_of_the_partition_that_the_keys_are_in(
    region: str, role: str, partition: str, tmp_path: Path
) -> None:
    options = ("--signer", "awskms", "--region", region, "--ci", "github")
    publish = ("--publish", f"s3://example-pki?region={region}")
    given = ("--aws-role", role) if role else ()
    out = Command(tmp_path).runs("init", "pki", *NAMES, *options, *publish, *given)
    files = [out, *(path.read_text() for path in (tmp_path / "pki/setup").glob("aws-*.json"))]
    assert set(re.findall(r"arn:(aws[a-z-]*):", "".join(files))) == {partition}
    reconcile = (tmp_path / "pki/.github/workflows/reconcile.yml").read_text()
    assert (f"role-to-assume: {role}\n" in reconcile) is bool(role)
    assert ("create-role --role-name gitca --path /pki/ " in out) is bool(role)


def test_without_a_place_for_gitca_the_pipelines_can_fetch_none_and_the_first_step_says_so(
    source: Command, tmp_path: Path
) -> None:
    source.start("git", "remote", "remove", "origin")
    out = init_of(source, tmp_path)
    assert re.search(r"^ 1\. Where the pipelines get gitca from", out, re.MULTILINE)
    plan = yaml.safe_load((tmp_path / "pki/.github/workflows/plan.yml").read_text())
    checkout = plan["jobs"]["plan"]["steps"][0]["with"]
    # No owner/name: nobody can have it.
    assert (checkout["repository"], checkout["ref"]) == ("GITCA-REPOSITORY", "GITCA-COMMIT")


@pytest.mark.parametrize(
    ("origin", "is_taken"),
    [
        ("https://github.com/example/gitca.git", True),
        ("git@github.com:example/gitca.git", True),
        ("https://user:pa55word@github.com/example/gitca", True),
        # The same name elsewhere may be somebody else's here.
        ("https://forge.example/example/gitca.git", False),
        ("../gitca.git", False),
    ],
)
def test_gitcas_own_clone_says_where_pipelines_get_it_from(
    origin: str, is_taken: bool, source: Command, tmp_path: Path
) -> None:
    source.git("config", "remote.origin.url", origin)
    commit = source.git("rev-parse", "HEAD").strip()
    source.git("update-ref", "refs/remotes/origin/main", commit)
    out = init_of(source, tmp_path)
    text = (tmp_path / "pki/.github/workflows/plan.yml").read_text()
    assert (f"ref: {commit}" in text, "repository: example/gitca" in text) == (is_taken, is_taken)
    assert ("Where the pipelines get gitca from" in out) is not is_taken
    assert "pa55word" not in text + out


def test_a_commit_that_origin_does_not_have_is_not_written(source: Command, tmp_path: Path) -> None:
    source.git("config", "remote.origin.url", "https://github.com/example/gitca.git")
    source.git("update-ref", "-d", "refs/remotes/origin/main")
    assert "Where the pipelines get gitca from" in init_of(source, tmp_path)


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [("https://github.com/example/gitca.git", True), ("https://forge.example/x/gitca", False)],
)
def test_what_pip_recorded_says_where_pipelines_get_gitca_from(
    url: str, is_taken: bool, source: Command, tmp_path: Path
) -> None:
    # PEP 610: what `pip install git+https://…@COMMIT` leaves beside the package.
    source.start("git", "remote", "remove", "origin")
    record = {"url": url, "vcs_info": {"vcs": "git", "commit_id": COMMIT}}
    installed = source.folder / "src/gitca-0.1.0.dist-info"
    installed.mkdir()
    try:
        (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: gitca\nVersion: 0.1.0\n")
        (installed / "direct_url.json").write_text(json.dumps(record))
        init_of(source, tmp_path)
    finally:
        shutil.rmtree(installed)
    text = (tmp_path / "pki/.github/workflows/reconcile.yml").read_text()
    assert (f"ref: {COMMIT}\n" in text) is is_taken


BAD: Mapping[str, tuple[str, ...]] = {
    "a tool without a commit": ("--ci", "github", "--tool", "example/gitca"),
    "a tool at a branch": ("--ci", "github", "--tool", "example/gitca@main"),
    "a tool at a short commit": ("--ci", "github", "--tool", "example/gitca@0123456"),
    "a tool with an expression": ("--ci", "github", "--tool", "${{ a }}/b@" + COMMIT),
    "a tool that GitLab cannot clone": ("--ci", "gitlab", "--tool", f"example/gitca@{COMMIT}"),
    "a repository without an owner": ("--ci", "github", "--repository", "pki"),
    "a repository with a command": ("--ci", "github", "--repository", "a/$(id)"),
    "a role that is none": ("--ci", "github", "--aws-role", "gitca"),
    "a team that is none": ("--ci", "github", "--security-team", "security"),
    "owners of revocations of CAs": ("--ci", "github", "--owners", "ca=@example/payments"),
    "owners outside of requests": ("--ci", "github", "--owners", "../policies=@example/x"),
    "owners of two lines": ("--ci", "github", "--owners", "a=@x\n* @y"),
    "a tool for no pipeline": ("--tool", f"example/gitca@{COMMIT}"),
    "owners for no pipeline": ("--owners", "payments=@example/payments"),
    "a target of no kind": ("--publish", "ftp://example/pki"),
    "a target that leaves the repository": ("--publish", "directory:../pki"),
}


@pytest.mark.parametrize("options", BAD.values(), ids=BAD)
def test_options_that_no_pipeline_can_have_are_refused_and_nothing_is_made(
    options: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    signer = ("--signer", "awskms", "--region", "eu-west-1")
    assert boundary.run(["init", "pki", *NAMES, *signer, *options]) == 2
    assert options[-2 if len(options) > 1 else 0] in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_documents_say_where_is_published_and_how_often_is_reconciled(tmp_path: Path) -> None:
    options = ("--signer", "awskms", "--region", "eu-west-1", "--ci", "github")
    publish = (
        "--publish",
        "s3://example-pki/prod?region=eu-west-1",
        "--publish",
        "s3://example-copy?region=eu-west-1",
    )
    Command(tmp_path).runs("init", "pki", *NAMES, *options, *publish)
    spec = yaml.safe_load((tmp_path / "pki/ca/repository.yaml").read_text())["spec"]
    assert spec["reconcileEvery"] == "6h"
    assert spec["publish"] == [
        {"to": "s3://example-pki/prod?region=eu-west-1", "url": "http://pki.example.internal/"},
        {"to": "s3://example-copy?region=eu-west-1"},
    ]
    assert Command(tmp_path / "pki").runs("validate") == "17 documents: no findings\n"
    permissions = json.loads((tmp_path / "pki/setup/aws-permissions.json").read_text())
    assert [statement["Resource"] for statement in permissions["Statement"]] == [
        "arn:aws:s3:::example-pki",
        "arn:aws:s3:::example-pki/prod/*",
        "arn:aws:s3:::example-copy",
        "arn:aws:s3:::example-copy/*",
    ]


def test_with_a_branch_for_issued_nobody_passes_the_rule_of_the_documents(tmp_path: Path) -> None:
    options = ("--signer", "awskms", "--region", "eu-west-1", "--ci", "github")
    out = Command(tmp_path).runs("init", "pki", *NAMES, *options, "--issued-branch", "issued")
    setup = tmp_path / "pki/setup"
    documents = json.loads((setup / "github-ruleset.json").read_text())
    issued = json.loads((setup / "github-ruleset-issued.json").read_text())
    assert documents["conditions"]["ref_name"]["include"] == ["refs/heads/main"]
    assert documents["bypass_actors"] == []
    assert issued["conditions"]["ref_name"]["include"] == ["refs/heads/issued"]
    assert [actor["actor_type"] for actor in issued["bypass_actors"]] == ["Integration"]
    assert {rule["type"] for rule in issued["rules"]} >= {"creation", "update", "deletion"}
    assert all(name in out for name in ("github-ruleset.json", "github-ruleset-issued.json"))
