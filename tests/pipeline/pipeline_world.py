"""A CA repository at the forge with its pipelines, its keys and bucket at the AWS of the tests."""

from __future__ import annotations

import re
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
from pipeline.runner import Run, Runner, on_main
from pipeline.runner_actions import APP_KEY
from pipeline.runner_job import Setting
from pipeline.runner_programs import Programs

PROJECT = Path(__file__).parents[2]
TOOL = "example/gitca"
ROLE = "arn:aws:iam::123456789012:role/gitca"
ENVIRONMENT = "gitca"
_NUMBERS = count(1)
# What a pipeline runs of the tool's repository; gitca itself is the one under test.
_TOOL_FILES = ("action.yml", "pyproject.toml", "constraints.txt", "README.md", "tools")


@dataclass
class Cloud:
    """AWS as the pipeline meets it: a role that one repository's environment alone may become."""

    forge: Forge
    aws: AwsServer
    subject: str
    refusals: list[str] = field(default_factory=list)
    granted: list[str] = field(default_factory=list)

    def assume_role(self, role: str, token: str) -> Mapping[str, str]:
        """Give credentials if the role's trust policy allows the token. Raises: PermissionError."""
        claims = self.forge.identities.get(token, {})
        wanted = {"aud": "sts.amazonaws.com", "sub": self.subject}
        if role != ROLE or claims != wanted:
            self.refusals.append(str(claims.get("sub")))
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

    def issued(self) -> dict[str, str]:
        """Return the blobs below issued/ on the branch that has them."""
        branch = "issued" if "issued" in self.forge.protected else "main"
        tree = self.forge.tree(f"refs/heads/{branch}")
        return {path: blob for path, blob in tree.items() if path.startswith("issued/")}


@contextmanager
def world(folder: Path, aws: AwsServer, *, parted: bool) -> Iterator[World]:
    """Make a world; where `parted`, issued/ lies on a branch of its own and main is for people."""
    number = next(_NUMBERS)
    bucket = f"pki-{folder.name.replace('_', '-').lower()[:30]}-{number}"
    names = {name: f"alias/{bucket}/{name}" for name in ("root", "issuing")}
    keys = {
        "root": aws.create_key("ECC_NIST_P384", alias=names["root"]),
        "issuing": aws.create_key("ECC_NIST_P256", alias=names["issuing"]),
    }
    _make_bucket(aws, bucket)
    tool = _tool_repository(folder)
    seed = _seed(folder, aws, bucket, names, tool=git(tool, "rev-parse", "HEAD"), parted=parted)
    protected: dict[str, tuple[str, ...]] = {"main": (BOT,)}
    if parted:
        protected = {"main": (), "issued": (BOT,)}
    forge = Forge.create(folder / "forge", seed, protected)
    git(folder, "clone", "-q", "--bare", str(tool), str(forge.path(TOOL)))
    git(forge.path(TOOL), "config", "uploadpack.allowAnySHA1InWant", "true")
    forge.public.add(TOOL)
    forge.environments[ENVIRONMENT] = Environment(
        ("main",),
        secrets={"GITCA_APP_PRIVATE_KEY": APP_KEY},
        variables={"GITCA_AWS_ROLE": ROLE, "GITCA_APP_CLIENT_ID": "Iv1.0123456789abcdef"},
    )
    cloud = Cloud(forge, aws, f"repo:{REPOSITORY}:environment:{ENVIRONMENT}")
    with forge_http.serving(forge):
        setting = Setting(Programs(), {}, cloud.assume_role)
        runner = Runner(forge, setting, folder / "jobs")
        yield World(folder, forge, runner, cloud, aws, bucket, keys)


def _make_bucket(aws: AwsServer, bucket: str) -> None:
    """Make a bucket whose objects anybody may read."""
    s3 = aws.s3()
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": aws.region})
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", '
        f'"Action": "s3:GetObject", "Resource": "arn:aws:s3:::{bucket}/*"}}]}}'
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)


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


def _seed(
    folder: Path,
    aws: AwsServer,
    bucket: str,
    aliases: Mapping[str, str],
    *,
    tool: str,
    parted: bool,
) -> Path:
    """Make the CA repository with `gitca init`, and say where its keys and URLs are."""
    made = gitca_process.run(
        folder,
        *("init", "seed", "--domain", "example.internal", "--organization", "Example"),
        *("--signer", "awskms", "--region", aws.region),
    )
    assert "Made a CA repository" in made.words, made.words
    seed = folder / "seed"
    root = f"{aws.endpoint}/{bucket}/prod"
    for name, alias in aliases.items():
        path = seed / "ca" / f"{name}.yaml"
        text = re.sub(r'key: "awskms:[^"]*"', f'key: "{aws.uri(alias)}"', path.read_text())
        path.write_text(text.replace("http://pki.example.internal", root))
    document = seed / "ca/repository.yaml"
    target = f"s3://{bucket}/prod?region={aws.region}&endpoint={aws.endpoint}"
    text = document.read_text() + (
        f'  publish:\n    - to: "{target}"\n      url: "{root}/"\n' + "  reconcileEvery: 6h\n"
    )
    document.write_text(text + ("  issuedBranch: issued\n" if parted else ""))
    _write_pipelines(seed, aws.region, tool)
    git(seed, "add", "--all", ".")
    git(seed, "commit", "-q", "-m", "a CA repository with pipelines")
    return seed


def _write_pipelines(seed: Path, region: str, tool: str) -> None:
    from gitca.cli.scaffold import pipelines

    setting = pipelines.Setting(
        forge=pipelines.Forge.GITHUB,
        tool=pipelines.pinned(TOOL, tool),
        signer="awskms",
        region=region,
    )
    for name, content in pipelines.rendered_pipelines(setting).items():
        path = seed / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
