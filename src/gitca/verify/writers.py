"""Who wrote `issued/`: every commit that touched it, held against what gitca alone does.

The trees of `issued/` over the history are one line. A commit has the tree of its parent (of
several, the one furthest along), or it takes one step: it is the reconciler's by its committer,
touches nothing outside of `issued/`, and adds the next segment of the ledger. A commit that does
anything else is a stray, and so are all upon it until somebody puts back what was there.

Git proves no committer: whoever can push can write the name. What a commit holds is proved by the
replay; the name tells accidents, and forgeries by those who did not know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gitca.documents.load import REPOSITORY_PATH
from gitca.git.lineage import Ancestor, Past
from gitca.git.log import FileChange
from gitca.ledger.image import ISSUED_FOLDER
from gitca.ledger.segment import LEDGER_FOLDER, segment_path
from gitca.verify.report import Contradiction

PLACEHOLDER = f"{ISSUED_FOLDER}/.gitkeep"
"""The one file under issued/ that the ledger need not explain; it must be empty."""
ORDERS = f"{ISSUED_FOLDER}/orders/"
FILE_MODE = "100644"

IdentityOf = Callable[[str | None], str]
"""The blob of a commit's ca/repository.yaml (None: it has none) to who gitca commits as there."""
Delta = Mapping[str, str | None]
"""Paths below issued/ to the blob that comes to lie there; None for one that goes."""


@dataclass(frozen=True, slots=True)
class Step:
    """A commit of the reconciler: the segment it added, and the digest of all that it changed."""

    ancestor: Ancestor
    number: int
    segment: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Stray:
    """A commit that touched issued/ as gitca does not, and where its parent stood."""

    ancestor: Ancestor
    path: str
    problem: str
    good: str
    number: int


@dataclass(slots=True)
class Writers:
    """What the history of issued/ is made of.

    `steps` by segment number, of the tip's line; `strays` of the tip, first first, `mended` those
    that a later commit made good; `order_blobs` the file of each order that a step recorded.
    """

    steps: dict[int, Step] = field(default_factory=dict)
    strays: tuple[Stray, ...] = ()
    mended: dict[str, Stray] = field(default_factory=dict)
    order_blobs: dict[str, str] = field(default_factory=dict)
    number: int = 0


@dataclass(frozen=True, slots=True)
class _State:
    """Where the line stands at a commit: its last good tree, and the strays since."""

    tree: str | None = None
    good_tree: str | None = None
    number: int = 0
    at: str = ""
    strays: tuple[Stray, ...] = ()
    who: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Change:
    """What a commit changed, who gitca commits as there, and the tip's segments."""

    files: Sequence[FileChange]
    who: frozenset[str]
    segments: Sequence[str]


def delta_digest(delta: Delta) -> bytes:
    """Return the digest of a change of issued/; of orders' files the path alone counts."""
    digest = hashlib.sha256()
    for path in sorted(delta):
        blob = delta[path]
        known = "" if blob is None or path.startswith(ORDERS) else blob
        digest.update(f"{path}\0{blob is not None}\0{known}\n".encode("utf-8", "surrogateescape"))
    return digest.digest()


def delta_of(changes: Sequence[FileChange]) -> dict[str, str | None]:
    """Return what a commit did below issued/, without the placeholder and the segment's mode."""
    return {
        change.path: change.after
        for change in changes
        if change.path.startswith(f"{ISSUED_FOLDER}/") and change.path != PLACEHOLDER
    }


@dataclass(slots=True)
class Walk:
    """The walk over a history. `boundary` gives the segments of commits that it starts from.

    A run may have read the committer's name just before it changed, so that of the step before
    counts too; and so do those in `also`, where documents have a branch of their own.
    """

    past: Past
    identity_of: IdentityOf
    also: frozenset[str]
    boundary: Mapping[str, int]
    empty_blob: str
    writers: Writers = field(default_factory=Writers)
    _states: dict[str, _State] = field(default_factory=dict)
    _before: dict[str | None, tuple[int, str | None]] = field(default_factory=dict)

    def over(self, ancestors: Sequence[Ancestor], tip: str, segments: Sequence[str]) -> Writers:
        """Return who wrote issued/; `segments` are the blobs of the tip's segments, in order."""
        trees = {item.commit: item.folder for item in ancestors}
        outside = {parent for item in ancestors for parent in item.parents} - trees.keys()
        self._begin(sorted(outside), trees)
        asked = [item for item in ancestors if self._may_step(item, trees)]
        changes = self.past.changes_of([item.commit for item in asked])
        stepping = dict(
            zip(
                (item.commit for item in asked),
                self.past.objects_at((item.commit for item in asked), REPOSITORY_PATH),
                strict=True,
            )
        )
        for item in ancestors:
            if item.commit in self._states:
                continue
            if item.commit in stepping:
                who = frozenset({self.identity_of(stepping[item.commit])})
                step = _Change(next(changes), who, segments)
            else:
                step = None
            self._states[item.commit] = self._after(item, step)
        state = self._states[tip]
        self.writers.strays, self.writers.number = state.strays, state.number
        return self.writers

    def _begin(self, outside: Sequence[str], trees: dict[str, str | None]) -> None:
        starts = dict.fromkeys(outside, 0) | dict(self.boundary)
        folders = self.past.objects_at(starts, ISSUED_FOLDER)
        for (commit, number), tree in zip(starts.items(), folders, strict=True):
            trees[commit] = tree
            self._states[commit] = _State(tree, tree, number, commit)
            self._before.setdefault(tree, (number, None))

    def _may_step(self, item: Ancestor, trees: Mapping[str, str | None]) -> bool:
        if item.commit in self._states or len(item.parents) > 1:
            return False
        return item.folder != (trees[item.parents[0]] if item.parents else None)

    def _after(self, item: Ancestor, step: _Change | None) -> _State:
        parents = [self._states[parent] for parent in item.parents] or [_State()]
        best = max(parents, key=lambda state: (state.number, state.good_tree == item.folder))
        if item.folder == best.good_tree:
            if all(self._is_behind(other, best) for other in parents):
                self.writers.mended |= {stray.ancestor.commit: stray for stray in best.strays}
                return _State(best.good_tree, best.good_tree, best.number, best.at, (), best.who)
            return self._stray(item, best, LEDGER_FOLDER, "it merges two different ledgers")
        kept = next((state for state in parents if state.tree == item.folder), None)
        if kept is not None and kept.strays:
            return kept
        if step is None:
            problem = "it is a merge, and has another issued/ than the further one of its parents"
            return self._stray(item, best, ISSUED_FOLDER, problem)
        return self._step(item, step, best)

    def _is_behind(self, other: _State, best: _State) -> bool:
        """Whether the line of one parent is the beginning of another's."""
        tree: str | None = best.good_tree
        while tree != other.good_tree:
            number, before = self._before.get(tree, (0, None))
            if number <= other.number or before == tree:
                # Older than what is walked over is what an earlier verification has seen.
                return other.number == 0
            tree = before
        return True

    def _step(self, item: Ancestor, step: _Change, best: _State) -> _State:
        rest = [change for change in step.files if not self._is_placeholder(change)]
        if not delta_of(rest):
            # The placeholder alone, as `gitca init` or a person put it there.
            self._before.setdefault(item.folder, (best.number, best.good_tree))
            return _State(item.folder, item.folder, best.number, item.commit, (), best.who)
        number, who = best.number + 1, step.who
        allowed = who | best.who | self.also
        path, problem = next(_problems(item, rest, number, allowed), ("", ""))
        if problem or best.strays:
            reason = problem or "it was made upon a commit that gitca did not make"
            return self._stray(item, best, path or rest[0].path, reason)
        added = {change.path: change.after or "" for change in rest}
        segment = added[segment_path(number)]
        if number <= len(step.segments) and step.segments[number - 1] == segment:
            self._take(item, rest, number, segment)
        self._before[item.folder] = (number, best.good_tree)
        return _State(item.folder, item.folder, number, item.commit, (), who)

    def _take(
        self, item: Ancestor, changes: Sequence[FileChange], number: int, segment: str
    ) -> None:
        self.writers.steps[number] = Step(item, number, segment, delta_digest(delta_of(changes)))
        self.writers.order_blobs |= {
            change.path: change.after
            for change in changes
            if change.after is not None and change.path.startswith(ORDERS)
        }

    def _is_placeholder(self, change: FileChange) -> bool:
        blobs = {change.before, change.after} - {None}
        return change.path == PLACEHOLDER and blobs == {self.empty_blob}

    def _stray(self, item: Ancestor, best: _State, path: str, problem: str) -> _State:
        stray = Stray(item, path, problem, best.at, best.number)
        strays = (*best.strays, stray)
        return _State(item.folder, best.good_tree, best.number, best.at, strays, best.who)


def _problems(
    item: Ancestor, changes: Sequence[FileChange], number: int, allowed: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Yield what a commit does that a step would not, each with the file it is about."""
    expected = segment_path(number)
    for change in changes:
        is_segment = change.path.startswith(f"{LEDGER_FOLDER}/")
        if is_segment and change.before is not None:
            verb = "changed" if change.after else "took away"
            yield change.path, f"it {verb} a segment of the ledger, which only grows"
        elif is_segment and change.path != expected:
            yield change.path, f"it added a file that is not the next segment, {expected}"
    for change in changes:
        if change.after is not None and change.mode != FILE_MODE:
            yield change.path, f"it gave a file the mode {change.mode} (100644 is gitca's)"
    if expected not in {change.path for change in changes}:
        path = next((c.path for c in changes if c.path.startswith(f"{ISSUED_FOLDER}/")), "")
        yield path, "it changed issued/ and recorded nothing in the ledger"
    for change in changes:
        if not change.path.startswith(f"{ISSUED_FOLDER}/"):
            yield change.path, f"it changed issued/ and {change.path} in one commit"
    if item.who not in allowed:
        names = " or ".join(sorted(allowed))
        yield expected, f"its committer is {item.who}, and gitca commits as {names}"


def found_strays(writers: Writers, segments: int) -> Iterator[Contradiction]:
    """Yield the strays as contradictions, first first."""
    for stray in writers.strays:
        commit, who = stray.ancestor.commit, stray.ancestor.who
        source = f"git restore --source={stray.good[:12]} --staged --worktree issued"
        remedy = "look at it with git show; a change that gitca did not make is put back by"
        yield Contradiction(
            "I10" if stray.path.startswith(LEDGER_FOLDER) else "I8",
            stray.path,
            f"commit {commit[:12]} by {who} touched issued/: {stray.problem}",
            f"{remedy} {source if stray.good else 'git rm -r issued'}, git commit and git push",
            commit,
            stray.number + 1,
        )
    if not writers.strays and writers.number != segments:
        message = f"the history added {writers.number} segments, and {segments} are there"
        yield Contradiction("I10", LEDGER_FOLDER, message, "run git fsck; compare another clone")


def mended_strays(writers: Writers) -> list[str]:
    """Return the strays that were made good, in words."""
    return [
        f"commit {stray.ancestor.commit[:12]} by {stray.ancestor.who} touched {stray.path}"
        f" ({stray.problem}); a later commit put it back"
        for stray in writers.mended.values()
    ]
