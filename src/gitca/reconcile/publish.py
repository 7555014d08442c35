"""Publish what a pushed commit holds: step 10 of the recipe, for all targets.

Safe to run at any time, twice at once, and after a run that died anywhere: what is there already is
not sent, nothing is put back to what an earlier commit gives, and a target that fails holds up no
other and is caught up by the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from gitca.documents.directory_uri import SCHEME as DIRECTORY
from gitca.documents.directory_uri import parse_directory_uri
from gitca.documents.load import Governing, load_governing
from gitca.documents.publish_target import PublishTarget
from gitca.errors import BackendUnavailableError, ContradictionError, GitcaError, UsageError
from gitca.git.store import Snapshot, Store
from gitca.publishers import Publisher
from gitca.publishers.manifest import Manifest
from gitca.reconcile.held_manifest import HeldManifest, History, LateError, digest_of
from gitca.reconcile.publication import Publication, read_publication
from gitca.reconcile.published import Published, TargetReport
from gitca.reconcile.sending import AheadError
from gitca.reconcile.target import Progress, TargetRun

RELOADS = 3


@dataclass(frozen=True, slots=True)
class Publishing:
    """How to publish: who opens a target's URI, which targets (by number from 1; None: all).

    `complete` looks at every object at the target instead of trusting the manifest. `concurrency`
    bounds how many objects are under way at once.
    """

    open_publisher: Callable[[str], Publisher]
    selected: frozenset[int] | None = None
    complete: bool = False
    concurrency: int = 32

    def chosen(self, governing: Governing) -> Iterator[tuple[int, PublishTarget]]:
        """Yield the targets of ca/repository.yaml that are to be published to, numbered."""
        for number, target in enumerate(governing.repository.spec.publish, start=1):
            if self.selected is None or number in self.selected:
                yield number, target


@dataclass(frozen=True, slots=True)
class Loaded:
    """A commit as it was loaded, with what its `ca/` and `policies/` say."""

    snapshot: Snapshot
    governing: Governing


def publish(
    store: Store,
    loaded: Loaded,
    *,
    publishing: Publishing,
    clock: Callable[[], datetime],
    progress: Progress = lambda *_: None,
) -> Published:
    """Publish what a commit holds to every target; return what was sent, and what failed.

    Where a target has what a later commit gives, the branch is loaded anew and published: another
    run was faster. Where the branch has no such segment of the ledger, that is a contradiction of
    the target's; a commit of documents that it has not is told of, and what the branch has is
    published.
    Raises: ContradictionError where the ledger contradicts itself.
    """
    result = Published(loaded.snapshot.tip)
    looked_for: frozenset[str] = frozenset()
    for _ in range(RELOADS):
        run = _Run(store, loaded, publishing, progress, looked_for)
        result = _publish(run, clock()).after(result)
        if not any(target.is_ahead for target in result.targets):
            break
        # The state of a store is one value that grows: the number tells whether it has.
        before = loaded.snapshot.state.head.number
        loaded = _load(store)
        strange = _strange_commits(result)
        if not strange and loaded.snapshot.state.head.number == before:
            _contradict(result)
            break
        looked_for |= strange
    return result


@dataclass(frozen=True, slots=True)
class _Run:
    """One attempt at all targets; the branch was loaded after `looked_for` were seen at some."""

    store: Store
    loaded: Loaded
    publishing: Publishing
    progress: Progress
    looked_for: frozenset[str]

    def history(self, publication: Publication, notes: list[str]) -> History:
        commit, source = publication.commit, self.loaded.snapshot.source

        def strange(held: Manifest) -> frozenset[str]:
            pairs = {(held.commit, commit), (held.source or held.commit, source)}
            found = {theirs for theirs, ours in pairs if not self._is_in_history(theirs, ours)}
            for each in sorted(found & self.looked_for):
                note = f"it was published as of commit {each}, which the branch does not have"
                if note not in notes:
                    notes.append(note)
            return frozenset(found - self.looked_for)

        return History(source, strange, lambda number: digest_of(self.store, commit, number))

    def _is_in_history(self, theirs: str, ours: str) -> bool:
        repository = self.store.repository
        if theirs == ours:
            return True
        return repository.resolve(theirs) == theirs and repository.is_ancestor(theirs, ours)


def _strange_commits(result: Published) -> frozenset[str]:
    failures = (error for target in result.targets for error in target.failures)
    return frozenset().union(*(each.commits for each in failures if isinstance(each, LateError)))


def _publish(run: _Run, now: datetime) -> Published:
    store, loaded, publishing = run.store, run.loaded, run.publishing
    result = Published(loaded.snapshot.tip)
    chosen = tuple(publishing.chosen(loaded.governing))
    publication = None
    if chosen:
        publication = read_publication(store, loaded.snapshot, loaded.governing, now)
    if publication is None:
        return result
    result.findings = publication.findings
    with ExitStack() as opened:
        begun = []
        for number, target in chosen:
            report = TargetReport(number, target.to)
            result.targets.append(report)
            with _told_of(report):
                _check_apart(store, loaded.snapshot.source, target.to)
                at_target = _open(run, publication, target, report, opened)
                at_target.send_crls()
                begun.append(at_target)
        # A revocation waits for no certificate, and for no other target.
        for at_target in begun:
            with _told_of(at_target.report):
                at_target.send_rest()
    for report in result.targets:
        report.is_ahead = any(isinstance(error, AheadError) for error in report.failures)
    return result


@contextmanager
def _told_of(report: TargetReport) -> Iterator[None]:
    """Put what fails at a target into its report: it holds up no other."""
    try:
        yield
    except GitcaError as error:
        report.failures.append(error)
    except MemoryError:
        # What a target holds may be as large as whoever writes there likes.
        report.failures.append(
            BackendUnavailableError(
                f"there is too little memory here for what {report.to} holds",
                remedy="see what lies there, or give gitca more memory",
            )
        )


def _check_apart(store: Store, source: str, uri: str) -> None:
    """Refuse a folder of the repository that has files in Git. Raises: UsageError.

    Each checkout would put them back: an earlier CRL into the place of what was published. And
    whoever may push would say what the target holds already.
    """
    path = uri.removeprefix(f"{DIRECTORY}:")
    if path == uri or path.startswith("/"):
        return
    tracked = store.entries(source, parse_directory_uri(uri))
    if tracked:
        raise UsageError(
            f"{uri} is to be published into, and Git has files there ({len(tracked)}, such as "
            f"{tracked[0].path})",
            remedy=f"run git rm -r --cached {parse_directory_uri(uri)}, list it in .gitignore, and "
            "commit that",
        )


def _open(
    run: _Run,
    publication: Publication,
    target: PublishTarget,
    report: TargetReport,
    opened: ExitStack,
) -> TargetRun:
    publisher = opened.enter_context(closing(run.publishing.open_publisher(target.to)))
    manifest = HeldManifest(
        publisher, publication, run.history(publication, report.notes), report.notes
    )
    return TargetRun(
        publication,
        publisher,
        report,
        manifest,
        target.certificates,
        complete=run.publishing.complete,
        concurrency=run.publishing.concurrency,
        progress=run.progress,
    )


def _load(store: Store) -> Loaded:
    snapshot = store.load()
    return Loaded(snapshot, load_governing(snapshot.entries, store.read))


def _contradict(result: Published) -> None:
    """Turn "the target is ahead" into a contradiction: no commit of the branch gives that."""
    for target in result.targets:
        target.failures = [
            ContradictionError(error.message, remedy=error.remedy)
            if isinstance(error, AheadError)
            else error
            for error in target.failures
        ]
