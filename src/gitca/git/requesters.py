"""Who changed a file last, out of the history: one walk for any number of files.

Of a file in a commit, the last change is the commit that has it in this form and none of whose
parents has; a merge that takes it over from a parent is not one. Dates decide nothing. What a
commit says of its author and committer is not proved by Git.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from subprocess import Popen

from gitca.git.process import Answer, Git, Setting, as_text, end, failure, pipe
from gitca.git.refs import object_id
from gitca.policy.case import Requester

# A signature would be checked by whatever program the configuration names.
_SETTINGS: tuple[Setting, ...] = (("log.showSignature", "false"),)
_OPTIONS = (
    "-z",
    "--raw",
    "-r",
    "--root",
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    "--no-color",
    "--no-notes",
    "--no-decorate",
    # The repository's own .mailmap would let a commit rewrite who made the others.
    "--no-mailmap",
    "--no-show-signature",
    # Each commit, and of a merge the difference from each parent: nothing is left out as equal.
    "--full-history",
    "--sparse",
    "--diff-merges=separate",
    "--pretty=raw",
    # The header's bytes as they are: in the encoding that a commit names, a line may become two.
    "--encoding=none",
    "--end-of-options",
)
_HEAD = re.compile(r"commit ([0-9a-f]+)(?: \(from ([0-9a-f]+)\))?\n")
_PERSON = re.compile(r"(?:author|committer) [^<>\n]*<([^<>\n]*)> -?[0-9]+ [+-][0-9]+")
_PARENT = "parent "
_NOBODY = Requester("", "")
_BLOCK = 16 * 1024


def read_requesters(
    git: Git, commit: str, paths: Collection[str], *, below: str
) -> Mapping[str, Requester]:
    """Return who changed each file of a commit last; `below` is the folder that holds them all.

    A file whose last change lies beyond the boundary of a shallow clone is left out. A commit whose
    header can be read in two ways was made by nobody: without addresses. Stops as soon as all are
    found. Raises: GitFailedError.
    """
    trace = _Trace(_boundary(git), {commit: set(paths)} if paths else {})
    if not trace.waiting:
        return {}
    process = git.with_settings(_SETTINGS).start("log", *_OPTIONS, object_id(commit), "--", below)
    try:
        for change in _changes(process):
            trace.take(change)
            if not trace.waiting:
                return trace.found
        stderr = pipe(process.stderr).read()
        if process.wait() != 0:
            raise failure(Answer("log", process.returncode, b"", stderr))
        return trace.found
    finally:
        end(process)


@dataclass(slots=True)
class _Change:
    """One commit, with the files in which it differs from each of its parents, where it does.

    A root differs from a parent without a name.
    """

    commit: str
    parents: tuple[str, ...]
    requester: Requester
    differing: dict[str, set[str]] = field(default_factory=dict)

    @property
    def is_clear(self) -> bool:
        """Whether Git compared it with no other parents than those that its header names."""
        return self.differing.keys() <= set(self.parents or ("",))


@dataclass(slots=True)
class _Trace:
    """Files on their way back through the history: `waiting` has them by the commit to ask next."""

    boundary: frozenset[str]
    waiting: dict[str, set[str]]
    found: dict[str, Requester] = field(default_factory=dict)
    known: dict[str, _Change] = field(default_factory=dict)

    def take(self, change: _Change) -> None:
        """Take the next commit of the walk; a skewed clock may have it come before a child."""
        self.known[change.commit] = change
        reached = [change.commit] if change.commit in self.waiting else []
        while reached:
            commit = reached.pop()
            parents = self._pass(self.known[commit], self.waiting.pop(commit))
            reached += [parent for parent in parents if parent in self.known]

    def _pass(self, change: _Change, paths: set[str]) -> Iterator[str]:
        """Hand files on to the parents that have them alike, and settle the others."""
        if change.commit in self.boundary:
            return
        if not change.is_clear:
            self.found |= dict.fromkeys(paths, _NOBODY)
            return
        for parent in change.parents:
            alike = paths - change.differing.get(parent, set())
            if alike:
                self.waiting.setdefault(parent, set()).update(alike)
                paths = paths - alike
                yield parent
        self.found |= dict.fromkeys(paths, change.requester)


def _changes(process: Popen[bytes]) -> Iterator[_Change]:
    """Yield the commits of a log; a merge is told parent by parent, and comes as one."""
    last: _Change | None = None
    for head, paths in _records(process):
        change = _change(head)
        if change is None:
            continue
        if last is not None and last.commit == change.commit:
            change.differing = last.differing
        elif last is not None:
            yield last
        match = _HEAD.match(head)
        origin = match[2] if match else None
        parent = origin or (change.parents[0] if len(change.parents) == 1 else "")
        if paths:
            change.differing.setdefault(parent, set()).update(paths)
        last = change
    if last is not None:
        yield last


def _change(head: str) -> _Change | None:
    match = _HEAD.match(head)
    if match is None:
        return None
    lines = head[match.end() :].partition("\n\n")[0].split("\n")
    # As Git has it: a parent stands right after the tree, and what looks like one below is none.
    parents = takewhile(lambda line: line.startswith(_PARENT), lines[1:])
    return _Change(
        match[1], tuple(line.removeprefix(_PARENT) for line in parents), _requester(lines)
    )


def _requester(lines: list[str]) -> Requester:
    """Return who made the commit of a header; nobody, where it names two in one role."""
    authors = [line for line in lines if line.startswith("author ")]
    committers = [line for line in lines if line.startswith("committer ")]
    if len(authors) > 1 or len(committers) > 1:
        return _NOBODY
    return Requester(_address(authors), _address(committers))


def _address(lines: list[str]) -> str:
    person = _PERSON.fullmatch(lines[0]) if lines else None
    return person[1] if person else ""


def _records(process: Popen[bytes]) -> Iterator[tuple[str, list[str]]]:
    """Yield each record's head (with its message, indented) and the paths that it names."""
    head, paths, is_path = "", list[str](), False
    for chunk in _chunks(process):
        if is_path:
            paths.append(chunk)
            is_path = False
            continue
        if chunk.startswith("commit "):
            if head:
                yield head, paths
            head, paths = chunk, []
        # What a message says is indented, so that only a difference begins with a colon.
        is_path = chunk.startswith(":") or "\n\n:" in chunk
    if head:
        yield head, paths


def _chunks(process: Popen[bytes]) -> Iterator[str]:
    rest = b""
    while block := pipe(process.stdout).read(_BLOCK):
        *whole, rest = (rest + block).split(b"\0")
        yield from map(as_text, whole)
    if rest:
        yield as_text(rest)


def _boundary(git: Git) -> frozenset[str]:
    """Return the commits of a shallow clone whose parents it does not have."""
    path = as_text(git.ask("rev-parse", "--git-path", "shallow")).removesuffix("\n")
    file = Path(git.directory, path)
    return frozenset(file.read_text("ascii").split()) if file.is_file() else frozenset()
