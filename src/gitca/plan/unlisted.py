"""Revocations that are on no CRL and will be on none: nobody who verifies learns of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from gitca.documents.load import Governing
from gitca.documents.words import listed
from gitca.findings import Finding, Location, Severity
from gitca.ledger.records import AuthorityRecord
from gitca.ledger.state import LedgerState
from gitca.plan.model import Action, RevokeCertificate, SignCrl

_NAMED = 3


def find_unlisted(
    governing: Governing, state: LedgerState, actions: Iterable[Action], now: datetime
) -> Iterator[Finding]:
    """Yield `crl.unlisted` for each CA that signs no CRL with its revocations, made or planned.

    Not of a CA that is revoked or has ended, or of certificates that have: they are refused anyway.
    """
    signing: set[str] = set()
    revoking: dict[str, list[str]] = {}
    for action in actions:
        if isinstance(action, SignCrl):
            signing.add(action.ca)
        elif isinstance(action, RevokeCertificate) and action.ca and action.serial:
            revoking.setdefault(action.ca, []).append(action.serial)
    for name, record in state.authorities.items():
        will_sign = name in signing or record.pending_crl is not None
        if _is_over(record, now) or (will_sign and name in governing.authorities):
            continue
        serials = [
            serial
            for serial in (*_recorded(record), *revoking.get(name, ()))
            if state.serials[name, serial].certificate.not_after >= now
        ]
        if serials and not state.is_authority_revoked(name):
            yield _unlisted(governing, name, serials)


def _is_over(record: AuthorityRecord, now: datetime) -> bool:
    return record.certificate is None or record.certificate.certificate.not_after < now


def _recorded(record: AuthorityRecord) -> Iterator[str]:
    """Yield the serial numbers that were revoked after the CA's last CRL."""
    counted = record.crl.crl.revocations if record.crl else 0
    if counted == len(record.revocations):
        return iter(())
    return (serial for serial, (place, _) in record.carried.items() if place >= counted)


def _unlisted(governing: Governing, name: str, serials: Collection[str]) -> Finding:
    named = listed(list(serials)[:_NAMED])
    more = f" and {len(serials) - _NAMED} more" if len(serials) > _NAMED else ""
    document, path = governing.authorities.get(name), f"ca/{name}.yaml"
    reason = "its document, or one that this stands on, is broken"
    remedy = f"mend what was found in {path} and of the CAs above it"
    if document is None and path not in governing.broken:
        reason = "its document is gone"
        remedy = f"restore {path}; with state: crl-only or retired the CA issues nothing"
    return Finding(
        rule="crl.unlisted",
        severity=Severity.ERROR,
        message=f"what CA {name} issued with serial number {named}{more} is revoked and on no CRL,"
        f" so that whoever verifies it takes it for valid; the CA signs none, for {reason}",
        location=document.at("spec", "issuer") if document else Location(path),
        remedy=remedy,
    )
