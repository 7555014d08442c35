"""CRLs: each held against the one before it, entry by entry (I6, I7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from gitca.ledger.events import CrlParticulars, Revoked
from gitca.ledger.state import LedgerState


@dataclass(frozen=True, slots=True)
class CrlView:
    """What a CRL says: its number and dates, and its entries by serial number."""

    ca: str
    given: CrlParticulars
    entries: Mapping[str, Revoked]


def compare_crls(state: LedgerState, last: CrlView | None, new: CrlView) -> Iterator[str]:
    """Yield in words what of a CA's last signed CRL the next one contradicts.

    An entry may leave after it was on one CRL that was issued beyond its certificate's validity
    (RFC 5280 section 3.3); nothing else of it may change, and what was revoked since is there.
    """
    number = new.given.number
    if last is not None:
        if number <= last.given.number:
            yield f"CRL {number} of CA {new.ca} follows CRL {last.given.number}"
        if new.given.this_update <= last.given.this_update:
            yield f"CRL {number} of CA {new.ca} is not later than CRL {last.given.number}"
    before = last.entries if last is not None else {}
    for serial, entry in before.items():
        kept = new.entries.get(serial)
        if kept is None:
            expiry = _expiry(state, new.ca, serial)
            if last is None or expiry is None or last.given.this_update <= expiry:
                yield f"CRL {number} of CA {new.ca} lacks {serial}, which was revoked before"
        elif kept != entry:
            yield f"CRL {number} of CA {new.ca} says something else of {serial} than the last one"
    counted = state.authority(new.ca).revocations[: new.given.revocations]
    seen = last.given.revocations if last is not None else 0
    for revoked in counted[seen:]:
        if revoked.serial is not None and revoked.serial not in new.entries:
            yield f"CRL {number} of CA {new.ca} lacks {revoked.serial}, which was revoked since"


def _expiry(state: LedgerState, ca: str, serial: str) -> datetime | None:
    record = state.serials.get((ca, serial))
    return record.certificate.not_after if record else None
