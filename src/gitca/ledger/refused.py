"""Orders on keys that were refused already when they were recorded: gitca makes none."""

from __future__ import annotations

from collections.abc import Iterator

from gitca.ledger.events import CrlParticulars, Revoked
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState


def refused_before(state: LedgerState, key: str, segment: int) -> Revoked | None:
    """Return the revocation by which a key (`sha256:…`) was refused when a segment was written.

    One in the same segment counts: a run that revokes orders nothing on the key besides.
    """
    since = state.refused_since.get(key)
    return state.refused_keys[key] if since is not None and since <= segment else None


def orders_on_refused_keys(state: LedgerState) -> Iterator[OrderRecord]:
    """Yield what was ordered or adopted on a key after it was refused; not what was given up.

    Of a CA's CSRs the last one, and that which awaits its signature, are looked at.
    """
    for key in state.refused_keys:
        for record in state.keys.get(key, ()):
            if not record.abandoned and refused_before(state, key, record.segment):
                yield record
    for authority in state.authorities.values():
        for csr in (authority.csr, authority.pending_csr):
            if csr is not None and refused_before(state, csr.key, csr.segment):
                yield csr


def refusal_words(state: LedgerState, record: OrderRecord) -> str:
    """Return in words that the key of an order was refused before; nothing where it was not."""
    if isinstance(record.ordered.particulars, CrlParticulars):
        return ""
    revoked = refused_before(state, record.key, record.segment)
    if revoked is None:
        return ""
    return (
        f"its key {record.key} was refused by then: revoked for {revoked.reason} in segment"
        f" {state.refused_since[record.key]}, ordered in segment {record.segment}"
    )
