"""Revocations: from RevocationRequests, keys, deleted requests, and replaced certificates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gitca.documents.document import Document
from gitca.documents.load import Governing
from gitca.documents.revocation_request import AUTHORITY_REVOCATIONS, RevocationRequestSpec
from gitca.documents.words import listed
from gitca.findings import Finding
from gitca.ledger.events import DocumentReference
from gitca.ledger.records import EXTERNAL, OrderRecord
from gitca.ledger.state import LedgerState
from gitca.plan.desired import Desired
from gitca.plan.executed_revocations import COMPROMISES, changed_after, problem, target_of
from gitca.plan.held_up import HeldUp, held_by_broken
from gitca.plan.model import RevokeCertificate
from gitca.plan.policy_revocations import revoke_deleted, revoke_replaced

_Target = tuple[str | None, str | None, str | None]  # CA, serial number, key


@dataclass(frozen=True, slots=True)
class Revocations:
    """The planned revocations, the keys that are refused, and the requests that are held up.

    Keys are refused by revocations, recorded or planned, and by the blocklists of the policies.
    A request is held up when a revocation names it and finds nothing to revoke: issuing it now
    would hand the certificate to that revocation in the next run. `held_by_broken` is what broken
    RevocationRequests name; `newly_refused` are the keys, and `serials` the CAs and serial numbers,
    that the planned revocations name.
    """

    actions: tuple[RevokeCertificate, ...]
    refused_keys: Mapping[str, str]
    held_up: frozenset[str]
    findings: tuple[Finding, ...]
    held_by_broken: HeldUp = field(default_factory=HeldUp)
    newly_refused: frozenset[str] = frozenset()
    serials: frozenset[tuple[str, str]] = frozenset()

    def will_revoke(self, record: OrderRecord) -> bool:
        """Whether a planned revocation is of an order's certificate, or refuses its key."""
        given = record.certificate
        return given.key in self.newly_refused or (record.ordered.ca, given.serial) in self.serials

    def holds_up(self, request: str, key: str, ca: str) -> bool:
        """Whether nothing may be issued for a request, on a key (`sha256:…`), from a CA."""
        broken = self.held_by_broken
        return (
            request in self.held_up
            or request in broken.requests
            or key in broken.keys
            or ca in broken.authorities
        )


def plan_revocations(desired: Desired, state: LedgerState, now: datetime) -> Revocations:
    """Return what the documents ask to be revoked and has not been."""
    chosen: dict[_Target, RevokeCertificate] = {}
    findings: list[Finding] = []
    held_up: set[str] = set()
    for _, document in sorted(desired.requests.revocations.items()):
        actions, finding = judge_revocation(document, state, now)
        for action in actions:
            _choose(chosen, action)
        if finding:
            findings.append(finding)
            held_up.update(filter(None, [document.spec.certificate]))
    held_by, broken = held_by_broken(desired, state, now)
    by_policies = (*revoke_deleted(desired, state, now), *revoke_replaced(desired, state, now))
    for action in by_policies:
        _choose(chosen, action)
    return Revocations(
        actions=tuple(chosen.values()),
        refused_keys=refused_keys(desired.governing, state, chosen.values()),
        held_up=frozenset(held_up),
        findings=(*findings, *broken),
        held_by_broken=held_by,
        newly_refused=frozenset(_planned_keys(chosen.values(), state)),
        serials=frozenset((ca, serial) for ca, serial, _ in chosen if ca and serial),
    )


def _choose(chosen: dict[_Target, RevokeCertificate], action: RevokeCertificate) -> None:
    """Take an action, unless one with the same target is there that says as much or more.

    Whichever document comes first: a compromise that gave way would leave the key in use.
    """
    known = chosen.setdefault((action.ca, action.serial, action.key), action)
    if action.revocation_reason in COMPROMISES and known.revocation_reason not in COMPROMISES:
        chosen[action.ca, action.serial, action.key] = action


def refused_keys(
    governing: Governing, state: LedgerState, actions: Iterable[RevokeCertificate]
) -> Mapping[str, str]:
    """Return the keys that blocklists and revocations refuse, recorded or planned, and why."""
    recorded = {key: f"revoked for {revoked.reason}" for key, revoked in state.refused_keys.items()}
    return {**governing.blocked_keys, **recorded, **_planned_keys(actions, state)}


def _planned_keys(actions: Iterable[RevokeCertificate], state: LedgerState) -> dict[str, str]:
    keys: dict[str, str] = {}
    for action in actions:
        if action.key is not None:
            keys[action.key] = f"revoked for {action.revocation_reason}"
        elif action.revocation_reason in COMPROMISES:
            record = state.serials[action.ca or "", action.serial or ""]
            keys[record.certificate.key] = f"revoked for {action.revocation_reason}"
    return keys


def judge_revocation(
    document: Document[RevocationRequestSpec], state: LedgerState, now: datetime
) -> tuple[list[RevokeCertificate], Finding | None]:
    """Return what one document asks to be revoked and has not been, or what is wrong with it."""
    executed = state.executed.get(document.path)
    if executed:
        return [], changed_after(document, executed, state)
    foreign = _authority_of_others(document, state)
    if foreign is not None:
        return [], foreign
    spec = document.spec
    if spec.key is not None:
        return _by_key(document, spec.key, state, now), None
    if spec.certificate is not None:
        return _by_name(document, spec.certificate, state, now)
    return _by_serial(document, state, now)


def _authority_of_others(
    document: Document[RevocationRequestSpec], state: LedgerState
) -> Finding | None:
    """Return a finding where a CA's certificate or key is named outside the folder for these."""
    if document.path.startswith(AUTHORITY_REVOCATIONS):
        return None
    spec = document.spec
    named = list(state.keys.get(spec.key, ())) if spec.key is not None else []
    if spec.serial is not None:
        named += filter(None, [state.serials.get((spec.ca or "", spec.serial))])
    given = [record.certificate for record in named]
    names = [name for item in given if (name := item.authority or item.cross) is not None]
    # The key of a CA that an external one has not certified yet is on no certificate.
    names += [name for name, item in state.authorities.items() if spec.key and item.key == spec.key]
    if not names:
        return None
    what, at = target_of(spec)
    return problem(
        document,
        "revocation.authority",
        f"{what} is that of CA {names[0]}, and this document lies in"
        f" {document.path.rpartition('/')[0]}/; CAs are revoked by documents below"
        f" {AUTHORITY_REVOCATIONS} alone",
        f"move the document below {AUTHORITY_REVOCATIONS}, with a review by who answers for CAs",
        at,
    )


def _by_key(
    document: Document[RevocationRequestSpec], key: str, state: LedgerState, now: datetime
) -> list[RevokeCertificate]:
    refusal = [] if key in state.refused_keys else [_refusal(document, key)]
    records = state.live(state.keys.get(key, ()), now)
    # What an external CA issued stands on no CRL of this repository: its key is refused, no more.
    own = (record for record in records if record.ordered.ca != EXTERNAL)
    return [*refusal, *(_revocation(document, record) for record in own)]


def _by_name(
    document: Document[RevocationRequestSpec], name: str, state: LedgerState, now: datetime
) -> tuple[list[RevokeCertificate], Finding | None]:
    known = state.requests.get(name)
    if known is None:
        return [], problem(
            document,
            "revocation.unknown",
            f"no certificate was ever issued for the request {name!r}",
            "name a request below requests/ that has a certificate (gitca list)",
            "certificate",
        )
    records = state.live(known.orders, now)
    if records:
        return [_revocation(document, record) for record in records], None
    given = [record for record in known.orders if not record.is_given_up]
    refusals = _refusals(document, given, state)
    if refusals:
        return refusals, None
    remedy = "delete this revocation"
    message = f"every certificate of the request {name!r} is revoked or expired already"
    if not given:
        message = f"no certificate of the request {name!r} is known to have been signed"
        remedy += _given_up(known.orders, state, now)
    return [], problem(document, "revocation.nothing", message, remedy, "certificate")


def _given_up(orders: Iterable[OrderRecord], state: LedgerState, now: datetime) -> str:
    """Return in words how to revoke what a run that died may have signed."""
    serials = [
        f"{order.certificate.serial} of CA {order.ordered.ca}"
        for order in orders
        if order.certificate.not_after >= now and not state.is_revoked(order)
    ]
    if not serials:
        return ""
    return f", or name by serial number what was ordered and given up: {listed(serials, most=5)}"


def _by_serial(
    document: Document[RevocationRequestSpec], state: LedgerState, now: datetime
) -> tuple[list[RevokeCertificate], Finding | None]:
    ca, serial = document.spec.ca or "", document.spec.serial or ""
    record = state.serials.get((ca, serial))
    remedy = f"gitca list --ca {ca} names the serial numbers that there are"
    # An order that was given up counts: a run that died may have signed it, which leaves no trace.
    if record is None:
        message = f"CA {ca} never issued the serial number {serial}"
        return [], problem(document, "revocation.unknown", message, remedy, "serial")
    revoked, is_expired = state.revoked.get((ca, serial)), record.certificate.not_after < now
    refusals = _refusals(document, [record], state) if revoked or is_expired else []
    if refusals:
        return refusals, None
    if revoked is not None:
        message = (
            f"serial number {serial} of CA {ca} was revoked on {revoked.date:%Y-%m-%d}"
            f" for {revoked.reason} (by {revoked.document.path})"
        )
        remedy = "delete this revocation"
        return [], problem(document, "revocation.already-revoked", message, remedy, "serial")
    if is_expired:
        message = f"serial number {serial} expired on {record.certificate.not_after:%Y-%m-%d}"
        remedy = "delete this revocation"
        return [], problem(document, "revocation.expired", message, remedy, "serial")
    return [_revocation(document, record)], None


def _refusals(
    document: Document[RevocationRequestSpec], dead: Iterable[OrderRecord], state: LedgerState
) -> list[RevokeCertificate]:
    """Return what is left to do after a compromise: the keys of dead certificates are refused."""
    if document.spec.reason not in COMPROMISES:
        return []
    keys = dict.fromkeys(record.certificate.key for record in dead)
    return [_refusal(document, key) for key in keys if key not in state.refused_keys]


def _refusal(document: Document[RevocationRequestSpec], key: str) -> RevokeCertificate:
    return RevokeCertificate(
        ca=None,
        serial=None,
        key=key,
        request=None,
        revocation_reason=document.spec.reason,
        invalidity_date=None,
        document=DocumentReference(document.path, document.blob),
        reason=f"{document.path} refuses the key ({document.spec.reason})",
    )


def _revocation(
    document: Document[RevocationRequestSpec], record: OrderRecord
) -> RevokeCertificate:
    return RevokeCertificate(
        ca=record.ordered.ca,
        serial=record.certificate.serial,
        key=None,
        request=record.certificate.request,
        revocation_reason=document.spec.reason,
        invalidity_date=document.spec.invalidity_date,
        document=DocumentReference(document.path, document.blob),
        reason=f"{document.path} asks for it ({document.spec.reason})",
    )
