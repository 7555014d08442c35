"""What people want: the documents of one commit, read as far as a plan needs them.

A request whose blobs are those that its current certificate was ordered from, and whose renewal is
not due, is left unread: planning costs a look into a dictionary for it (I11).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.load import (
    Governing,
    Read,
    Requests,
    TreeEntry,
    load_governing,
    load_requests,
    request_paths,
)
from gitca.ledger.state import LedgerState, OrderRecord


@dataclass(frozen=True, slots=True)
class Desired:
    """The documents of a commit.

    `entries` are all requests' documents by name, read or not; `requests` holds those that were
    read; `blobs` every file's blob by path.
    """

    governing: Governing
    entries: Mapping[str, TreeEntry]
    blobs: Mapping[str, str]
    requests: Requests


def read_desired(
    entries: Iterable[TreeEntry], read: Read, state: LedgerState, now: datetime
) -> Desired:
    """Return the documents, with those requests read that a plan must judge."""
    listed = tuple(entries)
    governing = load_governing(listed, read)
    names = request_paths(listed)
    blobs = {entry.path: entry.blob for entry in listed}
    only = {
        entry.path
        for name, entry in names.items()
        if not is_settled(name, entry, governing, blobs, state, now)
    }
    return Desired(
        governing, names, blobs, load_requests(listed, read, only=only, governing=governing)
    )


def is_settled(
    name: str,
    entry: TreeEntry,
    governing: Governing,
    blobs: Mapping[str, str],
    state: LedgerState,
    now: datetime,
) -> bool:
    """Whether nothing can be due for a request's document, read or not."""
    executed = state.executed.get(entry.path)
    if executed and all(revoked.document.blob == entry.blob for revoked in executed):
        return True
    record = state.requests.get(name)
    if record is None:
        return False
    last = record.orders[-1]
    if last.is_pending:
        return True
    answer = last if state.is_revoked(last) else record.current
    if answer is None or not _same_documents(answer, entry, governing, blobs):
        return False
    policy = policy_of(answer, governing)
    return state.is_revoked(answer) or not renewal_is_due(answer, policy, now)


def policy_of(record: OrderRecord, governing: Governing) -> Document[IssuancePolicySpec] | None:
    """Return the policy that an order was judged under, as it stands now; None when it is gone."""
    reference = record.ordered.documents.policy
    if reference is None:
        return None
    name = reference.path.removeprefix("policies/").removesuffix(".yaml")
    return governing.policies.get(name)


def renewal_is_due(
    current: OrderRecord, policy: Document[IssuancePolicySpec] | None, now: datetime
) -> bool:
    """Whether a certificate's renewal is due, or (where nothing renews it) it has expired."""
    before = renewed_before(policy) if policy is not None else None
    return now >= current.certificate.not_after - (before or timedelta(0))


def renewed_before(policy: Document[IssuancePolicySpec]) -> timedelta | None:
    """Return how long before expiry a policy renews on the same key; None where it never does."""
    renewal = policy.spec.renewal
    return renewal.before if renewal.automatic else None


def _same_documents(
    current: OrderRecord, entry: TreeEntry, governing: Governing, blobs: Mapping[str, str]
) -> bool:
    documents = current.ordered.documents
    policy = policy_of(current, governing)
    return (
        documents.request is not None
        and documents.request.blob == entry.blob
        and documents.csr is not None
        and blobs.get(documents.csr.path) == documents.csr.blob
        and documents.policy is not None
        and policy is not None
        and policy.blob == documents.policy.blob
    )
