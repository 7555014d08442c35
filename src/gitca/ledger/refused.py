"""Orders on keys that were refused, or by CAs that were revoked, when they were recorded.

gitca makes none of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitca.ledger.events import CertificateParticulars, CrlParticulars, Revoked
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState


def refused_before(state: LedgerState, key: str, segment: int) -> Revoked | None:
    """Return the revocation by which a key (`sha256:…`) was refused when a segment was written.

    One in the same segment counts: a run that revokes orders nothing on the key besides.
    """
    since = state.refused_since.get(key)
    return state.refused_keys[key] if since is not None and since <= segment else None


def refused_orders(state: LedgerState) -> Iterator[OrderRecord]:
    """Yield what was ordered or adopted against a refusal that stood.

    Not what was given up, unless a key was used for it all the same. Of a CA's CSRs the last one,
    and that which awaits its signature, are looked at.
    """
    yield from _on_refused_keys(state)
    yield from _by_revoked_authorities(state)


def refusal_words(state: LedgerState, record: OrderRecord) -> str:
    """Return in words why an order was refused when it was recorded; nothing where it was not.

    A CRL never is: a CA that is revoked goes on to publish what it revoked.
    """
    if isinstance(record.ordered.particulars, CrlParticulars):
        return ""
    revoked = refused_before(state, record.key, record.segment)
    if revoked is not None:
        return (
            f"its key {record.key} was refused by then: revoked for {revoked.reason} in segment"
            f" {state.refused_since[record.key]}, ordered in segment {record.segment}"
        )
    above = _revoked_above(state, record)
    return f"{above}, ordered in segment {record.segment}" if above else ""


def _on_refused_keys(state: LedgerState) -> Iterator[OrderRecord]:
    for key in state.refused_keys:
        for record in state.keys.get(key, ()):
            if record.may_be_signed and refused_before(state, key, record.segment):
                yield record
    for authority in state.authorities.values():
        for csr in (authority.csr, authority.pending_csr):
            if csr is not None and refused_before(state, csr.key, csr.segment):
                yield csr


def _by_revoked_authorities(state: LedgerState) -> Iterator[OrderRecord]:
    authorities = state.authorities.values()
    if not any(_end(state, own) for authority in authorities for _, own in authority.certificates):
        return
    for record in state.serials.values():
        if record.may_be_signed and _revoked_above(state, record):
            yield record


def _revoked_above(state: LedgerState, record: OrderRecord) -> str:
    """Return in words which CA above a certificate was revoked in a segment before its order's.

    Judged is each CA's certificate that was in use then. CSRs have no CA above them here.
    """
    name, seen = record.ordered.ca, set[str]()
    while isinstance(record.ordered.particulars, CertificateParticulars) and name not in seen:
        seen.add(name)
        own = state.authority(name).certificate_before(record.segment)
        if own is None:
            break
        revoked = _end(state, own)
        if revoked is not None and revoked[0] < record.segment:
            return f"CA {name} was revoked by then: for {revoked[1].reason} in segment {revoked[0]}"
        name = own.ordered.ca
    return ""


def _end(state: LedgerState, own: OrderRecord) -> tuple[int, Revoked] | None:
    """Return the segment that revoked a CA's certificate, or refused its key, and the event."""
    key = own.certificate.key
    ends = (
        [(state.refused_since[key], state.refused_keys[key])] if key in state.refused_keys else []
    )
    if own.revoked_in:
        ends.append((own.revoked_in, state.revoked[own.ordered.ca, own.certificate.serial]))
    return min(ends, key=lambda end: end[0], default=None)
