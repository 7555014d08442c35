"""The whole of `issued/` as the ledger gives it at one moment: every file, from the state alone."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from gitca.ledger.image import (
    CERTIFICATE_LABEL,
    CSR_LABEL,
    authority_chain,
    authority_path,
    certificate_der,
    certificate_path,
    chain_path,
    cross_path,
    csr_der,
    csr_path,
    image_of_adoption,
    is_self_signed,
)
from gitca.ledger.records import EXTERNAL, AuthorityRecord, OrderRecord
from gitca.ledger.state import LedgerState
from gitca.x509.pem import to_pem


def whole_image(state: LedgerState) -> Iterator[tuple[str, bytes]]:
    """Yield each file below `issued/` but the ledger, the CRLs and what awaits a signature.

    A CRL's bytes do not follow from the last state; its fingerprint is in the ledger. Raises:
    ContradictionError where the ledger holds no base64.
    """
    chains = functools.cache(functools.partial(_chain, state))
    for name, request in state.requests.items():
        record = request.current
        if record is not None:
            pem = _pem(certificate_der(record)) + chains(record.ordered.ca, record.segment)
            yield certificate_path(record.ordered.ca, name), pem.encode()
    for name, authority in state.authorities.items():
        yield from _authority(state, name, authority)


def _authority(
    state: LedgerState, name: str, authority: AuthorityRecord
) -> Iterator[tuple[str, bytes]]:
    if authority.csr is not None:
        yield csr_path(name), to_pem(csr_der(authority.csr), CSR_LABEL).encode()
    for issuer, cross in authority.crosses.items():
        yield cross_path(name, issuer), _pem(certificate_der(cross)).encode()
    if authority.certificate is not None:
        yield from _own(state, name, authority, authority.certificate)


def _own(
    state: LedgerState, name: str, authority: AuthorityRecord, record: OrderRecord
) -> Iterator[tuple[str, bytes]]:
    if record.ordered.ca == EXTERNAL and authority.adopted is not None:
        shown = image_of_adoption(authority.adopted).items()
        yield from ((path, data) for path, data in shown if data is not None)
        return
    own = _pem(certificate_der(record))
    yield authority_path(name), own.encode()
    if not is_self_signed(record):
        chain = own + _chain(state, record.ordered.ca, record.segment)
        yield chain_path(name), chain.encode()


def _chain(state: LedgerState, ca: str, segment: int) -> str:
    return "".join(map(_pem, authority_chain(state, ca, segment)))


def _pem(der: bytes) -> str:
    return to_pem(der, CERTIFICATE_LABEL)
