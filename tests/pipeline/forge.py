"""A forge: a repository with protected branches, forks, pull requests, tokens and what they may.

It imitates GitHub where the pipelines rest on it. Git's part is real: `git http-backend` behind an
HTTP server (`forge_http`), and a hook that refuses what a branch rule refuses.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import forge_hooks
from pipeline.forge_rules import MergeRefusedError, Rules
from pipeline.workflow_file import Event

REPOSITORY = "example/pki"
NOTHING = "0" * 40
BOT = "pki-bot[bot]"  # the app that reconciles: the one that branch rules let through
ACTIONS = "github-actions[bot]"  # whom GITHUB_TOKEN belongs to


@dataclass(frozen=True)
class Token:
    """A credential of the forge: whose, and what it may by scope (`read`, `write`)."""

    identity: str
    may: Mapping[str, str]
    text: str = field(default_factory=lambda: f"ghs_{secrets.token_hex(18)}")

    def allows(self, scope: str, access: str) -> bool:
        """Say whether the token may read or write something."""
        granted = self.may.get(scope, "none")
        return granted == "write" or granted == access


@dataclass
class Pull:
    """A pull request; `head` is a branch of `source`, this repository or a fork."""

    number: int
    source: str
    branch: str
    author: str
    base: str = "main"
    open: bool = True


@dataclass(frozen=True)
class Environment:
    """A protected environment: what a job gets in it, and for which branches."""

    branches: tuple[str, ...]
    secrets: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Forge:
    """The repository and everything around it; one lock for what several requests change."""

    folder: Path
    protected: dict[str, tuple[str, ...]]  # a branch, and whom its rules let push
    url: str = ""
    tokens: dict[str, Token] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)  # every token's text, ended ones too
    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: dict[int, dict[int, dict[str, Any]]] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    runs: dict[int, Any] = field(default_factory=dict)
    identities: dict[str, Mapping[str, str]] = field(default_factory=dict)  # OIDC: token, claims
    events: list[Event] = field(default_factory=list)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    rules: Rules | None = None
    teams: dict[str, set[str]] = field(default_factory=dict)
    checks: dict[str, set[str]] = field(default_factory=dict)  # what passed for a commit
    public: set[str] = field(default_factory=set)  # repositories that everybody may read
    lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def create(cls, folder: Path, seed: Path, protected: dict[str, tuple[str, ...]]) -> Forge:
        """Make the repository with the main branch of another one."""
        forge = cls(folder, protected)
        forge.found(seed)
        return forge

    def found(self, seed: Path) -> None:
        """Make the repository with the main branch of another one."""
        path = self.path(REPOSITORY)
        path.parent.mkdir(parents=True)
        git(self.folder.parent, "init", "-q", "--bare", "-b", "main", str(path))
        git(seed, "push", "-q", str(path), "HEAD:refs/heads/main")
        # GitHub serves any commit by its id, and its own rules speak of deletions.
        git(path, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(path, "config", "receive.denyDeleteCurrent", "ignore")
        (path / "pushes").mkdir()
        for name, text in forge_hooks.HOOKS.items():
            hook = path / "hooks" / name
            hook.write_text(text)
            hook.chmod(0o755)

    def path(self, repository: str) -> Path:
        return self.folder / "repositories" / f"{repository}.git"

    @property
    def origin(self) -> Path:
        return self.path(REPOSITORY)

    def tip(self, ref: str = "refs/heads/main", repository: str = REPOSITORY) -> str:
        """Return the commit of a ref."""
        return git(self.path(repository), "rev-parse", "--verify", f"{ref}^{{commit}}")

    def tree(self, ref: str = "refs/heads/main") -> dict[str, str]:
        """Return the blob of every path of a commit."""
        listed = git(self.origin, "ls-tree", "-r", "-z", ref).split("\0")
        return {line.partition("\t")[2]: line.split()[2] for line in listed if line}

    def show(self, path: str, ref: str = "refs/heads/main") -> str:
        """Return the text of a file of a commit."""
        return git(self.origin, "cat-file", "blob", f"{ref}:{path}")

    def add(self, name: str, source: Path) -> None:
        """Add a repository that everybody may read."""
        git(self.folder, "clone", "-q", "--bare", str(source), str(self.path(name)))
        git(self.path(name), "config", "uploadpack.allowAnySHA1InWant", "true")
        self.public.add(name)

    def fork(self, owner: str) -> str:
        """Copy the repository for an outsider, who may do there what they like."""
        name = f"{owner}/pki"
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        git(self.folder, "clone", "-q", "--bare", str(self.origin), str(path))
        return name

    def token(self, identity: str, **may: str) -> Token:
        """Give out a credential."""
        with self.lock:
            token = Token(identity, {name.replace("_", "-"): value for name, value in may.items()})
            self.tokens[token.text] = token
            self.given.append(token.text)
        return token

    def revoke(self, token: Token) -> None:
        """End a credential, as GitHub does with a job's when the job ends."""
        with self.lock:
            self.tokens.pop(token.text, None)

    def pull(self, source: str, branch: str, author: str) -> Pull:
        """Open a pull request of a branch to main."""
        pull = Pull(len(self.pulls) + 1, source, branch, author)
        self.pulls[pull.number] = pull
        self.comments[pull.number] = {}
        self.update(pull, "opened")
        return pull

    def update(self, pull: Pull, action: str = "synchronize") -> None:
        """Fetch the head of a pull request, merge it on trial, and tell the pipelines."""
        head = f"refs/pull/{pull.number}/head"
        source = str(self.path(pull.source))
        git(self.origin, "fetch", "-q", source, f"+refs/heads/{pull.branch}:{head}")
        merged = self._merge_commit(pull)
        git(self.origin, "update-ref", f"refs/pull/{pull.number}/merge", merged)
        changed = git(self.origin, "diff", "--name-only", f"refs/heads/{pull.base}...{head}")
        payload = {
            "action": action,
            "number": pull.number,
            "pull_request": self.describe(pull),
            **self.common(pull.author),
        }
        event = Event(
            "pull_request",
            f"refs/pull/{pull.number}/merge",
            merged,
            payload,
            pull.author,
            branch=pull.base,
            changed=tuple(changed.splitlines()),
            from_fork=pull.source != REPOSITORY,
        )
        self.events.append(event)

    def merge(self, pull: Pull, *reviewers: str) -> str:
        """Merge what these people have approved; tell the pipelines. Raises: MergeRefusedError."""
        if self.rules is not None:
            self._check_rules(self.rules, pull, reviewers)
        merged = self._merge_commit(pull)
        before = self.tip(f"refs/heads/{pull.base}")
        git(self.origin, "update-ref", f"refs/heads/{pull.base}", merged, before)
        pull.open = False
        self.pushed(before, merged, f"refs/heads/{pull.base}", reviewers[0])
        return merged

    def _check_rules(self, rules: Rules, pull: Pull, reviewers: tuple[str, ...]) -> None:
        head = f"refs/pull/{pull.number}/head"
        changed = git(self.origin, "diff", "--name-only", "-z", f"refs/heads/{pull.base}...{head}")
        approvals = {
            who: {team for team, members in self.teams.items() if who in members}
            for who in reviewers
            if who != pull.author
        }
        owners = self.show(".github/CODEOWNERS", f"refs/heads/{pull.base}")
        paths = tuple(path for path in changed.split("\0") if path)
        passed = self.checks.get(self.tip(head), set())
        if refused := list(rules.refusals(paths, owners, approvals, passed)):
            raise MergeRefusedError("; ".join(refused))

    def _merge_commit(self, pull: Pull) -> str:
        base, head = self.tip(f"refs/heads/{pull.base}"), self.tip(f"refs/pull/{pull.number}/head")
        tree = git(self.origin, "merge-tree", "--write-tree", base, head).splitlines()[0]
        message = f"Merge pull request #{pull.number} from {pull.branch}"
        return git(self.origin, "commit-tree", tree, "-p", base, "-p", head, "-m", message)

    def describe(self, pull: Pull) -> dict[str, Any]:
        """Return a pull request as the API and the payloads do, in part."""
        head = self.tip(f"refs/pull/{pull.number}/head")
        return {
            "number": pull.number,
            "state": "open" if pull.open else "closed",
            "title": f"Change {pull.branch}",
            "user": {"login": pull.author},
            "head": {"ref": pull.branch, "sha": head, "repo": self.repository(pull.source)},
            "base": {
                "ref": pull.base,
                "sha": self.tip(f"refs/heads/{pull.base}"),
                "repo": self.repository(REPOSITORY),
            },
        }

    def repository(self, name: str) -> dict[str, Any]:
        owner = name.partition("/")[0]
        return {
            "full_name": name,
            "name": "pki",
            "id": 1 if name == REPOSITORY else 2,
            "owner": {"login": owner, "id": 1 if name == REPOSITORY else 2},
            "fork": name != REPOSITORY,
            "default_branch": "main",
            "private": True,
            "html_url": f"{self.url}/{name}",
            "clone_url": f"{self.url}/{name}.git",
        }

    def common(self, actor: str) -> dict[str, Any]:
        """Return what every payload has."""
        return {"repository": self.repository(REPOSITORY), "sender": {"login": actor}}

    def take_pushes(self) -> None:
        """Turn what the hook wrote down into events."""
        with self.lock:
            written = [path for path in (self.origin / "pushes").iterdir() if path.suffix != ".new"]
            lines = [line for path in written for line in path.read_text().splitlines()]
            for path in written:
                path.unlink()
        for line in lines:
            before, after, ref, identity = line.split(" ", 3)
            # "Triggering a workflow from a workflow": what GITHUB_TOKEN does starts none.
            if identity != ACTIONS and after != NOTHING:
                self.pushed(before, after, ref, identity)

    def pushed(self, before: str, after: str, ref: str, actor: str) -> None:
        """Tell the pipelines that a branch moved."""
        known = () if before == NOTHING else self._changed(before, after)
        payload = {
            "ref": ref,
            "before": before,
            "after": after,
            "head_commit": {
                "id": after,
                "message": git(self.origin, "log", "-1", "--format=%B", after),
            },
            **self.common(actor),
        }
        branch = ref.removeprefix("refs/heads/")
        self.events.append(Event("push", ref, after, payload, actor, branch=branch, changed=known))

    def _changed(self, before: str, after: str) -> tuple[str, ...]:
        names = git(self.origin, "diff", "--name-only", "-z", before, after)
        return tuple(name for name in names.split("\0") if name)

    def hook_environment(self, token: Token) -> dict[str, str]:
        """Return what the hook is told of who pushes."""
        is_app = token.identity in (ACTIONS, BOT)
        may_change = not is_app or token.allows("workflows", "write")
        return {
            "FORGE_IDENTITY": token.identity,
            "FORGE_PROTECTED": " ".join(self.protected),
            "FORGE_BYPASSES": " ".join(
                name for name, through in self.protected.items() if token.identity in through
            ),
            "FORGE_WORKFLOWS": "1" if may_change else "0",
        }


def git(where: Path, *arguments: str) -> str:
    """Run Git as the forge itself or as a person; return its output without the last line end."""
    done = subprocess.run(
        ["git", *arguments], cwd=where, capture_output=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, f"git {arguments}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def to_json(value: object) -> bytes:
    return json.dumps(value).encode()
