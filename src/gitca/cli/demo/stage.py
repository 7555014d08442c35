"""Setting the stage: a folder, a bare origin, the clones of a pipeline and of a developer."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from gitca.cli.demo.aws_acts import scaffold_with_keys
from gitca.cli.demo.cloud import DIRECT, Cloud
from gitca.cli.demo.loop import Stage
from gitca.cli.demo.story import Actor, chapter, perform, tell
from gitca.cli.worktree import WorkingTreeReader, entries_of, governing_of
from gitca.documents.load import Governing, load_requests
from gitca.errors import UsageError

_DOMAIN = "example.internal"
_POLICY = "internal-server"


@dataclass(frozen=True, slots=True)
class Aim:
    """What will be asked for: a name under `domain`, by `policy`."""

    policy: str
    domain: str


def set_stage(documents: Path | None, into: Path | None, cloud: Cloud | None = None) -> Stage:
    """Make the folder, the origin, the keys and the clones. Raises: UsageError, GitcaError."""
    source = None if documents is None else documents.absolute()
    if source is not None:
        _check_documents(source)
    folder = _make_folder(into)
    secret = {"GITCA_KEY_PASSPHRASE": secrets.token_urlsafe(24)}
    means = secret if cloud is None else cloud.environment()
    pipeline = Actor("Pipeline", "pipeline$ ", folder / "pipeline", means)
    alice = Actor("Alice", "alice$ ", folder / "alice", {} if cloud is None else DIRECT)
    director = Actor("Maintainer", "$ ", folder, means)
    chapter("1. A certificate authority that is a Git repository")
    if cloud is not None:
        scaffold_with_keys(director, pipeline, cloud, _DOMAIN)
    elif source is None:
        _scaffold(director)
    else:
        _copy(director, source)
    _share(director, pipeline)
    governing = governing_of(pipeline.folder)
    aim = _aim_at(pipeline.folder, governing)
    ca = governing.policies[aim.policy].spec.issuer
    return Stage(
        folder=folder,
        pipeline=pipeline,
        alice=alice,
        policy=aim.policy,
        ca=ca,
        root=_root_of(governing, ca),
        domain=aim.domain,
        has_openssl=shutil.which("openssl") is not None,
        cloud=cloud,
    )


def _check_documents(source: Path) -> None:
    """Check that the documents can be played with, before anything is made. Raises: UsageError."""
    if not source.is_dir():
        raise UsageError(f"{source} is not a folder", remedy="name a CA repository")
    if any(source.glob("issued/ledger/*.jsonl")):
        raise UsageError(
            f"{source} has issued certificates already, and the demo has other keys",
            remedy="name a repository of documents alone, or leave --documents out",
        )
    authorities = governing_of(source).authorities
    if not authorities:
        raise UsageError(f"{source} has no usable CA in ca/", remedy="gitca validate tells why")
    for name, document in authorities.items():
        uri = document.spec.key
        if not uri.startswith("file:") or uri.startswith("file:/"):
            raise UsageError(
                f"the key of CA {name} is {uri}, and the demo makes keys in its own folder alone",
                remedy="use documents whose keys are file: and a relative path",
            )


def _make_folder(into: Path | None) -> Path:
    if into is None:
        return Path(tempfile.mkdtemp(prefix="gitca-demo-"))
    folder = into.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make {into}: {error.strerror}") from error
    if any(folder.iterdir()):
        raise UsageError(f"{into} is not empty", remedy="name a new folder, or an empty one")
    return folder


def _scaffold(director: Actor) -> None:
    tell(
        f"""`init` scaffolds one, with a root, an issuing CA and policies with their tests. We are
        in {director.folder}; the keys of the CAs lie outside of Git, encrypted."""
    )
    names = ("--domain", _DOMAIN, "--organization", "Example")
    perform(director, "gitca", "init", "pipeline", *names)


def _copy(director: Actor, source: Path) -> None:
    tell(
        f"""The documents of {source}, copied into a Git repository of their own. We are in
        {director.folder}."""
    )
    target = director.folder / "pipeline"
    read = WorkingTreeReader(source)
    for entry in entries_of(source):
        if entry.mode != "100644":
            raise UsageError(f"{entry.path} is not a regular file", remedy="remove it")
        place = target / entry.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(read(entry.blob))
    (target / ".gitignore").write_text(".gitca/\n", encoding="utf-8")
    pipeline = replace(director, prompt="pipeline$ ", folder=target)
    perform(pipeline, "git", "init", "--quiet", "--initial-branch=main")
    perform(pipeline, "git", "add", ".")
    perform(pipeline, "git", "commit", "--quiet", "-m", "The documents")
    tell("The key of each CA, at the signer that its document names; Git ignores that folder:")
    for name in governing_of(target).authorities:
        perform(pipeline, "gitca", "keys", "create", name)


def _share(director: Actor, pipeline: Actor) -> None:
    tell("A bare origin plays the forge. The pipeline has one clone, with the keys; Alice another.")
    perform(director, "git", "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    perform(pipeline, "git", "remote", "add", "origin", "../origin.git")
    perform(pipeline, "git", "push", "--quiet", "--set-upstream", "origin", "main")
    perform(director, "git", "clone", "--quiet", "origin.git", "alice")


def _aim_at(folder: Path, governing: Governing) -> Aim:
    """What to ask for: a name in a CA's domain, by the policy for servers or else any in use."""
    aim = _aim_by_requests(folder, governing)
    ca = governing.authorities[governing.policies[aim.policy].spec.issuer]
    constraints = ca.spec.name_constraints
    domains = constraints.permitted.dns if constraints else ()
    return replace(aim, domain=domains[0]) if domains else aim


def _aim_by_requests(folder: Path, governing: Governing) -> Aim:
    entries = entries_of(folder)
    requests = load_requests(entries, WorkingTreeReader(folder), governing=governing).requests
    aims = [
        Aim(document.spec.policy, document.spec.sans.dns[0].partition(".")[2])
        for _, document in sorted(requests.items())
        if document.spec.sans.dns and document.spec.policy in governing.policies
    ]
    servers = [aim for aim in aims if aim.policy == _POLICY]
    aim = (servers or aims or [Aim(_POLICY, _DOMAIN)])[0]
    if aim.policy not in governing.policies:
        raise UsageError(f"the documents have no policy {_POLICY}, and no request to go by")
    return aim


def _root_of(governing: Governing, ca: str) -> str:
    while (issuer := governing.authorities[ca].spec.issuer) != "self":
        ca = issuer
    return ca
