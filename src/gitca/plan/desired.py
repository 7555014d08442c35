"""What people want: the documents of one commit, read as far as a plan needs them.

A request whose blobs are those that its current certificate was ordered from, and whose renewal is
not due, is left unread: planning costs a look into a dictionary for it (I11). A request whose order
awaits its signature is read: whether it is allowed now decides on that signature.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gitca.documents.document import Document
from gitca.documents.fields import no_entries
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.load import (
    Governing,
    Known,
    Read,
    Requests,
    TreeEntry,
    load_governing,
    load_requests,
    request_paths,
)
from gitca.ledger.events import DocumentReference, Revoked
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState
from gitca.policy.case import Requester

ONE_SECOND = timedelta(seconds=1)
ReadRequesters = Callable[[Collection[str]], Mapping[str, Requester]]
"""Paths of a commit to who changed each last; without those of which this clone cannot tell."""


@dataclass(frozen=True, slots=True)
class Desired:
    """The documents of a commit.

    `entries` are all requests' documents by name, read or not; `requests` holds those that were
    read; `blobs` every file's blob by path; `requesters` who changed a file last, of those files
    whose policy asks for it.
    """

    governing: Governing
    entries: Mapping[str, TreeEntry]
    blobs: Mapping[str, str]
    requests: Requests
    requesters: Mapping[str, Requester] = field(default_factory=no_entries)


def read_desired(
    entries: Iterable[TreeEntry],
    read: Read,
    state: LedgerState,
    now: datetime,
    *,
    read_requesters: ReadRequesters,
    standing: Collection[str] = (),
    also: Collection[str] = (),
) -> Desired:
    """Return the documents, with those requests read that a plan must judge, and `also` by name.

    A request with a waiver is read each time, so that every plan shows what is waived. `standing`
    are the base's requests, where the documents are a change upon one: where names clash, what
    neither the ledger nor the base has gives way.
    """
    listed = tuple(entries)
    governing = load_governing(listed, read)
    names = request_paths(listed)
    blobs = {entry.path: entry.blob for entry in listed}
    wanted = {*also, *(waiver.spec.request for waiver in governing.waivers.values())}
    only = {
        entry.path
        for name, entry in names.items()
        if name in wanted or not is_settled(name, entry, governing, blobs, state, now)
    }
    known = Known(certified(state), standing)
    requests = load_requests(listed, read, only=only, governing=governing, known=known)
    requesters = requesters_of(governing, requests, read_requesters)
    return Desired(governing, names, blobs, requests, requesters)


def certified(state: LedgerState) -> frozenset[str]:
    """Return the requests that have a certificate, or are to have one that is ordered."""
    return frozenset(
        name
        for name, record in state.requests.items()
        if any(not order.is_given_up for order in record.orders)
    )


def requesters_of(
    governing: Governing, requests: Requests, read_requesters: ReadRequesters
) -> Mapping[str, Requester]:
    """Return who changed the requests and their CSRs last, where their policies ask for it."""
    paths = {
        path
        for name, document in requests.requests.items()
        if asks_for_requesters(governing.policies.get(document.spec.policy))
        for path in (document.path, requests.csrs[name].path)
    }
    return read_requesters(paths) if paths else {}


def asks_for_requesters(policy: Document[IssuancePolicySpec] | None) -> bool:
    """Whether a policy selects requests by who changed them last."""
    return policy is not None and policy.spec.selector.requesters is not None


def is_settled(
    name: str,
    entry: TreeEntry,
    governing: Governing,
    blobs: Mapping[str, str],
    state: LedgerState,
    now: datetime,
) -> bool:
    """Whether nothing can be due for a request's document, read or not."""
    record = state.requests.get(name)
    if record is None:
        # Revocations under a request's path are its policy's (onDelete), and settle nothing.
        executed = state.executed.get(entry.path, ())
        return bool(executed) and all(item.document.blob == entry.blob for item in executed)
    last = record.orders[-1]
    if last.is_pending:
        return False
    answer = last if state.is_revoked(last) else record.current
    if answer is None or not _same_documents(answer, entry, governing, blobs):
        return False
    revoked = state.revoked.get((answer.ordered.ca, answer.certificate.serial))
    if revoked is not None:
        return is_asked_for(revoked, blobs)
    return not renewal_is_due(answer, policy_of(answer, governing), now)


def is_asked_for(revoked: Revoked, blobs: Mapping[str, str]) -> bool:
    """Whether the document stands that asked for a revocation; a policy's was for a while."""
    path = revoked.document.path
    return path in blobs and not path.startswith("policies/")


def policy_of(record: OrderRecord, governing: Governing) -> Document[IssuancePolicySpec] | None:
    """Return the policy that an order was judged under, as it stands now; None when it is gone."""
    reference = record.ordered.documents.policy
    if reference is None:
        return None
    return governing.policies.get(policy_name(reference))


def policy_name(reference: DocumentReference) -> str:
    """Return the name of the policy that a reference is for."""
    return reference.path.removeprefix("policies/").removesuffix(".yaml")


def renewal_is_due(
    current: OrderRecord, policy: Document[IssuancePolicySpec] | None, now: datetime
) -> bool:
    """Whether a certificate is to be renewed, or a person to be told that they must renew it.

    Where the policy names no time, that is when it has expired.
    """
    lead = _lead(policy, current) if policy is not None else None
    return now >= current.certificate.not_after - (lead or timedelta(0))


def renewed_before(policy: Document[IssuancePolicySpec], current: OrderRecord) -> timedelta | None:
    """Return how long before its expiry a certificate is renewed on its key; None for never."""
    return _lead(policy, current) if policy.spec.renewal.automatic else None


def _lead(policy: Document[IssuancePolicySpec], current: OrderRecord) -> timedelta | None:
    given = current.certificate
    return policy.spec.renewal.lead(given.not_after - given.not_before + ONE_SECOND)


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
