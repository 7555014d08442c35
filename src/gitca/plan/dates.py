"""The dates of what is issued: frozen when it is built, found again when its order is checked."""

from __future__ import annotations

from datetime import datetime, timedelta

from gitca.ledger.state import OrderRecord
from gitca.x509.certificate import Certificate

ONE_SECOND = timedelta(seconds=1)


def certificate_period(
    now: datetime, validity: timedelta, *, backdate: timedelta, issuer: Certificate | None
) -> tuple[datetime, datetime]:
    """Return notBefore and notAfter, both inclusive, within the issuer's own (None: a root).

    The policy has judged whether the end may be cut off where the issuer's is.
    """
    not_before = now - backdate
    if issuer is not None:
        not_before = max(not_before, issuer.not_before)
    # notAfter is inclusive, so one second less (RFC 5280 section 4.1.2.5).
    not_after = not_before + validity - ONE_SECOND
    return not_before, not_after if issuer is None else min(not_after, issuer.not_after)


def crl_period(
    now: datetime, lifetime: timedelta, last: OrderRecord | None
) -> tuple[datetime, datetime]:
    """Return thisUpdate and nextUpdate of the CRL that follows a CA's last signed one.

    Relying parties (NSS) keep the CRL with the later thisUpdate, whatever its number: one made in
    the same second, or after a clock stepped back, must still look newer.
    """
    this_update = now if last is None else max(now, last.crl.this_update + ONE_SECOND)
    return this_update, this_update + lifetime
