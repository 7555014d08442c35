"""The bytes of orders that await their signature: of a certificate a file, of a CRL rebuilt."""

from __future__ import annotations

import hashlib

from gitca.errors import ContradictionError
from gitca.git.repository import GitRepository
from gitca.git.snapshot import Snapshot
from gitca.ledger.draft import crl_tbs
from gitca.ledger.events import CrlParticulars, Ordered
from gitca.ledger.image import order_path
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState
from gitca.plan.demand import issuer_certificate
from gitca.x509.refusal import RefusedError

LARGEST_TBS = 1024**2


def ordered_bytes(repository: GitRepository, snapshot: Snapshot, record: OrderRecord) -> bytes:
    """Return the bytes that a pending order stands for.

    Raises: ContradictionError when they are missing or not those that were ordered.
    """
    ordered = record.ordered
    if isinstance(ordered.particulars, CrlParticulars):
        tbs = crl_bytes(snapshot.state, ordered, ordered.particulars)
    else:
        tbs = _certificate_bytes(repository, snapshot, ordered)
    if f"sha256:{hashlib.sha256(tbs).hexdigest()}" != ordered.tbs:
        raise ContradictionError(
            f"order {ordered.order} is for bytes with the digest {ordered.tbs}, and"
            f" {_holder(repository, snapshot, record)}",
            remedy="nothing was signed; find the commit that changed it",
        )
    return tbs


def _holder(repository: GitRepository, snapshot: Snapshot, record: OrderRecord) -> str:
    """Return in words what gives other bytes: of a CRL there is no file."""
    if isinstance(record.ordered.particulars, CrlParticulars):
        return f"the ledger gives others for {record.about}"
    path = order_path(record.ordered.order)
    return f"{path} holds others{_touched(repository, snapshot, path)}"


def _touched(repository: GitRepository, snapshot: Snapshot, path: str) -> str:
    commit = repository.past.last_change(snapshot.tip, path) if snapshot.tip else None
    return f" (commit {commit[:12]} touched it last)" if commit else ""


def _certificate_bytes(repository: GitRepository, snapshot: Snapshot, ordered: Ordered) -> bytes:
    blob = snapshot.orders.get(order_path(ordered.order))
    if blob is None:
        raise ContradictionError(
            f"{order_path(ordered.order)} is missing, and its order awaits a signature"
            f"{_touched(repository, snapshot, order_path(ordered.order))}",
            remedy="nothing was signed; find the commit that removed it and restore it",
        )
    return repository.read(blob, size_limit=LARGEST_TBS)


def crl_bytes(state: LedgerState, ordered: Ordered, particulars: CrlParticulars) -> bytes:
    """Return the bytes of the CRL that a CA has ordered and not signed yet.

    They name the certificate that the CA had before the order: one that was taken into use since,
    or by the same segment, may have another key identifier, or its name in other bytes.
    Raises: ContradictionError where it has none, or the order says what no CRL can.
    """
    authority = state.authority(ordered.ca)
    if authority.certificate is None or authority.pending_crl is None:
        raise ContradictionError(f"a CRL of CA {ordered.ca} is ordered before its certificate")
    issuer, entries = issuer_certificate(state, ordered), authority.pending_crl[1]
    algorithm = ordered.signature_algorithm
    try:
        return crl_tbs(issuer, particulars, entries, signature_algorithm=algorithm)
    except RefusedError as error:
        raise ContradictionError(f"order {ordered.order}: {error.message}") from error
