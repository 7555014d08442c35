"""The pipelines of a CA repository: templates beside this module, and what fills them."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitca.cli.scaffold.targets import NO_TARGETS, Targets

_HERE = Path(__file__).parent / "ci"
_PLACEHOLDER = re.compile(r"__([A-Z][A-Z_]*[A-Z])__")

ACTIONS: Mapping[str, str] = {
    "CHECKOUT": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "UPLOAD_ARTIFACT": "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1",
    "APP_TOKEN": (
        "actions/create-github-app-token@bcd2ba49218906704ab6c1aa796996da409d3eb1 # v3.2.0"
    ),
    "AWS_CREDENTIALS": (
        "aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3"
    ),
}
"""Others' actions by commit: a tag can be moved to other code, a commit cannot."""

S3_KEY = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""What opens an S3 that is not AWS's, and that no role does."""

SCHEDULE = "6h"
"""How often the templates run reconcile by schedule: `reconcileEvery` of such a repository."""


class Forge(enum.StrEnum):
    """Whose pipelines are written."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Tool:
    """Where a pipeline gets gitca from: on GitHub owner/name, on GitLab a URL, and a commit of it.

    `plan_ref` is the commit for a pull request's plan. It differs where the pipeline's own
    repository is gitca's: there it is what the pull request is based on, and never its head.
    """

    repository: str
    ref: str
    plan_ref: str


def pinned(repository: str, commit: str) -> Tool:
    """Return the tool at one commit of 40 or 64 hexadecimal digits."""
    return Tool(repository, commit, commit)


OWN = Tool(
    repository="${{ github.repository }}",
    ref="${{ github.sha }}",
    plan_ref="${{ github.event.pull_request.base.sha }}",
)
"""This project's own pipelines on GitHub: gitca is what their repository holds."""

OWN_ON_GITLAB = pinned(
    "${CI_MERGE_REQUEST_PROJECT_URL:-$CI_PROJECT_URL}.git",
    "${CI_MERGE_REQUEST_DIFF_BASE_SHA:-$CI_COMMIT_SHA}",
)
"""The same on GitLab."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the pipelines of one repository are filled with; all of it has been checked.

    `signer` is file, awskms or pkcs11; `region` goes with awskms and `module`, the token's library,
    with pkcs11. An empty `role` is a variable of the pipeline. `issued_branch` is empty where
    issued/ is with the documents. `owners` are folders below requests/ and who owns them. `targets`
    are where reconcile publishes to.
    """

    forge: Forge
    tool: Tool
    signer: str
    region: str = ""
    module: str = ""
    role: str = ""
    branch: str = "main"
    issued_branch: str = ""
    security: str = "@OWNER/security"
    owners: tuple[tuple[str, str], ...] = ()
    targets: Targets = NO_TARGETS


def rendered_pipelines(setting: Setting) -> Mapping[str, bytes]:
    """Return what this version writes for a forge: the content of each file by its path."""
    if setting.forge is Forge.GITHUB:
        workflows = sorted((_HERE / "github" / "workflows").glob("*.yml"))
        return {
            ".github/CODEOWNERS": _code_owners(setting),
            **{f".github/workflows/{path.name}": _github(path, setting) for path in workflows},
        }
    if setting.forge is Forge.GITLAB:
        return {
            ".gitlab-ci.yml": _gitlab(_HERE / "gitlab" / "gitlab-ci.yml", setting),
            ".gitlab/CODEOWNERS": _code_owners(setting),
        }
    return {}


def _code_owners(setting: Setting) -> bytes:
    # Of the lines that match a file the last one counts: a folder stands behind those above it.
    owners = sorted(setting.owners, key=lambda pair: pair[0].count("/"))
    lines = [f"/requests/{folder}/ {owner}" for folder, owner in owners]
    # An example that binds nobody, where no team is known yet.
    values = {"SECURITY": setting.security, "OWNERS": "\n".join(lines) or "# /requests/TEAM/ @TEAM"}
    return _filled(_text(_HERE / "codeowners"), values)


def _github(path: Path, setting: Setting) -> bytes:
    keys, is_token = _HERE / "github" / "keys", setting.signer == "pkcs11"
    blocks = {
        "KEY_STEPS": _text(keys / f"{setting.signer}.steps.yml") + "\n",
        "KEY_ENV": _text(keys / f"{setting.signer}.env.yml"),
        "TARGET_ENV": _target_lines(_HERE / "github" / "targets", setting.targets, ".env.yml"),
        "INSTALL_WITH": "        with:\n          extras: pkcs11\n\n" if is_token else "\n",
    }
    values = {
        **ACTIONS,
        "BRANCH": setting.branch,
        "TOOL_REPOSITORY": setting.tool.repository,
        "TOOL_PLAN_REF": setting.tool.plan_ref,
        "TOOL_TRUSTED_REF": setting.tool.ref,
        "REGION": setting.region,
        "ROLE": setting.role or "${{ vars.GITCA_AWS_ROLE }}",
        "MODULE": json.dumps(setting.module),
        **_target_values(setting.targets),
        "RUNS_ON": (
            "[self-hosted, gitca] # zizmor: ignore[self-hosted-runner] where its token is"
            if is_token
            else "ubuntu-24.04"
        ),
    }
    return _filled(_with_blocks(_text(path), blocks), values)


def _gitlab(path: Path, setting: Setting) -> bytes:
    is_token = setting.signer == "pkcs11"
    blocks = {
        "KEYS": _text(_HERE / "gitlab" / "keys" / f"{setting.signer}.yml"),
        "TARGETS": _target_lines(_HERE / "gitlab" / "targets", setting.targets, ".yml"),
        "TAGS": "  tags: [gitca] # the runner where the token is\n" if is_token else "",
    }
    values = {
        "BRANCH": setting.branch,
        "TOOL_URL": setting.tool.repository,
        "TOOL_COMMIT": setting.tool.ref,
        "EXTRAS": " pkcs11" if is_token else "",
        "REGION": setting.region,
        "ROLE": setting.role or "$GITCA_AWS_ROLE",
        "MODULE": json.dumps(setting.module),
        **_target_values(setting.targets),
    }
    return _filled(_with_blocks(_text(path), blocks), values)


def _target_lines(folder: Path, targets: Targets, suffix: str) -> str:
    """Return the lines that let gitca go to what documents alone may not choose."""
    kinds = {"endpoints": targets.endpoints, "directories": targets.directories}
    return "".join(_text(folder / f"{name}{suffix}") for name, found in kinds.items() if found)


def _target_values(targets: Targets) -> Mapping[str, str]:
    return {
        "ENDPOINTS": json.dumps(",".join(targets.endpoints)),
        "DIRECTORIES": json.dumps(":".join(targets.directories)),
    }


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _with_blocks(text: str, blocks: Mapping[str, str]) -> str:
    """Return the text with whole lines in the places of placeholders that stand alone."""
    for name, block in blocks.items():
        text = text.replace(f"__{name}__\n", block)
    return text


def _filled(text: str, values: Mapping[str, str]) -> bytes:
    # In one pass: a value that looks like a placeholder is none.
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text).encode()
