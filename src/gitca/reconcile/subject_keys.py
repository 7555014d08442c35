"""Whose key a CA's certificate is on: what a run must know before another CA vouches for it.

The ledger says it, and whoever may push can write into the ledger: a self-signed certificate on a
key of his own is sound in itself. So a CA's key vouches for another CA's only where that one's own
signer is here and holds the key, where the same key vouched for it before, or where a person was
shown it (`Keys.tell`).
"""

from __future__ import annotations

from collections.abc import Mapping

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.ledger.events import CertificateParticulars, Ordered
from gitca.ledger.image import standing_certificate
from gitca.ledger.state import LedgerState
from gitca.reconcile.keys import Keys

Authorities = Mapping[str, Document[CertificateAuthoritySpec]]


def subject_of(ordered: Ordered) -> str | None:
    """Return the CA that an order's certificate is for; None for a request's, a CSR and a CRL."""
    given = ordered.particulars
    return given.authority or given.cross if isinstance(given, CertificateParticulars) else None


def has_vouched(state: LedgerState, issuer: str, subject: str) -> bool:
    """Whether a CA has a certificate by the issuer's key that was never revoked.

    The fold has verified its signature, and that all certificates of a CA are on one key.
    """
    authority = state.authority(subject)
    own = (record for _, record in authority.certificates if record.ordered.ca == issuer)
    cross = authority.crosses.get(issuer)
    return any(not state.is_revoked(item) for item in (*own, cross) if item is not None)


def subject_key(
    keys: Keys, authorities: Authorities, state: LedgerState, *, issuer: str, subject: str
) -> bytes | None:
    """Return the key (SPKI DER) of a CA that the issuer is to certify; None where nobody knows it.

    Raises: ContradictionError where the CA's signer is here and holds another than its certificate.
    """
    standing = state.authority(subject).certificate
    if standing is not None and has_vouched(state, issuer, subject):
        return standing_certificate(standing).template.spki_der
    document = authorities.get(subject)
    if document is None:
        return None
    if standing is not None:
        keys.pinned_signer(document, state)
    return keys.public_key(document)


def knows_subject(
    keys: Keys, authorities: Authorities, state: LedgerState, ordered: Ordered
) -> bool:
    """Whether an order is for no CA, or this run knows the key of the CA that it is for."""
    subject = subject_of(ordered)
    if subject is None:
        return True
    key = subject_key(keys, authorities, state, issuer=ordered.ca, subject=subject)
    return key is not None
