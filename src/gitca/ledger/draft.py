"""Drafts: what a run is about to record, before the store has made it an order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gitca.ledger.events import (
    Abandoned,
    Adopted,
    CrlParticulars,
    Ordered,
    Particulars,
    Revoked,
    SourceDocuments,
)
from gitca.ledger.image import crl_entries
from gitca.x509.certificate import Certificate
from gitca.x509.crl import build_crl_tbs

LEASE = timedelta(minutes=10)
ORDER_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Draft:
    """The event that will record an order, and the exact bytes that it orders signed."""

    ordered: Ordered
    tbs: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one commit records.

    Orders, revocations, orders given up, and certificates of external CAs taken into use.
    """

    drafts: tuple[Draft, ...] = ()
    revoked: tuple[Revoked, ...] = ()
    abandoned: tuple[Abandoned, ...] = ()
    adopted: tuple[Adopted, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.drafts or self.revoked or self.abandoned or self.adopted)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an order comes from: its documents, their commit, the run and its moment."""

    documents: SourceDocuments
    source: str
    run: str
    now: datetime


def draft_order(
    tbs: bytes,
    particulars: Particulars,
    *,
    ca: str,
    signature_algorithm: str,
    origin: Origin,
) -> Draft:
    """Return the draft of an order for these bytes, leased to its run for 10 minutes."""
    digest = hashlib.sha256(tbs).hexdigest()
    ordered = Ordered(
        order=digest[:ORDER_DIGITS],
        ca=ca,
        particulars=particulars,
        tbs=f"sha256:{digest}",
        signature_algorithm=signature_algorithm,
        documents=origin.documents,
        source=origin.source,
        run=origin.run,
        lease=origin.now + LEASE,
    )
    return Draft(ordered, tbs)


def recorded_at(ordered: Ordered) -> datetime:
    """Return the moment at which an order was recorded."""
    return ordered.lease - LEASE


def dated_ahead(ordered: Ordered, now: datetime) -> bool:
    """Whether an order is dated more than a lease later than now."""
    return ordered.lease > now + 2 * LEASE


def listed_too_early(given: CrlParticulars, revocations: Iterable[Revoked]) -> Revoked | None:
    """Return the first revocation that is dated more than a lease later than the CRL to list it.

    Relying parties that weigh the date would trust its certificate until then, and an entry that
    was published is never changed.
    """
    # Whoever can push can write any dates: a difference of two is no date, and always there.
    ahead = (revoked for revoked in revocations if revoked.date - given.this_update > LEASE)
    return next(ahead, None)


def crl_tbs(
    issuer: Certificate,
    particulars: CrlParticulars,
    revocations: Iterable[Revoked],
    *,
    signature_algorithm: str,
) -> bytes:
    """Return the bytes that a CRL's order stands for (RFC 5280 section 5.1).

    Raises: RefusedError for particulars that no CRL can state.
    """
    return build_crl_tbs(
        issuer,
        signature_algorithm=signature_algorithm,
        crl_number=particulars.number,
        this_update=particulars.this_update,
        next_update=particulars.next_update,
        entries=crl_entries(revocations),
    )
