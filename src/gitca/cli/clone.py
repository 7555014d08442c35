"""A clone as it stands: the ledger and the documents of a commit, without key and network."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from gitca.documents.load import (
    REPOSITORY_PATH,
    Governing,
    TreeEntry,
    load_governing,
    request_paths,
)
from gitca.errors import BackendUnavailableError, GitcaError, UsageError
from gitca.findings import Finding
from gitca.git.history import newest_known
from gitca.git.objects import BlobTooLargeError
from gitca.git.repository import ORIGIN, GitRepository, Identity
from gitca.git.store import DOCUMENT_FOLDERS, LARGEST_DOCUMENT, Branches, Snapshot, Store
from gitca.ledger.state import LedgerState
from gitca.plan.change import GOVERNING, changed_paths, governed_by, judge_change
from gitca.plan.what_if import Standing, WhatIf, what_if

_FOLDERS = (*DOCUMENT_FOLDERS, "issued")


@dataclass(frozen=True, slots=True)
class Clone:
    """One commit of a clone, read: its documents, and the ledger that goes with them."""

    repository: GitRepository
    store: Store
    snapshot: Snapshot
    governing: Governing

    @property
    def state(self) -> LedgerState:
        """The fold of the ledger."""
        return self.snapshot.state

    @property
    def entries(self) -> tuple[TreeEntry, ...]:
        """The files below `ca/`, `policies/` and `requests/`."""
        return self.snapshot.entries

    def what_if(self, proposed: Governing, now: datetime) -> WhatIf:
        """Return what other CAs and policies would do to this commit's requests."""
        standing = Standing(
            entries=self.entries,
            read=self.store.read,
            state=self.state,
            now=now,
            read_requesters=self.store.requesters(self.snapshot.source),
        )
        return what_if(standing, self.governing, proposed)


@contextmanager
def open_clone(folder: Path, revision: str = "HEAD") -> Iterator[Clone]:
    """Read a commit and its ledger. Raises: UsageError, ContradictionError."""
    with GitRepository.open(folder) as repository:
        source = _commit(repository, revision)
        governing = _governing(repository, source)
        store, branches = _store(repository, governing)
        tip = _tip(repository, branches, source)
        yield Clone(repository, store, store.at(source, tip), governing)


def check_authority(governing: Governing, name: str, *, also: Collection[str] = ()) -> None:
    """Check that there is such a CA, sound or not. Raises: UsageError."""
    known = {*governing.authorities, *also}
    if name not in known and f"ca/{name}.yaml" not in governing.broken:
        raise UsageError(
            f"there is no CA {name!r}; there are {', '.join(sorted(known)) or 'none'}",
            remedy="a CA is named after its document in ca/",
        )


@dataclass(frozen=True, slots=True)
class Change:
    """HEAD as a pull request upon a base, and what was found in what it touches.

    The clone's documents are the head's requests under the base's CAs and policies; its ledger is
    the base's. `proposed` are the head's CAs and policies where it changes them, `standing` the
    names of the base's requests.
    """

    clone: Clone
    findings: tuple[Finding, ...]
    proposed: Governing | None
    standing: Collection[str] = ()


@contextmanager
def open_change(folder: Path, base: str) -> Iterator[Change]:
    """Read HEAD as a pull request upon a commit. Raises: UsageError, ContradictionError."""
    with open_clone(folder, base) as clone:
        repository, store = clone.repository, clone.store
        head, below = _commit(repository, "HEAD"), clone.snapshot.source
        fork = repository.merge_base(below, head)
        if fork is None:
            raise UsageError(
                f"HEAD and {base} have no common history here",
                remedy="fetch the whole history (git fetch --unshallow)",
            )
        before, after = store.entries(fork, *_FOLDERS), store.entries(head, *_FOLDERS)
        changed = changed_paths(before, after)
        entries = governed_by(clone.entries, after)
        snapshot = replace(clone.snapshot, source=head, entries=entries)
        governs = any(path.startswith(GOVERNING) for path in changed)
        proposed = load_governing(after, store.read) if governs else None
        known = frozenset(clone.governing.findings)
        new = (finding for finding in proposed.findings if finding not in known) if proposed else ()
        yield Change(
            clone=replace(clone, snapshot=snapshot),
            findings=(*judge_change(before, after, is_parted=store.is_parted), *new),
            proposed=proposed,
            standing=request_paths(clone.entries).keys(),
        )


@contextmanager
def open_repository(folder: Path) -> Iterator[tuple[Store, str]]:
    """Give a store to read with, and the commit whose `issued/` goes with the checked-out one.

    The ledger is not read. Raises: UsageError.
    """
    with GitRepository.open(folder) as repository:
        source = _commit(repository, "HEAD")
        governing = _governing(repository, source)
        store, branches = _store(repository, governing)
        yield store, _tip(repository, branches, source) or source


@contextmanager
def open_store(folder: Path) -> Iterator[Store]:
    """Give the store that a reconcile writes to.

    Which branch that is, ca/repository.yaml says: as origin's default branch has it, or else the
    branch main. A pull request that is checked out here cannot name itself as the branch to obey
    (I8). Raises: UsageError; GitcaError when ca/repository.yaml is broken.
    """
    with GitRepository.open(folder) as repository:
        commit = _trusted(repository)
        governing = _governing(repository, commit)
        if REPOSITORY_PATH in governing.broken:
            # Which branch to obey is not known: nothing is done rather than something elsewhere.
            told = [item for item in governing.findings if item.location.file == REPOSITORY_PATH]
            raise GitcaError("; ".join(map(str, told)), remedy="nothing was done")
        store, _ = _store(repository, governing)
        yield store


def _trusted(repository: GitRepository) -> str:
    main = "refs/heads/main" if repository.remote() is None else f"refs/remotes/{ORIGIN}/main"
    for ref in (f"refs/remotes/{ORIGIN}/HEAD", main, "HEAD"):
        commit = repository.resolve(ref)
        if commit is not None:
            return commit
    raise UsageError("this repository has no commit yet", remedy="commit the documents first")


def _store(repository: GitRepository, governing: Governing) -> tuple[Store, Branches]:
    spec = governing.repository.spec
    branches = Branches(spec.branch, spec.issued_branch or spec.branch)
    committer = Identity(spec.committer.name, spec.committer.email)
    return Store(repository, branches, committer), branches


def _commit(repository: GitRepository, revision: str) -> str:
    commit = repository.resolve(revision)
    if commit is None:
        remedy = "commit the documents first" if revision == "HEAD" else "git fetch, and look again"
        raise UsageError(f"there is no commit {revision!r}", remedy=remedy)
    return commit


def _tip(repository: GitRepository, branches: Branches, source: str) -> str | None:
    """The commit of `issued/`: `source` itself, or its own branch as this clone knows it.

    None where nothing was issued yet. Raises: UsageError where that branch is not in this clone,
    BackendUnavailableError where origin does not tell whether there is one.
    """
    branch = branches.issued
    if branch == branches.documents:
        return source
    tip = newest_known(repository, branch)
    if tip is None and repository.remote() is not None:
        _check_none_at_origin(repository, branch)
    return tip


def _check_none_at_origin(repository: GitRepository, branch: str) -> None:
    """Raise unless origin has no such branch. With an empty ledger all would be planned anew."""
    fetch = f"git fetch {ORIGIN} {branch}:refs/remotes/{ORIGIN}/{branch}"
    try:
        tips = repository.remote_tips(branch)
    except BackendUnavailableError as error:
        raise BackendUnavailableError(
            f"this clone has no branch {branch}, where {REPOSITORY_PATH} has issued/, and whether"
            f" {ORIGIN} has one cannot be told: {error.message}",
            remedy=f"{fetch}, where {ORIGIN} answers",
        ) from error
    if branch in tips:
        raise UsageError(
            f"this clone has not fetched the branch {branch}, where {REPOSITORY_PATH} has issued/",
            remedy=f"{fetch} (in CI: fetch all branches, with their history)",
        )


def _governing(repository: GitRepository, commit: str) -> Governing:
    def read(blob: str) -> bytes:
        try:
            return repository.read(blob, size_limit=LARGEST_DOCUMENT)
        except BlobTooLargeError:
            # Zeros that the parser finds too large, and reports at the document.
            return bytes(LARGEST_DOCUMENT + 1)

    return load_governing(repository.tree(commit, "ca", "policies"), read)
