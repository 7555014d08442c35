"""What policies revoke: certificates of deleted requests, and those that newer ones replace."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.findings import Finding, Location, Severity
from gitca.ledger.events import DocumentReference
from gitca.ledger.records import OrderRecord, RequestRecord
from gitca.ledger.state import LedgerState
from gitca.plan.desired import Desired, policy_name, policy_of
from gitca.plan.model import RevokeCertificate


def revoke_deleted(
    desired: Desired, state: LedgerState, now: datetime, only: Collection[str] | None = None
) -> Iterator[RevokeCertificate]:
    """Yield the live certificates of deleted requests whose own policies say onDelete: revoke.

    `only` names the requests that are looked at; all, where it is None.

    Each certificate goes by the policy that it was issued under: who may delete a request could
    else have it issued under a milder one before.
    """
    for known in _deleted(desired, state, only):
        for record in state.live(known.orders, now):
            policy = policy_of(record, desired.governing)
            if policy is not None and policy.spec.on_delete.action == "revoke":
                yield _by_policy(
                    record,
                    policy,
                    policy.spec.on_delete.reason,
                    "the request was deleted, and its policy says onDelete: revoke",
                )


def note_deleted(
    desired: Desired,
    state: LedgerState,
    now: datetime,
    revoking: Collection[tuple[str | None, str | None]],
) -> Iterator[Finding]:
    """Yield `request.deleted` for each deleted request whose certificate stands.

    `revoking` are the CAs and serial numbers of the planned revocations.
    """
    for known in _deleted(desired, state):
        kept = [
            record
            for record in state.live(known.orders, now)
            if (record.ordered.ca, record.certificate.serial) not in revoking
        ]
        untold = [record for record in kept if policy_of(record, desired.governing) is None]
        if untold:
            yield _untold(untold[-1])
        else:
            own = (item for item in kept if item is known.current or item.late is not None)
            yield from map(_kept, own)


def _deleted(
    desired: Desired, state: LedgerState, only: Collection[str] | None = None
) -> Iterator[RequestRecord]:
    for name, known in _chosen(state, only):
        if _was_given(known) and _is_deleted(name, known, desired, state):
            yield known


def _was_given(known: RequestRecord) -> bool:
    """Whether a request was ever given a certificate, if only after its order was abandoned."""
    return known.current is not None or any(record.late for record in known.orders)


def _chosen(
    state: LedgerState, only: Collection[str] | None
) -> Iterable[tuple[str, RequestRecord]]:
    if only is None:
        return state.requests.items()
    return [(name, state.requests[name]) for name in only if name in state.requests]


def _is_deleted(name: str, known: RequestRecord, desired: Desired, state: LedgerState) -> bool:
    """Whether a request has no document; a revocation at its path is none."""
    entry = desired.entries.get(name)
    if entry is None or name in desired.requests.revocations:
        return True
    executed = state.executed.get(entry.path, ())
    if all(revoked.document.blob != entry.blob for revoked in executed):
        return False
    # A text that a certificate was ordered from is a request, whatever was recorded under its path.
    ordered = (record.ordered.documents.request for record in known.orders)
    return all(request is None or request.blob != entry.blob for request in ordered)


def revoke_replaced(
    desired: Desired, state: LedgerState, now: datetime, only: Collection[str] | None = None
) -> Iterator[RevokeCertificate]:
    """Yield what a newer certificate of the same request replaced, once that one was signed.

    `only` names the requests that are looked at; all, where it is None.
    """
    for _, known in _chosen(state, only):
        current = known.current
        policy = policy_of(current, desired.governing) if current is not None else None
        if current is None or policy is None or policy.spec.on_replace.action != "revoke":
            continue
        for record in state.live(_older(known, current), now):
            yield _by_policy(
                record,
                policy,
                policy.spec.on_replace.reason,
                "a newer certificate replaces it, and the policy says onReplace: revoke",
            )


def _older(known: RequestRecord, current: OrderRecord) -> Iterator[OrderRecord]:
    """Yield the orders before a request's current one that were signed, in time or late."""
    for record in known.orders:
        if record is current:
            return
        if record.outcome is not None:
            yield record


def _by_policy(
    record: OrderRecord,
    policy: Document[IssuancePolicySpec],
    revocation_reason: str,
    reason: str,
) -> RevokeCertificate:
    return RevokeCertificate(
        ca=record.ordered.ca,
        serial=record.certificate.serial,
        key=None,
        request=record.certificate.request,
        revocation_reason=revocation_reason,
        invalidity_date=None,
        # The policy is the document that asks for it: under the request's own path, what comes to
        # lie there would count as a revocation that was executed.
        document=DocumentReference(policy.path, policy.blob),
        reason=reason,
    )


def _kept(current: OrderRecord) -> Finding:
    return _note(
        current, Severity.NOTE, "as its policy keeps it (onDelete: keep)", "if it is to end before"
    )


def _untold(record: OrderRecord) -> Finding:
    policy = record.ordered.documents.policy
    name = f" {policy_name(policy)}" if policy is not None else ""
    why = f"and its policy{name} is gone or broken, so whether to revoke cannot be told"
    return _note(record, Severity.WARNING, why, "or restore or mend the policy")


def _note(record: OrderRecord, severity: Severity, why: str, remedy: str) -> Finding:
    reference = record.ordered.documents.request or record.ordered.documents.ca
    given = record.certificate
    return Finding(
        rule="request.deleted",
        severity=severity,
        message=f"the request was deleted; its certificate {given.serial} stays valid until"
        f" {given.not_after:%Y-%m-%d}, {why}",
        location=Location(reference.path),
        remedy=f"revoke it (gitca revoke), {remedy}",
    )
