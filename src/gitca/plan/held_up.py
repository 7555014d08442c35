"""What broken RevocationRequests hold up: nothing is issued that one of them might have stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gitca.documents.broken_revocations import BrokenRevocation
from gitca.documents.load import Governing
from gitca.documents.revocation_request import AUTHORITY_REVOCATIONS
from gitca.documents.words import listed
from gitca.findings import Finding, Severity
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState
from gitca.plan.desired import Desired
from gitca.x509.refusal import quoted

_NAMED = 5


@dataclass(frozen=True, slots=True)
class HeldUp:
    """Requests by name, keys (`sha256:…`) and CAs by name that nothing is issued for, on or by."""

    requests: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    authorities: frozenset[str] = frozenset()

    def __or__(self, other: HeldUp) -> HeldUp:
        """Return what either holds up."""
        return HeldUp(
            self.requests | other.requests,
            self.keys | other.keys,
            self.authorities | other.authorities,
        )


def held_by_broken(
    desired: Desired, state: LedgerState, now: datetime
) -> tuple[HeldUp, tuple[Finding, ...]]:
    """Return what the broken RevocationRequests hold up, and `revocation.broken` for each.

    Of an executed one nothing: what it asked for was recorded, and stands.
    """
    broken = [
        revocation
        for revocation in desired.requests.broken_revocations
        if revocation.path not in state.executed
    ]
    by_serial = _by_serial(broken, state)
    held = HeldUp()
    for revocation in broken:
        held |= _held(revocation, by_serial, state, now)
    held |= HeldUp(authorities=_below(held.authorities, desired.governing))
    return held, tuple(_finding(revocation) for revocation in broken)


def _by_serial(
    broken: Iterable[BrokenRevocation], state: LedgerState
) -> Mapping[str, tuple[OrderRecord, ...]]:
    """Return the certificates by the serial numbers that are named, of whatever CA."""
    wanted = {serial for revocation in broken for serial in revocation.serials}
    found: dict[str, tuple[OrderRecord, ...]] = {}
    if wanted:
        for (_, serial), record in state.serials.items():
            if serial in wanted:
                found[serial] = (*found.get(serial, ()), record)
    return found


def _held(
    revocation: BrokenRevocation,
    by_serial: Mapping[str, tuple[OrderRecord, ...]],
    state: LedgerState,
    now: datetime,
) -> HeldUp:
    named = [record for serial in revocation.serials for record in by_serial.get(serial, ())]
    # Where the CA is the typo, the serial number counts for itself.
    of_the_ca = [record for record in named if record.ordered.ca in revocation.authorities]
    records = of_the_ca or named
    for name in revocation.certificates & state.requests.keys():
        orders = state.requests[name].orders
        records += list(state.live(orders, now)) or [o for o in orders if not o.is_given_up]
    given = [record.certificate for record in state.live(records, now)]
    # Nobody can tell for which reason, and after a compromise the key is refused to everybody, even
    # that of a certificate which is revoked or expired already.
    keys = revocation.keys | {record.certificate.key for record in records}
    authorities: set[str | None] = set()
    if revocation.path.startswith(AUTHORITY_REVOCATIONS):
        on_keys = (record for key in revocation.keys for record in state.keys.get(key, ()))
        authorities.update(record.certificate.authority for record in (*records, *on_keys))
    return HeldUp(
        requests=revocation.certificates | frozenset(c.request for c in given if c.request),
        keys=keys,
        authorities=frozenset(name for name in authorities if name),
    )


def _below(authorities: frozenset[str], governing: Governing) -> frozenset[str]:
    """Return the CAs with all that are below them."""
    held = set(authorities)
    while True:
        more = {
            name
            for name, document in governing.authorities.items()
            if document.spec.issuer in held and name not in held
        }
        if not more:
            return frozenset(held)
        held |= more


def _finding(revocation: BrokenRevocation) -> Finding:
    named = (
        *(f"the request {quoted(name)}" for name in sorted(revocation.certificates)),
        *(f"serial number {quoted(serial)}" for serial in sorted(revocation.serials)),
        *(f"the key {key}" for key in sorted(revocation.keys)),
    )
    return Finding(
        rule="revocation.broken",
        severity=Severity.ERROR,
        message=f"the document asks to revoke {listed(named, most=_NAMED)}, and has findings, so it"
        " revokes nothing; until it is mended, nothing is issued or renewed there",
        location=revocation.location,
        remedy="mend what its other findings say",
    )
