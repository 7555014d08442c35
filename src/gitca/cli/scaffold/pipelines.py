"""The pipelines of a CA repository: templates beside this module, and what fills them."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent / "ci"
_PLACEHOLDER = re.compile(r"__([A-Z][A-Z_]*[A-Z])__")

_TOKENS_RUNNER = (
    "[self-hosted, gitca] # zizmor: ignore[self-hosted-runner] a token is where its machine is"
)

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


class Forge(enum.StrEnum):
    """Whose pipelines are written."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Tool:
    """Where a pipeline gets gitca from: a repository of the forge, and a commit of it.

    `plan_ref` is the commit for a pull request's plan. It differs where the pipeline's own repository
    is gitca's: there it is the commit that the pull request is based on, and never its head.
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


@dataclass(frozen=True, slots=True)
class Setting:
    """What the pipelines of one repository are filled with; all of it has been checked.

    `signer` is file, awskms or pkcs11; `region` goes with awskms and `module`, the token's library,
    with pkcs11. An empty `role` is a variable of the environment, by name.
    """

    forge: Forge
    tool: Tool
    signer: str
    region: str = ""
    module: str = ""
    role: str = ""
    branch: str = "main"


def rendered_pipelines(setting: Setting) -> Mapping[str, bytes]:
    """Return what this version writes for a forge: the content of each file by its path."""
    if setting.forge is Forge.GITHUB:
        return {
            f".github/workflows/{source.name}": _github(source.read_text(encoding="utf-8"), setting)
            for source in sorted((_HERE / "github" / "workflows").glob("*.yml"))
        }
    return {}


def _github(text: str, setting: Setting) -> bytes:
    keys, signer = _HERE / "github" / "keys", setting.signer
    steps = (keys / f"{signer}.steps.yml").read_text(encoding="utf-8")
    variables = (keys / f"{signer}.env.yml").read_text(encoding="utf-8")
    is_token = signer == "pkcs11"
    blocks = {
        "KEY_STEPS": f"{steps}\n",
        "KEY_ENV": variables,
        "INSTALL_WITH": "        with:\n          extras: pkcs11\n\n" if is_token else "\n",
    }
    for name, block in blocks.items():
        text = text.replace(f"__{name}__\n", block)
    values = ACTIONS | {
        "BRANCH": setting.branch,
        "TOOL_REPOSITORY": setting.tool.repository,
        "TOOL_PLAN_REF": setting.tool.plan_ref,
        "TOOL_TRUSTED_REF": setting.tool.ref,
        "REGION": setting.region,
        "ROLE": setting.role or "${{ vars.GITCA_AWS_ROLE }}",
        "MODULE": json.dumps(setting.module),
        "RUNS_ON": _TOKENS_RUNNER if is_token else "ubuntu-24.04",
    }
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text).encode()
