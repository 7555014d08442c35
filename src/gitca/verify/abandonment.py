"""Orders that were given up: the reason must have held when the commit was made that says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from gitca.git.store import DOCUMENT_FOLDERS, Store
from gitca.ledger.draft import dated_ahead, listed_too_early
from gitca.ledger.events import Abandoned, CertificateParticulars, CrlParticulars, Ordered
from gitca.ledger.state import LedgerState
from gitca.verify.report import FIND, Contradiction

BY_ITSELF = ("the documents deny it by now", "the document of the CA names another key since")
"""What may come true while documents stand: a waiver ends, an alias in KMS names another key."""
Holds = Callable[[LedgerState, Ordered, datetime], bool]


def judge_abandoned(
    store: Store, state: LedgerState, event: Abandoned, when: datetime, source: str
) -> Contradiction | None:
    """Return what is wrong with an order's abandonment, if anything.

    `state` is the one before it, `when` the date of the commit that records it, `source` the commit
    of the documents then. What speaks of time or the ledger is asked of these; any other reason is
    about documents, which must have changed since the order, or the ledger must have.
    Raises: BackendUnavailableError where this clone lacks a commit.
    """
    record = state.pending.get(event.order)
    if record is None:
        return None  # the fold says so
    ordered = record.ordered
    holds = _OF_LEDGER.get(event.reason)
    if holds is not None:
        is_true = holds(state, ordered, when)
    elif event.reason.startswith(BY_ITSELF):
        is_true = True
    else:
        is_true = _has_changed(store, ordered.source, source) or _knows_more(state, record.segment)
    if is_true:
        return None
    message = f"it was given up, as {event.reason!r}, which did not hold then"
    place = f"order {event.order}"
    return Contradiction("I8", place, message, f"find who pushed the commit; {FIND}")


def _has_changed(store: Store, before: str, after: str) -> bool:
    """Whether a document of one commit is another in the other; cheap where nothing did."""
    trees = (
        store.repository.past.objects_at((before, after), folder) for folder in DOCUMENT_FOLDERS
    )
    return any(one != other for one, other in trees)


def _knows_more(state: LedgerState, segment: int) -> bool:
    """Whether the ledger has gone on since an order: a revocation, another order on its key."""
    return state.head.number > segment + 1


def _is_late(_: LedgerState, ordered: Ordered, when: datetime) -> bool:
    given = ordered.particulars
    return isinstance(given, CertificateParticulars) and given.not_after < when


def _is_revoked(state: LedgerState, ordered: Ordered, _: datetime) -> bool:
    given = ordered.particulars
    if not isinstance(given, CertificateParticulars):
        return False
    return (ordered.ca, given.serial) in state.revoked


def _is_refused(state: LedgerState, ordered: Ordered, _: datetime) -> bool:
    given = ordered.particulars
    return not isinstance(given, CrlParticulars) and given.key in state.refused_keys


def _is_orphan(state: LedgerState, ordered: Ordered, _: datetime) -> bool:
    return state.is_authority_revoked(ordered.ca)


def _has_lapsed(_: LedgerState, ordered: Ordered, when: datetime) -> bool:
    given = ordered.particulars
    return isinstance(given, CrlParticulars) and given.next_update <= when


def _is_behind(state: LedgerState, ordered: Ordered, _: datetime) -> bool:
    given = ordered.particulars
    counted = len(state.authority(ordered.ca).revocations)
    return isinstance(given, CrlParticulars) and given.revocations != counted


def _was_ahead(_: LedgerState, ordered: Ordered, when: datetime) -> bool:
    return dated_ahead(ordered, when)


def _is_early(state: LedgerState, ordered: Ordered, _: datetime) -> bool:
    given, pending = ordered.particulars, state.authority(ordered.ca).pending_crl
    if not isinstance(given, CrlParticulars) or pending is None:
        return False
    return listed_too_early(given, pending[1]) is not None


_OF_LEDGER: Mapping[str, Holds] = {
    "the certificate would have expired already": _is_late,
    "the certificate was revoked before it was signed": _is_revoked,
    "the key is refused since": _is_refused,
    "its CA was revoked before it was signed": _is_orphan,
    "the CRL would have lapsed already": _has_lapsed,
    "revocations were recorded since; the next CRL lists them": _is_behind,
    "a revocation is dated later than the CRL that would list it": _is_early,
    "it is dated ahead of the clock": _was_ahead,
}
"""The reasons of `gitca.reconcile.resume`, and when each holds."""
