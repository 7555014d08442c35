"""A CA repository at the forge with its pipelines, its keys and bucket at the AWS of the tests."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

import gitca_process
from aws.aws_server import CREDENTIALS, AwsServer
from pipeline import forge_http
from pipeline.forge import BOT, REPOSITORY, Environment, Forge, Pull, git
from pipeline.forge_rules import Rules, protection
from pipeline.runner import SUBJECT, Run, Runner, on_main
from pipeline.runner_actions import APP_KEY
from pipeline.runner_job import Setting
from pipeline.runner_programs import Programs

PROJECT = Path(__file__).parents[2]
TOOL = "example/gitca"
_TOOL_ADDRESS = "https://forge.example/example/gitca.git"
SECURITY, PAYMENTS = "@example/security", "@example/payments"
ROLE = "arn:aws:iam::123456789012:role/gitca"
ENVIRONMENT = "gitca"
_ISSUER = "token.actions.githubusercontent.com"
_NUMBERS = count(1)
# What a pipeline runs of the tool's repository; gitca itself is the one under test.
_TOOL_FILES = ("action.yml", "pyproject.toml", "constraints.txt", "README.md", "tools")


@dataclass
class Cloud:
    """AWS as the pipeline meets it: a role that one repository's environment alone may become."""

    forge: Forge
    aws: AwsServer
    trust: Mapping[str, Any]  # the role's trust policy
    refusals: list[str] = field(default_factory=list)
    granted: list[str] = field(default_factory=list)  # ids of access keys
    secrets: list[str] = field(default_factory=list)

    def assume_role(self, role: str, token: str) -> Mapping[str, str]:
        """Give credentials if the role's trust policy allows the token. Raises: PermissionError."""
        claims = self.forge.identities.get(token, {})
        told = {f"{_ISSUER}:{name}": value for name, value in claims.items()}
        [statement] = self.trust["Statement"]
        [(operator, wanted)] = statement["Condition"].items()
        assert operator == "StringEquals"
        if role != ROLE or any(told.get(name) != value for name, value in wanted.items()):
            self.refusals.append(claims.get("sub", "none"))
            raise PermissionError("Not authorized to perform sts:AssumeRoleWithWebIdentity")
        sts: Any = boto3.session.Session(region_name=self.aws.region, **CREDENTIALS).client(
            "sts", endpoint_url=self.aws.endpoint, config=Config(proxies={})
        )
        made = sts.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="gitca", WebIdentityToken=token
        )
        sts.close()
        credentials: dict[str, str] = made["Credentials"]
        self.granted.append(credentials["AccessKeyId"])
        self.secrets += [credentials["SecretAccessKey"], credentials["SessionToken"]]
        return credentials


@dataclass
class World:
    """The forge, its runners, the cloud, and the people's clones below `folder`."""

    folder: Path
    forge: Forge
    runner: Runner
    cloud: Cloud
    aws: AwsServer
    bucket: str
    keys: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where relying parties see what is published."""
        return f"{self.aws.endpoint}/{self.bucket}/prod"

    def clone(self, person: str, repository: str = REPOSITORY) -> Path:
        """Clone as somebody who may push branches, and is who they say."""
        where = self.folder / f"{person}-{next(_NUMBERS)}"
        may = {"contents": "write", "workflows": "write"} if repository == REPOSITORY else {}
        token = self.forge.token(person, **may)
        address = self.forge.url.replace("//", f"//{person}:{token.text}@")
        git(self.folder, "clone", "-q", f"{address}/{repository}.git", str(where))
        return where

    def ask(self, clone: Path, name: str, host: str) -> Path:
        """Make a key and a CSR with OpenSSL, and a request for it; return the key's file."""
        key, csr = clone.parent / f"{host}.key", clone.parent / f"{host}.csr"
        subprocess.run(
            [
                *("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
                *("-nodes", "-keyout", str(key), "-out", str(csr), "-subj", f"/CN={host}"),
                *("-addext", f"subjectAltName=DNS:{host}"),
            ],
            check=True,
            capture_output=True,
        )
        self.gitca(
            *(clone, "request", "new", name, "--policy", "internal-server"),
            *("--csr", str(csr), "--dns", host, "--common-name", host),
        )
        return key

    def gitca(self, clone: Path, *arguments: str, **environment: str) -> str:
        """Run gitca as a person does, in their clone."""
        running = gitca_process.start(clone, *arguments, **environment)
        assert running.wait() == 0, running.words
        return running.words

    def propose(self, clone: Path, branch: str, person: str, source: str = REPOSITORY) -> Pull:
        """Commit everything to a new branch, push it, and open a pull request."""
        git(clone, "checkout", "-q", "-b", branch)
        git(clone, "add", "--all", ".")
        git(clone, "commit", "-q", "--allow-empty", "-m", f"{branch} by {person}")
        git(clone, "push", "-q", "origin", f"HEAD:refs/heads/{branch}")
        return self.forge.pull(source, branch, person)

    def amend(self, clone: Path, pull: Pull) -> None:
        """Push another commit to the branch of a pull request."""
        git(clone, "add", "--all", ".")
        git(clone, "commit", "-q", "-m", "more")
        git(clone, "push", "-q", "origin", f"HEAD:refs/heads/{pull.branch}")
        self.forge.update(pull)

    def settle(self) -> list[Run]:
        """Run what the forge's events start, and what that starts."""
        return self.runner.settle()

    def reconcile(self) -> Run:
        """Run the pipeline by hand, and what that starts: nothing."""
        [run] = self.runner.handle(on_main(self.forge, "workflow_dispatch"))
        return run

    def signs(self) -> list[dict[str, Any]]:
        """Return every signature that the keys of this world made."""
        return [made for made in self.aws.signs() if made["key"] in self.keys.values()]

    @property
    def issued_ref(self) -> str:
        """The branch that has issued/."""
        return f"refs/heads/{'issued' if 'issued' in self.forge.protected else 'main'}"

    def issued_tip(self) -> str:
        return self.forge.tip(self.issued_ref)

    def issued(self) -> dict[str, str]:
        """Return the blobs below issued/."""
        tree = self.forge.tree(self.issued_ref)
        return {path: blob for path, blob in tree.items() if path.startswith("issued/")}


@contextmanager
def world(folder: Path, aws: AwsServer, *, parted: bool, ci: str = "github") -> Iterator[World]:
    """Make a world; where `parted`, issued/ lies on a branch of its own and main is for people.

    What a person does after `gitca init` is taken from the files that it leaves in setup/.
    """
    bucket = f"pki-{next(_NUMBERS)}-{secrets.token_hex(6)}"
    aws.create_bucket(bucket, public=True)
    aliases = {name: f"alias/{bucket}/{name}" for name in ("root", "issuing")}
    keys = {
        "root": aws.create_key("ECC_NIST_P384", alias=aliases["root"]),
        "issuing": aws.create_key("ECC_NIST_P256", alias=aliases["issuing"]),
    }
    with forge_http.serving(Forge(folder / "forge", {"main": (BOT,)})) as forge:
        tool = _tool_repository(folder)
        seed = _seed(folder, aws, bucket, git(tool, "rev-parse", "HEAD"), ci, parted=parted)
        _place(seed, aws, bucket, aliases, forge)
        git(seed, "commit", "-q", "--all", "-m", "keys and addresses")
        forge.found(seed)
        forge.add(TOOL, tool)
        trust = _set_up(forge, seed, ci)
        cloud = Cloud(forge, aws, trust)
        runner = Runner(forge, Setting(Programs(), {}, cloud.assume_role), folder / "jobs")
        yield World(folder, forge, runner, cloud, aws, bucket, keys)


def _tool_repository(folder: Path) -> Path:
    """Make the repository that the pipelines get gitca from, as this tree has it."""
    tool = folder / "tool"
    tool.mkdir()
    for name in _TOOL_FILES:
        source = PROJECT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tool / name)
    git(folder, "init", "-q", "-b", "main", str(tool))
    git(tool, "add", ".")
    git(tool, "commit", "-q", "-m", "gitca")
    return tool


def _seed(folder: Path, aws: AwsServer, bucket: str, tool: str, ci: str, *, parted: bool) -> Path:
    place = TOOL if ci == "github" else _TOOL_ADDRESS
    made = gitca_process.run(
        folder,
        *("init", "seed", "--domain", "example.internal", "--organization", "Example"),
        *("--signer", "awskms", "--region", aws.region, "--ci", ci),
        *("--publish", f"s3://{bucket}/prod?region={aws.region}"),
        *("--repository", REPOSITORY, "--tool", f"{place}@{tool}"),
        *(("--issued-branch", "issued") if parted else ()),
        *("--security-team", SECURITY, "--owners", f"payments={PAYMENTS}"),
    )
    assert "Made a CA repository" in made.words, made.words
    return folder / "seed"


def _place(
    seed: Path, aws: AwsServer, bucket: str, aliases: Mapping[str, str], forge: Forge
) -> None:
    """Say where keys, bucket, URLs and the tool are: at the AWS and the forge of the tests."""
    pipeline = seed / ".gitlab-ci.yml"
    if pipeline.exists():
        text = pipeline.read_text()
        assert _TOOL_ADDRESS in text
        pipeline.write_text(text.replace(_TOOL_ADDRESS, f"{forge.url}/{TOOL}.git"))
    url = f"{aws.endpoint}/{bucket}/prod"
    for path in (seed / "ca").glob("*.yaml"):
        text = path.read_text().replace("http://pki.example.internal", url)
        if path.stem in aliases:
            text = re.sub(r'key: "awskms:[^"]*"', f'key: "{aws.uri(aliases[path.stem])}"', text)
        path.write_text(text.replace("/prod?region=", f"/prod?endpoint={aws.endpoint}&region="))


def _set_up(forge: Forge, seed: Path, ci: str) -> Mapping[str, Any]:
    """Do what SETUP.md says, with the files beside it; return the role's trust policy."""
    if ci == "gitlab":
        return _trust(seed, f"project_path:{REPOSITORY}:ref_type:branch:ref:main")
    for path in (seed / "setup").glob("github-ruleset*.json"):
        branch, through = protection(json.loads(path.read_text()), BOT)
        forge.protected[branch] = through
    forge.rules = Rules.read(json.loads((seed / "setup/github-ruleset.json").read_text()))
    forge.teams = {SECURITY: {"sam"}, PAYMENTS: {"petra"}}
    forge.environments[ENVIRONMENT] = Environment(
        ("main",),
        secrets={"GITCA_APP_PRIVATE_KEY": APP_KEY},
        variables={"GITCA_AWS_ROLE": ROLE, "GITCA_APP_CLIENT_ID": "Iv1.0123456789abcdef"},
    )
    return _trust(seed, f"repo:{SUBJECT}:environment:{ENVIRONMENT}")


def _trust(seed: Path, subject: str) -> Mapping[str, Any]:
    text = (seed / "setup/aws-trust.json").read_text()
    filled = text.replace("ACCOUNT", "123456789012").replace("SUBJECT", subject)
    trusted: Mapping[str, Any] = json.loads(filled)
    return trusted
