"""What is dated ahead of the clock of whoever verifies: told, and no contradiction.

A machine whose clock was ahead has recorded and signed such orders in good faith, with commits of
the same date; and whoever can push can date a commit as they like. So neither an order's date
against its commit's nor anything else in a clone tells the two apart. The clock of another machine
is all that a forger cannot set.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gitca.ledger.draft import LEASE, dated_ahead, recorded_at
from gitca.ledger.state import LedgerState

_TIME = "%Y-%m-%dT%H:%M:%SZ"


def find_ahead(state: LedgerState, now: datetime, *, since: int) -> Iterator[str]:
    """Yield, in words, the orders after a segment, and the CRLs, that are dated ahead of now.

    Not those that were given up and never signed.
    """
    ahead = [
        record
        for record in state.orders.values()
        if record.segment > since and dated_ahead(record.ordered, now)
        if record.abandoned is None or record.spent
    ]
    if ahead:
        last = max(ahead, key=lambda record: record.ordered.lease)
        ordered, count = last.ordered, len(ahead)
        yield (
            f"{count} order{'s' if count > 1 else ''}, the latest {ordered.order} (CA {ordered.ca},"
            f" {last.about}, segment {last.segment}) of {recorded_at(ordered):{_TIME}}"
        )
    for name, authority in state.authorities.items():
        crl = authority.crl.crl if authority.crl else None
        if crl is not None and crl.this_update > now + LEASE:
            begin = f"{crl.this_update:{_TIME}}"
            yield f"CRL {crl.number} of CA {name}, which is valid from {begin} on and not before"
