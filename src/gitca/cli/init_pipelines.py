"""The options of `gitca init` for pipelines: checked, and gitca's own place found out."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit

from gitca.cli.init_targets import checked_targets
from gitca.cli.scaffold.pipelines import Forge, Setting, Tool, pinned, rendered_pipelines
from gitca.cli.scaffold.remaining import NO_TOOL, Place, Step, in_folder, markdown, setup_files
from gitca.cli.scaffold.remaining_github import CLIENTS as GITHUB_CLIENTS
from gitca.cli.scaffold.remaining_github import ISSUER, github_steps
from gitca.cli.scaffold.remaining_gitlab import CLIENTS as GITLAB_CLIENTS
from gitca.cli.scaffold.remaining_gitlab import gitlab_steps
from gitca.cli.scaffold.targets import Targets
from gitca.errors import UsageError

HOSTS: Mapping[Forge, str] = {Forge.GITHUB: "github.com", Forge.GITLAB: "gitlab.com"}
_NAME = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?"
_PATHS = {
    Forge.GITHUB: re.compile(rf"{_NAME}/{_NAME}"),
    Forge.GITLAB: re.compile(rf"{_NAME}(?:/{_NAME})+"),
}
_URL = re.compile(rf"https://[a-z0-9.-]+(?::[0-9]{{1,5}})?(?:/{_NAME})+")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_OWNER = re.compile(rf"@{_NAME}(?:/{_NAME})*")
_FOLDER = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?:/[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)*")


@dataclass(frozen=True, slots=True)
class Given:
    """What was given on the command line for pipelines; empty where it was not."""

    forge: Forge
    repository: str
    tool: str
    role: str
    security: str
    owners: tuple[str, ...]
    issued_branch: str = ""


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the CAs' keys are: the kind of signer, and its region or module."""

    signer: str
    region: str
    module: str


@dataclass(frozen=True, slots=True)
class Pipelines:
    """The files of pipelines by their path, and what a person has to do for them."""

    files: Mapping[str, bytes]
    steps: tuple[Step, ...]


def checked_pipelines(
    given: Given, keys: Keys, publish: Sequence[str], directory: Path
) -> Pipelines:
    """Return what is written for a forge, and what remains; nothing for none. Raises: UsageError.

    `publish` are the URIs of targets, and `directory` is where the repository is being made.
    """
    targets = checked_targets(publish, given.forge, keys.signer)
    if given.forge is Forge.NONE:
        _refuse_any(given)
        return Pipelines({}, ())
    setting = _setting(given, keys, targets)
    folder = "" if directory.absolute() == Path.cwd() else shlex.quote(str(directory))
    place = Place(HOSTS[given.forge], given.repository, targets.buckets)
    if given.forge is Forge.GITHUB:
        issuer, clients, steps = ISSUER, GITHUB_CLIENTS, tuple(github_steps(setting, place))
    else:
        issuer, clients, steps = place.host, GITLAB_CLIENTS, tuple(gitlab_steps(setting, place))
    files = {
        **rendered_pipelines(setting),
        **setup_files(setting, place, issuer),
        "SETUP.md": markdown(steps, clients=clients),
    }
    return Pipelines(files, in_folder(steps, folder))


def _setting(given: Given, keys: Keys, targets: Targets) -> Setting:
    forge = given.forge
    _check("--repository", given.repository, _PATHS[forge], "OWNER/NAME")
    _check("--aws-role", given.role, _ROLE, "arn:aws:iam::123456789012:role/gitca")
    _check("--security-team", given.security, _OWNER, "@OWNER/TEAM")
    if given.role and keys.signer != "awskms":
        raise UsageError(
            f"--aws-role does not go with --signer {keys.signer}",
            remedy="leave it out; the pipeline takes the variable GITCA_AWS_ROLE",
        )
    owner = given.repository.partition("/")[0] or "OWNER"
    return Setting(
        forge,
        _tool(forge, given.tool),
        keys.signer,
        region=keys.region,
        module=keys.module,
        role=given.role,
        issued_branch=given.issued_branch,
        security=given.security or f"@{owner}/security",
        owners=_owners(given.owners),
        targets=targets,
    )


def _refuse_any(given: Given) -> None:
    options = {
        "--repository": given.repository,
        "--tool": given.tool,
        "--aws-role": given.role,
        "--security-team": given.security,
        "--owners": given.owners,
    }
    for option, value in options.items():
        if value:
            remedy = "give --ci github or --ci gitlab as well, or leave it out"
            raise UsageError(f"{option} is for pipelines, and none are written", remedy=remedy)


def _check(option: str, value: str, pattern: re.Pattern[str], example: str) -> None:
    if value and not pattern.fullmatch(value):
        raise UsageError(f"{option}: {value!r} is none", remedy=f"write it as {example}")


def _owners(values: Sequence[str]) -> tuple[tuple[str, str], ...]:
    owners = tuple(map(_folder_owner, values))
    folders = [folder for folder, _ in owners]
    for folder in folders:
        if folders.count(folder) > 1:
            raise UsageError(
                f"--owners: requests/{folder}/ is there twice, and the last one alone would count",
                remedy="give a folder one owner; CODEOWNERS can have more of them in its line",
            )
    return owners


def _folder_owner(value: str) -> tuple[str, str]:
    folder, _, owner = value.partition("=")
    folder = folder.removeprefix("requests/").strip("/")
    if not _FOLDER.fullmatch(folder) or not _OWNER.fullmatch(owner):
        remedy = "write a folder below requests/ and its owner, as payments=@example/payments"
        raise UsageError(f"--owners: {value!r} is no folder with an owner", remedy=remedy)
    if folder.partition("/")[0] == "ca":
        raise UsageError(
            "--owners: requests/ca/ is where CAs are revoked, and stays with --security-team",
            remedy="leave it out",
        )
    return folder, owner


def _tool(forge: Forge, value: str) -> Tool:
    """Return where the pipelines get gitca from: as given, or as it is installed here."""
    if not value:
        return _installed(forge) or _checked_out(forge) or NO_TOOL
    place, _, commit = value.rpartition("@")
    pattern, example = (
        (_PATHS[forge], "OWNER/NAME@COMMIT")
        if forge is Forge.GITHUB
        else (_URL, "https://HOST/GROUP/NAME.git@COMMIT")
    )
    if not pattern.fullmatch(place) or not _COMMIT.fullmatch(commit):
        raise UsageError(
            f"--tool: {value!r} is no repository and commit",
            remedy=f"write {example}, the commit's whole id in lower-case hexadecimal",
        )
    return pinned(place, commit)


def _installed(forge: Forge) -> Tool | None:
    """Return the repository and commit that pip installed this gitca from (PEP 610)."""
    try:
        text = distribution("gitca").read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    record = json.loads(text) if text else {}
    commit = record.get("vcs_info", {}).get("commit_id", "")
    return _on_forge(forge, record.get("url", ""), commit)


def _checked_out(forge: Forge) -> Tool | None:
    """Return the origin and commit of the clone that this gitca runs in, if origin has it."""
    from gitca.git.process import Git, as_text

    source = Path(__file__).resolve().parents[3]
    if not (source / ".git").exists():
        return None
    git = Git(source)
    commit = as_text(git.run("rev-parse", "--verify", "HEAD").stdout).strip()
    url = as_text(git.run("remote", "get-url", "origin").stdout).strip()
    known = git.run("branch", "--remotes", "--contains", commit or "HEAD", "--format=%(refname)")
    return _on_forge(forge, url, commit) if known.stdout.strip() else None


def _on_forge(forge: Forge, url: str, commit: str) -> Tool | None:
    """Return the tool if the URL is one of the forge's: a name elsewhere may be another's here."""
    found = re.fullmatch(r"git@([a-z0-9.-]+):(.+)", url)
    host, path = found.groups() if found else (urlsplit(url).hostname or "", urlsplit(url).path)
    path = path.strip("/").removesuffix(".git")
    if not _COMMIT.fullmatch(commit) or not _PATHS[forge].fullmatch(path):
        return None
    if forge is Forge.GITHUB:
        return pinned(path, commit) if host == HOSTS[forge] else None
    address = f"https://{host}/{path}.git"
    return pinned(address, commit) if _URL.fullmatch(address) else None
