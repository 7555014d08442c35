"""Signatures that the ledger says the CAs' keys made: the newest are verified before every run.

Whoever may push can write a `signed` event, with a certificate or CRL in `issued/` as the ledger
gives it then. Every run looks at each CA's current CRL, and at the certificates of requests that
this clone has not looked at before. A clone that has looked at nothing looks at the last ones: no
run signs upon what it found wrong, so that what a pusher wrote since the last run is the newest
there is. (CAs' own certificates and CSRs are the fold's.) `gitca verify` looks at every one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gitca.errors import ContradictionError
from gitca.git.repository import GitRepository
from gitca.ledger.endorsement import check_certificate, check_crl
from gitca.ledger.events import CertificateParticulars
from gitca.ledger.records import OrderRecord
from gitca.ledger.refused import refusal_words, refused_orders
from gitca.ledger.segment import segment_path
from gitca.ledger.state import LedgerState

NEWEST = 2000
"""How many certificates a clone looks at that has looked at none: some 0.1 ms each."""


def check_certificates(
    repository: GitRepository,
    tip: str,
    state: LedgerState,
    *,
    since: int | None = None,
    newest: int = NEWEST,
) -> None:
    """Raise ContradictionError where a request's certificate was not signed by its CA's key.

    Looked at are those signed after the segment `since`; the `newest`, where it is None. The oldest
    of them that is wrong is told.
    """
    for record in _last_signed(state, since, newest):
        with _telling(repository, tip, record, record.signed_in):
            check_certificate(record, state.authority(record.ordered.ca).certificate)


def check_current_crl(
    repository: GitRepository, tip: str, state: LedgerState, record: OrderRecord, crl_der: bytes
) -> None:
    """Raise ContradictionError where a CA's current CRL was not signed by its key."""
    with _telling(repository, tip, record, record.signed_in):
        check_crl(record, crl_der, state.authority(record.ordered.ca).certificate)


def check_refusals(repository: GitRepository, tip: str, state: LedgerState) -> None:
    """Raise ContradictionError where an order is on a refused key, or by a revoked CA."""
    for record in sorted(refused_orders(state), key=lambda item: item.segment):
        with _telling(repository, tip, record, record.segment):
            raise ValueError(refusal_words(state, record))


def _last_signed(state: LedgerState, since: int | None, newest: int) -> Sequence[OrderRecord]:
    """Return certificates of requests by the segment of their signature."""
    after = since or 0
    records = [
        record
        for record in state.orders.values()
        if record.signed_in > after
        and isinstance(record.ordered.particulars, CertificateParticulars)
        and record.ordered.particulars.request is not None
    ]
    records.sort(key=lambda record: record.signed_in)
    return records if since is not None else records[-newest:]


@contextmanager
def _telling(
    repository: GitRepository, tip: str, record: OrderRecord, segment: int
) -> Iterator[None]:
    """Turn what is wrong with an order into a contradiction that names the commit of a segment."""
    try:
        yield
    except ValueError as error:
        path = segment_path(segment)
        commit = repository.past.last_change(tip, path)
        by = f"commit {commit[:12]} wrote it" if commit else "no commit of this clone wrote it"
        raise ContradictionError(
            f"{path}: order {record.ordered.order} ({record.about}): {error}; {by}",
            remedy="nothing was signed upon it; find who pushed that commit, and put the branch"
            " back to the one before it (docs/operations.md); gitca verify says all that is wrong",
        ) from error
