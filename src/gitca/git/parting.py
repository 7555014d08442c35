"""Whether a run works on the branches that the documents name, and these hold the whole ledger.

`Repository.spec.issuedBranch` gives `issued/` a branch of its own. A document that names another
one, or none any more, would let gitca begin an empty ledger beside the one that there is: every CA
would be made anew, on the same key, with serial and CRL numbers from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitca.documents.load import REPOSITORY_PATH, TreeEntry, load_governing
from gitca.documents.repository import RepositorySpec
from gitca.errors import (
    BackendUnavailableError,
    ContradictionError,
    GitcaError,
    LostRaceError,
    UsageError,
)
from gitca.git.refs import branch_ref
from gitca.git.repository import ORIGIN, GitRepository
from gitca.git.snapshot import Branches, Snapshot
from gitca.ledger.segment import LEDGER_FOLDER

HOW = "docs/operations.md, 'Moving issued/ to a branch of its own', has the commands"


def no_documents(branches: Branches, *, has_ledger: bool) -> GitcaError:
    """Return the error that there is no branch to read documents from.

    On the first day it was not pushed yet; where there is a ledger it was deleted.
    """
    message = f"the branch {branches.documents} does not exist"
    if has_ledger:
        return ContradictionError(
            f"{message}, and {branches.issued} has a ledger that was made from it",
            remedy="nothing was signed; push it again from a clone that has it",
        )
    return UsageError(
        message, remedy="commit the documents to it (and push it, where there is a remote)"
    )


@dataclass(frozen=True, slots=True)
class Parting:
    """Holds branches against the documents; `read` returns the bytes of a document's blob."""

    repository: GitRepository
    branches: Branches
    read: Callable[[str], bytes]

    def check(self, snapshot: Snapshot, segments: Mapping[str, str], *, locally: bool) -> None:
        """Raise where a run must not go on from what it loaded; see the three checks below.

        `segments` are the ledger's blobs by path; `locally` looks at this clone's branches alone.
        Raises: LostRaceError, ContradictionError, BackendUnavailableError.
        """
        self.check_named(snapshot.entries)
        self.check_whole(snapshot, segments, locally=locally)
        self.check_documents(snapshot)

    def check_named(self, entries: Sequence[TreeEntry]) -> None:
        """Raise LostRaceError where the documents name other branches than the run began with.

        `entries` are the files of the documents' commit. A document that cannot be read names
        nothing, and is found by whoever plans.
        """
        blob = next((item.blob for item in entries if item.path == REPOSITORY_PATH), None)
        spec = self._spec(blob)
        if spec is None:
            return
        named = Branches(spec.branch, spec.issued_branch or spec.branch)
        if named != self.branches:
            raise LostRaceError(
                f"{REPOSITORY_PATH} of {self.branches.documents} names the branches"
                f" {named.documents} (documents) and {named.issued} (issued/) by now; this run"
                f" began with {self.branches.documents} and {self.branches.issued}",
                remedy="nothing was ordered or signed; run again",
            )

    def check_whole(
        self, snapshot: Snapshot, segments: Mapping[str, str], *, locally: bool
    ) -> None:
        """Raise ContradictionError where another branch has segments that the ledger lacks.

        Looked at are the documents' branch, and, while the ledger is empty, every branch that
        ca/repository.yaml ever named. `segments` are the ledger's blobs by path. Raises:
        BackendUnavailableError where the clone is shallow and the ledger empty.
        """
        places = dict(self._places(snapshot.source, is_begun=bool(segments), locally=locally))
        for branch, commit in places.items():
            theirs = self.repository.tree(commit, LEDGER_FOLDER)
            lacking = [item.path for item in theirs if segments.get(item.path) != item.blob]
            if lacking:
                raise ContradictionError(
                    f"the branch {branch} has {len(lacking)} segments of the ledger that"
                    f" {self.branches.issued}, which {REPOSITORY_PATH} names for issued/, lacks;"
                    f" {lacking[0]} is the first",
                    remedy=f"nothing was signed; bring them there, or name {branch}: {HOW}",
                )

    def check_documents(self, snapshot: Snapshot) -> None:
        """Raise ContradictionError where the documents lost a commit that an order was made upon.

        Where documents and `issued/` share a branch, the ledger would be lost with it. A shallow
        clone that cannot tell says nothing.
        """
        if self.branches.issued == self.branches.documents or not snapshot.state.orders:
            return
        newest = next(reversed(snapshot.state.orders.values())).ordered
        try:
            is_there = self.repository.has_in_history(newest.source, snapshot.source)
        except BackendUnavailableError:
            return
        if not is_there:
            branch, source = self.branches.documents, newest.source
            raise ContradictionError(
                f"order {newest.order} was made upon commit {source[:12]}, which is"
                f" not in the history of the documents' branch {branch}: that was rewound or"
                " rewritten, or gitca did not make the order",
                remedy=f"nothing was signed; if {branch} had the commit, put it back"
                f" (git push {ORIGIN} {source[:12]}:{branch_ref(branch)}, forced where it was"
                " rewritten); else find who pushed the order",
            )

    def _places(self, source: str, *, is_begun: bool, locally: bool) -> Iterator[tuple[str, str]]:
        if self.branches.issued != self.branches.documents:
            yield self.branches.documents, source
        if is_begun:
            return
        if self.repository.is_shallow():
            raise BackendUnavailableError(
                "this clone is shallow, and whether another branch has the ledger cannot be told",
                remedy="the first run needs the whole history: git fetch --unshallow",
            )
        names = sorted(self._ever_named(source) - {self.branches.issued, self.branches.documents})
        known = self.repository.remote_tips(*names) if names and not locally else names
        for name in known:
            find = self.repository.local_branch if locally else self.repository.fetch
            commit = find(name)
            if commit is not None:
                yield name, commit

    def _ever_named(self, source: str) -> set[str]:
        """Return the branches that any version of ca/repository.yaml gave to anything."""
        names: set[str] = set()
        changes = self.repository.past.last_changes(source, REPOSITORY_PATH)
        for blob in {change.after for change in changes} - {None}:
            spec = self._spec(blob)
            if spec is not None:
                names |= {spec.branch, *filter(None, [spec.issued_branch])}
        return names

    def _spec(self, blob: str | None) -> RepositorySpec | None:
        entries = [TreeEntry(REPOSITORY_PATH, "100644", blob)] if blob else []
        governing = load_governing(entries, self.read)
        return None if REPOSITORY_PATH in governing.broken else governing.repository.spec
