"""Work of the local branch that origin lacks: signatures that were made without a network.

What an offline ceremony records is on the local branch alone. Once origin has gone on, it cannot be
pushed, and a rebase would collide in the ledger. So its events are written again, segment by
segment, upon origin's tip (`gitca.reconcile.carry_over` decides which), and the local branch is
brought there; `refs/gitca/carried/` keeps what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gitca.errors import ContradictionError, UsageError
from gitca.git.blobs import blob_id_of
from gitca.git.history import documents_tip
from gitca.git.message import commit_message, statement
from gitca.git.process import Git
from gitca.git.repository import ORIGIN
from gitca.git.snapshot import Snapshot
from gitca.git.store import DOCUMENT_FOLDERS, ORDERS_FOLDER, Store
from gitca.git.worktree import Outcome
from gitca.ledger.events import Event
from gitca.ledger.image import ISSUED_FOLDER
from gitca.ledger.segment import LEDGER_FOLDER, Segment, SegmentHead, parse_segment, render_segment
from gitca.ledger.state import LedgerState

CARRIED = "refs/gitca/carried"
_NAMED = 3


@dataclass(frozen=True, slots=True)
class LocalWork:
    """The segments that the local branch has and origin lacks, and the other way round.

    `commit` is the local branch, `tip` origin's, `base` where they part.
    """

    commit: str
    base: str | None
    tip: str | None
    segments: tuple[Segment, ...]
    theirs: tuple[Segment, ...]

    @property
    def fits(self) -> bool:
        """Whether origin has nothing that the local branch lacks, so that it takes it as it is."""
        return self.base == self.tip


@dataclass(frozen=True, slots=True)
class Planting:
    """The events of one segment as they follow upon origin's tip, and what they change."""

    events: tuple[Event, ...]
    changes: Mapping[str, bytes | None]


def begin_locally(store: Store) -> None:
    """Let the store work on the local branches, made from origin's where a clone has none yet.

    Raises: UsageError where this clone has commits of origin's that its own branch lacks.
    """
    repository = store.repository
    for branch in dict.fromkeys((store.branches.documents, store.branches.issued)):
        known = repository.resolve(f"refs/remotes/{ORIGIN}/{branch}")
        local = repository.local_branch(branch)
        if known is None or local == known:
            continue
        if local is None:
            repository.check_held_here(branch)  # it may be unborn there
            repository.advance(branch, known, None)
        elif repository.is_ancestor(local, known):
            raise UsageError(
                f"the local branch {branch} is behind {ORIGIN}/{branch}, which this clone has",
                remedy=f"git switch {branch} && git merge --ff-only {ORIGIN}/{branch}",
            )
    store.work_locally()


def published_source(store: Store, snapshot: Snapshot) -> str:
    """Return a commit with the snapshot's documents that origin has, as far as this clone knows.

    An order names its source commit. One that only the local branch has would be in nobody's
    history once the order is carried over.
    """
    repository, branch = store.repository, store.branches.documents
    known = repository.resolve(f"refs/remotes/{ORIGIN}/{branch}")
    base = repository.merge_base(known, snapshot.source) if known else None
    if base is None or store.entries(base, *DOCUMENT_FOLDERS) != snapshot.entries:
        return snapshot.source
    return base


def may_order_first_crl(store: Store, ca: str) -> bool:
    """Whether no reconcile can have ordered a root's first CRL unknown to this clone.

    Once origin has the root's certificate, every run there orders its first CRL, and two orders of
    one number cannot stand beside each other.
    """
    known = store.repository.resolve(f"refs/remotes/{ORIGIN}/{store.branches.issued}")
    if not store.is_local or known is None:
        return True
    return ledger_of(store, known).authority(ca).certificate is None


def find_local_work(store: Store, tip: str | None) -> LocalWork | None:
    """Return what the local branch's ledger has and origin's lacks; None where that is nothing.

    Raises: UsageError where the local branch has more than that: it is for a person to push.
    ContradictionError where it changed the ledger that both had.
    """
    repository, branch = store.repository, store.branches.issued
    local = repository.local_branch(branch)
    if local is None or local == tip or (tip and repository.is_ancestor(local, tip)):
        return None
    base = repository.merge_base(local, tip) if tip else None
    shared, ours, theirs = (_segments(store, commit) for commit in (base, local, tip))
    if ours == shared:
        return None
    if ours[: len(shared)] != shared or theirs[: len(shared)] != shared:
        raise ContradictionError(
            f"the local branch {branch} ({local[:12]}) changed segments of the ledger that"
            f" {ORIGIN} has, too",
            remedy=f"find what changed them (git log {local[:12]} -- {LEDGER_FOLDER})",
        )
    _check_nothing_else(store, branch, base, local)
    return LocalWork(
        commit=local,
        base=base,
        tip=tip,
        segments=_read(store, ours[len(shared) :]),
        theirs=_read(store, theirs[len(shared) :]),
    )


def ledger_of(store: Store, commit: str | None) -> LedgerState:
    """Return the fold of a commit's ledger, apart from the store's own. Raises: as `load`."""
    state = LedgerState()
    for segment in _read(store, _segments(store, commit)):
        state.apply(segment)
    return state


def plant(store: Store, work: LocalWork, plantings: Sequence[Planting], now: datetime) -> str:
    """Return the last of the commits that add these segments to origin's tip; nothing is pushed.

    One segment a commit, as they were made: an order's commit comes before its signature's. Raises:
    UsageError where `settle` could not move the local branch, before anything is pushed.
    """
    store.repository.check_held_here(store.branches.issued)
    if work.tip is None:
        raise ContradictionError(f"{ORIGIN} has no branch {store.branches.issued} any more")
    head, parent = _head(store, work.tip), work.tip
    remark = f"Carried over from {work.commit}."
    documents = documents_tip(store.repository, store.branches) if store.is_parted else None
    for planting in plantings:
        path, data = render_segment(head, planting.events)
        parent = store.repository.commit(
            parent,
            changes={**planting.changes, path: data},
            message=commit_message(
                planting.events,
                statement(path, blob_id_of(parent)(data)),
                documents=documents,
                remark=remark,
            ),
            author=store.committer,
            when=now,
        )
        head = parse_segment(path, data).head
    return parent


def pending_paths(store: Store, commit: str | None) -> dict[str, str]:
    """Return the blobs of a commit below `issued/orders/`, by path."""
    return _listed(store, commit, ORDERS_FOLDER)


def settle(store: Store, work: LocalWork, new: str) -> Outcome | None:
    """Bring the local branch from what was carried over to origin's tip, and the files along.

    What it was stays reachable. Safe to repeat; raises LostRaceError where the branch moved.
    """
    if new != work.commit:
        ref = f"{CARRIED}/{work.commit}"
        git = Git(store.repository.root)
        git.ask("update-ref", "--no-deref", "--end-of-options", ref, work.commit)
        store.shown.advance(new, work.commit)
    store.tip = new
    return store.bring_forward()


def changes_issued_alone(store: Store, work: LocalWork) -> bool:
    """Whether no commit of the local branch that origin lacks changes a file out of `issued/`.

    One that does, and one after it that takes the change back, would make documents that nobody
    reviewed a part of origin's history.
    """
    options = ("-m", "--no-renames", "--format=", "--name-only", "-z", "--end-of-options")
    known = (f"^{work.tip}",) if work.tip else ()
    listed = Git(store.repository.root).ask("log", *options, work.commit, *known)
    paths = filter(None, (path.strip(b"\n") for path in listed.split(b"\0")))
    return all(path.startswith(f"{ISSUED_FOLDER}/".encode()) for path in paths)


def _head(store: Store, commit: str) -> SegmentHead:
    last = _segments(store, commit)[-1:]
    return _read(store, last)[0].head if last else SegmentHead()


def _segments(store: Store, commit: str | None) -> list[tuple[str, str]]:
    return list(_listed(store, commit, LEDGER_FOLDER).items())


def _listed(store: Store, commit: str | None, folder: str) -> dict[str, str]:
    entries = store.entries(commit, folder) if commit else ()
    return {entry.path: entry.blob for entry in entries}


def _read(store: Store, segments: Sequence[tuple[str, str]]) -> tuple[Segment, ...]:
    blobs = store.read_segments([blob for _, blob in segments])
    return tuple(parse_segment(path, data) for (path, _), data in zip(segments, blobs, strict=True))


def _check_nothing_else(store: Store, branch: str, base: str | None, local: str) -> None:
    before = set(store.entries(base)) if base else set()
    changed = {entry.path for entry in before ^ set(store.entries(local))}
    others = sorted(path for path in changed if not path.startswith(f"{ISSUED_FOLDER}/"))
    if others:
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        raise UsageError(
            f"the local branch {branch} holds signatures that {ORIGIN} lacks, and changes of"
            f" {', '.join(others[:_NAMED])}{more}, too",
            remedy=f"let {ORIGIN} have these changes first (a pull request, or a commit of theirs"
            f" on a branch from {ORIGIN}/{branch}), take them out of this branch, and run again",
        )
