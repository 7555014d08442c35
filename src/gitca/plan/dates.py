"""Dates: those of an order, and times that a request states against those of its certificate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.ledger.records import OrderRecord
from gitca.policy.case import Verdict
from gitca.policy.period import LAST_MOMENT, ONE_SECOND, Period
from gitca.x509.certificate import Certificate

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


def certificate_dates(
    moment: datetime, period: Period, issuer: Certificate | None, ends_by: datetime | None
) -> tuple[datetime, datetime]:
    """Return notBefore and notAfter as the moment of an order gives them; no issuer for a root."""
    within = (issuer.not_before, issuer.not_after) if issuer else (None, None)
    begin, end = period.dates(moment, *within)
    return begin, end if ends_by is None else min(end, ends_by - ONE_SECOND)


def crl_period(
    now: datetime, spec: CertificateAuthoritySpec, last: OrderRecord | None, end: datetime
) -> tuple[datetime, datetime]:
    """Return thisUpdate and nextUpdate of the CRL that follows a CA's last signed one.

    That of a retired CA lasts as long as its certificate, which ends at `end`.

    Relying parties (NSS) keep the CRL with the later thisUpdate, whatever its number: one made in
    the same second, or after a clock stepped back, must still look newer.
    """
    this_update = now if last is None else max(now, _after(last.crl.this_update, ONE_SECOND))
    lasting = _after(this_update, spec.crl.lifetime)
    return this_update, max(lasting, end) if spec.state == "retired" else lasting


def _after(moment: datetime, duration: timedelta) -> datetime:
    """Return a later moment, or the last one: whoever can push can date an order in 9999."""
    return moment + duration if moment < LAST_MOMENT - duration else LAST_MOMENT
