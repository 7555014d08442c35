"""Stand-ins for the actions that the pipelines use, with the inputs that they document.

They do what the action's own page says it does, with real Git and a real HTTP server behind it. An
input that is not known here is refused, and so is an action that is not pinned to a commit.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import secrets
import subprocess
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.expressions import UnknownSyntaxError
from pipeline.forge import BOT

if TYPE_CHECKING:
    from pipeline.runner_job import Job

Inputs = Mapping[str, str]
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ActionFailedError(Exception):
    """The action made its step fail."""


def use(job: Job, uses: str, inputs: Inputs) -> dict[str, str]:
    """Do what an action does and return its outputs."""
    name = uses.partition("@")[0]
    if name not in ACTIONS:
        raise UnknownSyntaxError(f"the action {uses}")
    known, action = ACTIONS[name]
    if unknown := set(inputs) - known:
        raise UnknownSyntaxError(f"{name}: inputs {sorted(unknown)}")
    return action(job, inputs)


def check_pinned(uses: str, commit: str) -> None:
    """Refuse an action that a tag or branch names: its owner could change what runs."""
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise UnknownSyntaxError(f"{uses} is not pinned to a commit")


def checkout(job: Job, inputs: Inputs) -> dict[str, str]:
    """Fetch and check out, as actions/checkout does with `ref` a commit, a branch or nothing."""
    github = job.contexts["github"]
    is_own = inputs.get("repository", github["repository"]) == github["repository"]
    repository = inputs.get("repository", github["repository"])
    wanted = inputs.get("ref") or (github["ref"] if is_own else "HEAD")
    commit = wanted if re.fullmatch(r"[0-9a-f]{40}", wanted) else ""
    if not inputs.get("ref") and is_own:
        commit = github["sha"]
    folder = job.workspace / inputs.get("path", ".")
    if not folder.resolve().is_relative_to(job.workspace.resolve()):
        raise ActionFailedError(f"path {inputs['path']!r} is not below the workspace")
    git = _Git(folder, job, inputs.get("token") or job.token.text)
    folder.mkdir(parents=True, exist_ok=True)
    git("init", "-q")
    git("remote", "add", "origin", f"{job.forge.url}/{repository}.git")
    git.fetch(wanted, commit, depth=int(inputs.get("fetch-depth", "1")))
    if wanted.startswith("refs/heads/"):
        branch = wanted.removeprefix("refs/heads/")
        git("checkout", "-q", "--force", "-B", branch, f"refs/remotes/origin/{branch}")
    else:
        git("checkout", "-q", "--force", "--detach", commit or "FETCH_HEAD")
    if inputs.get("persist-credentials", "true") == "true":
        git("config", f"http.{job.forge.url}/.extraheader", git.header)
    return {"commit": git("rev-parse", "HEAD").strip(), "ref": wanted}


class _Git:
    """Git of a checkout: it has the token while it fetches, and nobody else sees it."""

    def __init__(self, folder: Path, job: Job, token: str) -> None:
        self.folder, self.job = folder, job
        words = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        self.header = f"AUTHORIZATION: basic {words}"

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.job.folder / "home"),
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.{self.job.forge.url}/.extraheader",
                "GIT_CONFIG_VALUE_0": self.header,
            },
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise ActionFailedError(done.stderr.decode(errors="replace"))
        return done.stdout.decode("utf-8", "surrogateescape")

    def fetch(self, wanted: str, commit: str, *, depth: int) -> None:
        fetch = ("fetch", "-q", "--no-recurse-submodules", "origin")
        if depth > 0:
            self(*fetch[:2], f"--depth={depth}", *fetch[2:], *_one(wanted, commit))
            return
        self(*fetch, "--prune", "--tags", "+refs/heads/*:refs/remotes/origin/*")
        if wanted.startswith("refs/pull/") or not self._has(commit or "HEAD"):
            self(*fetch, *_one(wanted, commit))

    def _has(self, commit: str) -> bool:
        try:
            self("cat-file", "-e", f"{commit}^{{commit}}")
        except ActionFailedError:
            return False
        return True


def _one(wanted: str, commit: str) -> list[str]:
    """Return the refspec for one commit."""
    if wanted.startswith("refs/heads/"):
        return [f"+{commit or wanted}:refs/remotes/origin/{wanted.removeprefix('refs/heads/')}"]
    return [commit or wanted]


def setup_python(job: Job, inputs: Inputs) -> dict[str, str]:
    """Put a Python on the path: it is the first there already."""
    return {"python-version": inputs["python-version"]}


def upload_artifact(job: Job, inputs: Inputs) -> dict[str, str]:
    """Zip the files of a folder, or one file, into the run's artifacts."""
    source = Path(inputs["path"])
    source = source if source.is_absolute() else job.workspace / source
    files = sorted(path for path in source.rglob("*") if path.is_file())
    files = [source] if source.is_file() else files
    if not files:
        if inputs.get("if-no-files-found", "warn") == "error":
            raise ActionFailedError(f"no files were found at {source}")
        return {}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in files:
            archive.write(path, path.relative_to(source if source.is_dir() else source.parent))
    if inputs["name"] in job.artifacts:
        raise ActionFailedError(f"an artifact {inputs['name']!r} exists already")
    job.artifacts[inputs["name"]] = content.getvalue()
    return {"artifact-id": "1"}


def configure_aws_credentials(job: Job, inputs: Inputs) -> dict[str, str]:
    """Get the job's OIDC token, become the role, and put its credentials into the environment."""
    try:
        identity = identity_token(job, inputs.get("audience", "sts.amazonaws.com"))
        granted = job.setting.assume_role(inputs["role-to-assume"], identity)
    except PermissionError as refused:
        raise ActionFailedError(str(refused)) from None
    job.added |= {
        "AWS_DEFAULT_REGION": inputs["aws-region"],
        "AWS_REGION": inputs["aws-region"],
        "AWS_ACCESS_KEY_ID": granted["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": granted["SecretAccessKey"],
        "AWS_SESSION_TOKEN": granted["SessionToken"],
    }
    return {}


def identity_token(job: Job, audience: str) -> str:
    """Return the OIDC token of a job. Raises: PermissionError."""
    environment = job.base()
    if "ACTIONS_ID_TOKEN_REQUEST_URL" not in environment:
        raise PermissionError("the job has no permission id-token: write")
    request = urllib.request.Request(
        f"{environment['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience={audience}",
        headers={"Authorization": f"bearer {environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
    )
    with _DIRECT.open(request, timeout=30) as answer:
        return str(json.load(answer)["value"])


def create_app_token(job: Job, inputs: Inputs) -> dict[str, str]:
    """Give the token of the app whose private key is known."""
    if not secrets.compare_digest(inputs["private-key"], APP_KEY):
        raise ActionFailedError("the private key is not the app's")
    asked = {
        name.removeprefix("permission-"): access
        for name, access in inputs.items()
        if name.startswith("permission-")
    }
    token = job.forge.token(BOT, **(asked or {"contents": "write", "workflows": "write"}))
    job.obeyed.masks.append(token.text)
    return {"token": token.text, "app-slug": BOT.removesuffix("[bot]")}


APP_KEY = f"app-key-{secrets.token_hex(16)}"
ACTIONS: Mapping[str, tuple[set[str], Callable[[Job, Inputs], dict[str, str]]]] = {
    "actions/checkout": (
        {"repository", "ref", "path", "fetch-depth", "persist-credentials", "token"},
        checkout,
    ),
    "actions/setup-python": ({"python-version"}, setup_python),
    "actions/upload-artifact": (
        {"name", "path", "if-no-files-found", "retention-days"},
        upload_artifact,
    ),
    "aws-actions/configure-aws-credentials": (
        {"aws-region", "role-to-assume", "role-session-name", "audience"},
        configure_aws_credentials,
    ),
    "actions/create-github-app-token": (
        {"client-id", "app-id", "private-key", "permission-contents"},
        create_app_token,
    ),
}
