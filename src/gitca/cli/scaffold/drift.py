"""Whether a repository's pipelines are those that this version writes: the setting, read back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from gitca.cli.scaffold.pipelines import Forge, Setting, Tool, rendered_pipelines

_WORKFLOWS = ".github/workflows"
PATHS: Mapping[Forge, tuple[str, ...]] = {
    Forge.GITHUB: tuple(f"{_WORKFLOWS}/{name}.yml" for name in ("comment", "plan", "reconcile")),
    Forge.GITLAB: (".gitlab-ci.yml",),
}
"""The files of a forge's pipelines; CODEOWNERS is for people to change, and none of them."""

_TOOL = re.compile(r"repository: (.+)\n +ref: (.+)\n +path: tool\n")
_SOURCE = re.compile(r'SOURCE="(.+)" COMMIT="(.+)"\n')
_FIELDS = {
    Forge.GITHUB: {
        "branch": re.compile(r"branches: \[(.+)\]\n"),
        "region": re.compile(r"aws-region: (.+)\n"),
        "role": re.compile(r"role-to-assume: (.+)\n"),
        "module": re.compile(r"GITCA_PKCS11_MODULES: (.+)\n"),
    },
    Forge.GITLAB: {
        "branch": re.compile(r"git clone --quiet --branch (\S+) "),
        "region": re.compile(r"AWS_REGION=(\S+) "),
        "role": re.compile(r'AWS_ROLE_ARN="(.+)"\n'),
        "module": re.compile(r"GITCA_PKCS11_MODULES=(.+)\n"),
    },
}


def read_setting(forge: Forge, files: Mapping[str, bytes]) -> Setting | None:
    """Return what a forge's pipelines were filled with, None where they are not gitca's.

    `files` are the contents of `PATHS[forge]`, of those that there are.
    """
    texts = {path: files[path].decode("utf-8", "replace") for path in PATHS[forge] if path in files}
    main = texts.get(PATHS[forge][-1], "")
    tool = _tool(forge, texts, main)
    if tool is None:
        return None
    found = {name: pattern.search(main) for name, pattern in _FIELDS[forge].items()}
    values = {name: match[1] for name, match in found.items() if match}
    signer = _signer(main)
    role = values.get("role", "")
    return Setting(
        forge,
        tool,
        signer,
        branch=values.get("branch", "main"),
        region=values.get("region", "") if signer == "awskms" else "",
        role="" if signer != "awskms" or "GITCA_AWS_ROLE" in role else role,
        module=_module(values.get("module", '""')) if signer == "pkcs11" else "",
    )


def drifted(forge: Forge, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the paths that are missing, or are not what this version writes for their setting."""
    setting = read_setting(forge, files)
    if setting is None:
        return PATHS[forge]
    written = rendered_pipelines(setting)
    return tuple(path for path in PATHS[forge] if files.get(path) != written[path])


def forges(paths: Mapping[str, object]) -> tuple[Forge, ...]:
    """Return the forges of which any pipeline's file is among the paths."""
    return tuple(forge for forge, known in PATHS.items() if any(path in paths for path in known))


def _signer(text: str) -> str:
    if "GITCA_PKCS11_MODULES" in text:
        return "pkcs11"
    return "file" if "GITCA_ISSUING_KEY" in text else "awskms"


def _tool(forge: Forge, texts: Mapping[str, str], main: str) -> Tool | None:
    found = (_TOOL if forge is Forge.GITHUB else _SOURCE).search(main)
    if found is None:
        return None
    plan = _TOOL.search(texts.get(f"{_WORKFLOWS}/plan.yml", ""))
    return Tool(found[1], found[2], plan[2] if plan else found[2])


def _module(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return ""
    return value if isinstance(value, str) else ""
