"""Times that a request states, held against those of the certificate that it has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gitca.ledger.state import OrderRecord
from gitca.policy.case import Verdict

_FORM = "%Y-%m-%dT%H:%M:%SZ"


def date_changes(current: OrderRecord, verdict: Verdict, now: datetime) -> Iterator[str]:
    """Yield what changes of the times that a request states, in words; past times change nothing.

    A validity is no such time: it takes effect at the next renewal.
    """
    given, period = current.certificate, verdict.period
    begin, end = period.not_before, verdict.latest_end
    if begin is not None and begin > now and begin != given.not_before:
        yield f"notBefore: {given.not_before:{_FORM}} -> {begin:{_FORM}}"
    if period.not_after is not None and end is not None and end > now and end != given.not_after:
        yield f"notAfter: {given.not_after:{_FORM}} -> {end:{_FORM}}"
