"""The guard at the door of every run: is the branch what this clone, and its ledger, remember?

Four things are looked at before anything is planned, resumed or signed. The remote's tip contains
what this clone saw there (`refs/gitca/seen/<branch>` keeps it): who rewinds a branch cannot make
gitca go on from an older ledger, draw a serial number or a CRL number twice, or forget a
revocation. The segments of the ledger are those that were added, over the history since. Every file
below `issued/` is what the ledger gives. And the newest signatures are those of the CAs' keys, and
nothing is ordered on a key after it was refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from gitca.errors import BackendUnavailableError, ContradictionError
from gitca.git.blobs import blob_id_of
from gitca.git.growth import check_growth
from gitca.git.refs import branch_ref, resolve, tracking_ref
from gitca.git.repository import ORIGIN, GitRepository
from gitca.git.signatures import check_certificates, check_current_crl, check_refusals
from gitca.git.snapshot import Snapshot
from gitca.ledger.image import ISSUED_FOLDER, crl_path, order_path
from gitca.ledger.records import OrderRecord
from gitca.ledger.segment import LEDGER_FOLDER
from gitca.ledger.state import LedgerState
from gitca.ledger.whole_image import whole_image

LARGEST_CRL = 512 * 1024**2


def seen_ref(branch: str) -> str:
    """Return `refs/gitca/seen/<branch>` for a valid branch name. Raises: UsageError."""
    return f"refs/gitca/seen/{branch_ref(branch).removeprefix('refs/heads/')}"


def checked_ref(branch: str) -> str:
    """Return `refs/gitca/checked/<branch>` for a valid branch name. Raises: UsageError."""
    return f"refs/gitca/checked/{branch_ref(branch).removeprefix('refs/heads/')}"


@dataclass(slots=True)
class Guard:
    """Guards one branch of a clone.

    `trusted` is the last commit that this process has checked, or made upon one; `kept` the last
    one that the clone was told of.
    """

    repository: GitRepository
    branch: str
    trusted: str | None = field(default=None)
    kept: str | None = field(default=None)

    def fetch(self, branch: str) -> str | None:
        """Return origin's commit of a branch after fetching it.

        Raises: ContradictionError where origin lost issued certificates that this clone has seen,
        or documents that they were ordered upon; BackendUnavailableError.
        """
        git = self.repository.past.git
        seen = resolve(git, seen_ref(branch)) or resolve(git, tracking_ref(branch, ORIGIN))
        is_kept = seen is not None and self._is_kept(branch, seen)
        if seen is not None and is_kept:
            self._remember(seen_ref(branch), seen)  # the fetch moves the other reference
        tip = self.repository.fetch(branch)
        if seen is not None and is_kept and self._is_lost(seen, tip):
            raise ContradictionError(
                f"{branch} of {ORIGIN} was rewound or rewritten: it is at {(tip or 'nothing')[:12]}"
                f" and lacks commit {seen[:12]}, which this clone saw there",
                remedy=f"nothing was signed; put it back (git push --force {ORIGIN}"
                f" {seen[:12]}:{branch_ref(branch)}) and find who forced the push. Where a person"
                f" rewrote it on purpose and lost no segment: git update-ref -d {seen_ref(branch)}",
            )
        if tip is not None:
            self._remember(seen_ref(branch), tip)
        return tip

    def check(self, snapshot: Snapshot, segments: Mapping[str, str]) -> None:
        """Raise ContradictionError where the branch contradicts its history or its ledger.

        `segments` are the blobs of the ledger by path. What was checked once is not again.
        """
        tip = snapshot.tip
        if tip is None:
            return
        if tip != self.trusted:
            self._check(tip, snapshot, segments)
            self.trusted = tip
        if tip != self.kept:
            # What this run wrote is not looked at again by the next one.
            self._remember(checked_ref(self.branch), tip)
            self.kept = tip

    @contextmanager
    def naming(self, tip: str | None, path: str) -> Iterator[None]:
        """Let a ContradictionError from inside name the commit that touched a path last."""
        try:
            yield
        except ContradictionError as error:
            commit = self.repository.past.last_change(tip, path) if tip else None
            if commit is None:
                raise
            raise ContradictionError(
                f"{error.message} (commit {commit[:12]} touched {path} last)", remedy=error.remedy
            ) from error

    def follow(self, parent: str | None, commit: str) -> None:
        """Trust what gitca just wrote upon a commit that it had checked."""
        if parent is None or parent == self.trusted:
            self.trusted = commit

    def _is_kept(self, branch: str, seen: str) -> bool:
        """Whether what this clone saw of a branch must stay: anything was ordered upon it."""
        if branch != self.branch:  # the documents', which has no ledger of its own
            issued = seen_ref(self.branch), tracking_ref(self.branch, ORIGIN)
            known = (resolve(self.repository.past.git, ref) for ref in issued)
            return any(self._has_ledger(commit) for commit in known if commit)
        return self._has_ledger(seen)

    def _check(self, tip: str, snapshot: Snapshot, segments: Mapping[str, str]) -> None:
        repository, before = self.repository, self._checked_before(tip)
        check_growth(repository, tip, segments, after=before)
        check_image(repository, tip, snapshot)
        check_refusals(repository, tip, snapshot.state)
        since = None if before is None else len(repository.tree(before, LEDGER_FOLDER))
        check_certificates(repository, tip, snapshot.state, since=since)

    def _has_ledger(self, commit: str) -> bool:
        return self.repository.past.objects_at((commit,), LEDGER_FOLDER) != [None]

    def _is_lost(self, seen: str, tip: str | None) -> bool:
        try:
            return tip is None or not self.repository.has_in_history(seen, tip)
        except BackendUnavailableError:
            return False  # a shallow clone cannot tell

    def _checked_before(self, tip: str) -> str | None:
        checked = resolve(self.repository.past.git, checked_ref(self.branch))
        return None if checked is None or self._is_lost(checked, tip) else checked

    def _remember(self, ref: str, commit: str) -> None:
        git = self.repository.past.git
        if resolve(git, ref) != commit:
            git.ask("update-ref", "--no-deref", "--end-of-options", ref, commit)


def check_image(repository: GitRepository, tip: str, snapshot: Snapshot) -> None:
    """Raise ContradictionError where a file below `issued/` is not what the ledger gives.

    Or where a CRL that it gives was not signed by its CA's key.
    """
    files = {
        entry.path: (entry.mode, entry.blob)
        for entry in repository.tree(tip, ISSUED_FOLDER)
        if not entry.path.startswith(f"{LEDGER_FOLDER}/")
    }
    for order in snapshot.state.pending:
        files.pop(order_path(order), None)  # whoever signs it looks at its bytes
    blob_id = blob_id_of(tip)
    for path, data in whole_image(snapshot.state):
        if files.pop(path, None) != ("100644", blob_id(data)):
            raise _other(repository, tip, path)
    for path, record in _crls(snapshot.state):
        mode, blob = files.pop(path, ("", ""))
        data = repository.read(blob, size_limit=LARGEST_CRL) if mode == "100644" else b""
        if record.signed is None or record.signed.fingerprint != _digest(data):
            raise _other(repository, tip, path)
        check_current_crl(repository, tip, snapshot.state, record, data)
    files.pop(f"{ISSUED_FOLDER}/.gitkeep", None)
    for path in files:
        raise _other(repository, tip, path)


def _crls(state: LedgerState) -> Iterator[tuple[str, OrderRecord]]:
    for name, authority in state.authorities.items():
        if authority.crl is not None:
            yield crl_path(name), authority.crl


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _other(repository: GitRepository, tip: str, path: str) -> ContradictionError:
    commit = repository.past.last_change(tip, path)
    if commit is None:
        commit, path = repository.past.last_change(tip, LEDGER_FOLDER), f"{path} (missing)"
    by = f"commit {commit[:12]} touched it last" if commit else "no commit of this clone touched it"
    return ContradictionError(
        f"{path} is not what the ledger gives; {by}",
        remedy="nothing was signed; gitca verify says all that is wrong. COMMIT being the one"
        f" before, git restore --source=COMMIT --staged --worktree {path}; commit, push",
    )
