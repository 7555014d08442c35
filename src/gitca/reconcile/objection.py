"""Objections: why an order that was recorded is not to be signed now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from gitca.findings import Finding
from gitca.ledger.draft import recorded_at
from gitca.ledger.records import OrderRecord
from gitca.plan.dates import certificate_dates
from gitca.policy.period import Period
from gitca.x509.certificate import Certificate


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an order is not to be signed now.

    One that is `final` will not be signed at all. Any other waits for a person to mend a document,
    or for a revocation that this run is about to record.
    """

    reason: str
    final: bool = True


def denials(findings: Iterable[Finding]) -> Iterator[Objection]:
    """Yield an objection for every finding that is an error."""
    for denial in findings:
        if denial.is_error:
            yield Objection(f"the documents deny it by now: {denial.message} ({denial.rule})")


def too_long(
    record: OrderRecord, period: Period, issuer: Certificate | None, ends_by: datetime | None
) -> Iterator[Objection]:
    """Yield an objection where an order's certificate would end later than documents allow."""
    _, end = certificate_dates(recorded_at(record.ordered), period, issuer, ends_by)
    if record.certificate.not_after > end:
        yield Objection(f"the documents let it end on {end:%Y-%m-%d} by now, which is earlier")
