"""Programs that a repository's own configuration names for reaching a remote: not run.

Of a user's configuration, the command line and the environment they are obeyed: that is how a
person or a CI system reaches a remote. `.git/config` does not come by a clone, but it comes with a
copied folder, an archive or a shared machine, and there it is data like the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gitca.git.process import Git, Setting, as_text

_LOCAL = frozenset({"local", "worktree"})
_HELPER = re.compile(r"credential\.(?:.*\.)?helper", re.DOTALL)
_PROXY = "core.gitproxy"
_PACK = re.compile(r"remote\..*\.(?:uploadpack|receivepack)", re.DOTALL)
# What Git runs where nothing is configured; no value at all cannot be said.
_USUAL = {"core.sshcommand": "ssh", "core.askpass": ""}
_UNREACHABLE: Setting = ("GIT_ALLOW_PROTOCOL", "")

UPLOAD_PACK = "--upload-pack=git-upload-pack"
RECEIVE_PACK = "--receive-pack=git-receive-pack"
"""What fetches and pushes say, because the first of these that is configured wins."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One setting, and whether the repository itself says it."""

    key: str
    value: str
    is_local: bool


def without_local_programs(git: Git) -> Git:
    """Return the same Git, for which the repository names no program that reaches a remote.

    Raises: GitFailedError where the configuration cannot be read.
    """
    lines = _lines(git)
    settings = [*_single(lines), *_helpers(lines)]
    made = git.with_settings(settings) if settings else git
    local = [line.key for line in lines if line.is_local]
    variables = list(made.variables)
    if _PROXY in local:
        # The first proxy that is configured wins, so that no later setting undoes it.
        variables.append(("GIT_PROXY_COMMAND", ""))
    if any(map(_PACK.fullmatch, local)):
        # In a partial clone, Git would run it by itself to fetch an object that is not there.
        variables.append(_UNREACHABLE)
    return replace(made, variables=tuple(variables))


def reaching_remotes(git: Git) -> Git:
    """Return the same Git, for a command that names the program at the other end itself."""
    kept = tuple(variable for variable in git.variables if variable != _UNREACHABLE)
    return replace(git, variables=kept)


def local_programs(git: Git) -> tuple[str, ...]:
    """Return the keys of the repository's own configuration that gitca does not obey."""
    keys = dict.fromkeys(line.key for line in _lines(git) if line.is_local)
    known = {_PROXY, *_USUAL}
    return tuple(k for k in keys if k in known or _HELPER.fullmatch(k) or _PACK.fullmatch(k))


def _lines(git: Git) -> Sequence[_Line]:
    """Return every setting in the order in which Git reads them."""
    words = as_text(git.ask("config", "--list", "--show-scope", "-z")).split("\0")[:-1]
    scopes, entries = words[::2], words[1::2]
    pairs = [entry.partition("\n")[::2] for entry in entries]
    return [
        _Line(key, value, scope in _LOCAL)
        for scope, (key, value) in zip(scopes, pairs, strict=True)
    ]


def _single(lines: Sequence[_Line]) -> Iterator[Setting]:
    """Yield the others' last value, or Git's own, for each key that the repository sets."""
    others = {line.key: line.value for line in lines if not line.is_local}
    local = {line.key for line in lines if line.is_local}
    yield from ((key, others.get(key, usual)) for key, usual in _USUAL.items() if key in local)


def _helpers(lines: Sequence[_Line]) -> Iterator[Setting]:
    """Yield an empty helper, which forgets all before it (gitcredentials(7)), and the others'."""
    helpers = [line for line in lines if _HELPER.fullmatch(line.key)]
    if any(line.is_local for line in helpers):
        yield "credential.helper", ""
        yield from ((line.key, line.value) for line in helpers if not line.is_local)
