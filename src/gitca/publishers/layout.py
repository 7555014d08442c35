"""The layout of a target: which objects the ledger and the documents give, and where each lies.

`docs/publishing.md` has the table. All of it follows from the state and the CRLs of one commit; the
moment of publishing decides on nothing but which roots have ended.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.load import Governing
from gitca.documents.published_names import (
    bundle_name,
    certificate_names,
    crl_names,
    names_of,
)
from gitca.ledger.image import (
    CERTIFICATE_LABEL,
    authority_chain,
    certificate_der,
    is_self_signed,
    standing_certificate,
)
from gitca.ledger.records import AuthorityRecord, OrderRecord
from gitca.ledger.state import LedgerState
from gitca.publishers import Item
from gitca.publishers.kinds import (
    CERTIFICATE,
    CERTIFICATE_PEM,
    CHAIN,
    CURRENT,
    HOUR,
    PKCS7,
    ROOTS,
    SERIAL,
    crl_item,
)
from gitca.x509.certificate import Certificate
from gitca.x509.certs_only import certs_only
from gitca.x509.extensions import subject_key_identifier
from gitca.x509.pem import to_pem

MANIFEST_PATH = "manifest.json"
ROOTS_PATH = "bundles/roots.pem"
CURRENT_FOLDER = "certificates"
SERIALS_FOLDER = "serials"
CRL_LABEL = "X509 CRL"

Authorities = Mapping[str, Document[CertificateAuthoritySpec]]


@dataclass(frozen=True, slots=True)
class CrlRendition:
    """A CA's current CRL with the objects that hold it, and the certificate of who signed it."""

    ca: str
    der: bytes
    issuer: Certificate
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """An object of an end entity's certificate: the certificate, and the key that signed it.

    `build` makes the object; most are at the target already and are never built.
    """

    path: str
    is_immutable: bool
    der: Callable[[], bytes]
    issuer_spki_der: bytes
    build: Callable[[], Item]


def issuing(state: LedgerState) -> Iterator[tuple[str, AuthorityRecord, Certificate]]:
    """Yield the CAs that have a certificate, with it.

    Raises: ContradictionError where the ledger holds no certificate.
    """
    for name, record in state.authorities.items():
        if record.certificate is not None:
            yield name, record, standing_certificate(record.certificate)


def crl_renditions(
    state: LedgerState, crls: Mapping[str, bytes], authorities: Authorities
) -> Iterator[CrlRendition]:
    """Yield the CAs' current CRLs; `crls` has the DER of each by CA.

    Raises: ContradictionError.
    """
    owners = _owners(state)
    for name, record, certificate in issuing(state):
        if record.crl is None:
            continue
        document = authorities.get(name)
        render = functools.partial(
            crl_item,
            next_update=record.crl.crl.next_update,
            refresh_before=document.spec.crl.refresh_before if document else HOUR,
        )
        crl_der, identifier = crls[name], _key_identifier(certificate)
        pem = to_pem(crl_der, CRL_LABEL).encode()
        items = [render(path, crl_der) for path in crl_names(name, identifier)]
        items.append(render(f"{name}.crl.pem", pem))
        own = tuple(item for item in items if owners[item.path.lower()] == name)
        yield CrlRendition(name, crl_der, certificate, own)


def authority_items(state: LedgerState, governing: Governing, now: datetime) -> tuple[Item, ...]:
    """Return the objects of the CAs' own certificates, and the bundle of roots.

    Raises: ContradictionError.
    """
    owners = _owners(state)
    items = [
        item
        for entry in issuing(state)
        for item in _own_items(state, *entry)
        if owners[item.path.lower()] == entry[0]
    ]
    return (*items, ROOTS.item(ROOTS_PATH, _roots(state, governing, now)))


def misnamed(state: LedgerState) -> Iterator[tuple[str, str, str]]:
    """Yield what is not published because it would lie where an older CA's objects do.

    Each with the name of the CA, and of the older one. Raises: ContradictionError.
    """
    owners = _owners(state)
    for name, _, certificate in issuing(state):
        for path in names_of(name, _key_identifier(certificate)):
            owner = owners[path.lower()]
            if owner != name:
                yield path, name, owner


def _owners(state: LedgerState) -> Mapping[str, str]:
    """Return by path, in lower case, the CA whose objects lie there: of two the older one.

    Relying parties look there for the older one's already, by URLs in its certificates.
    """
    owners: dict[str, str] = {}
    for name, _, certificate in sorted(issuing(state), key=_age):
        for path in names_of(name, _key_identifier(certificate)):
            owners.setdefault(path.lower(), name)
    return owners


def _age(entry: tuple[str, AuthorityRecord, Certificate]) -> tuple[int, int]:
    """Return the segment that made a CA; of two made at once the longer name is the later one."""
    name, record, _ = entry
    return min(since for since, _ in record.certificates), len(name)


def leaves(state: LedgerState) -> Iterator[Leaf]:
    """Yield the objects of all certificates of requests: each serial number's, then the current.

    Raises: ContradictionError.
    """
    keys = {name: certificate.template.spki_der for name, _, certificate in issuing(state)}
    chains = functools.cache(functools.partial(_chain, state))
    for (ca, serial), record in state.serials.items():
        if record.outcome is not None and record.certificate.request is not None:
            yield _serial(f"{SERIALS_FOLDER}/{ca}/{serial}.cer", record, keys[ca])
    for name, request in state.requests.items():
        current = request.current
        if current is not None:
            ca = current.ordered.ca
            yield _current(f"{CURRENT_FOLDER}/{ca}/{name}.pem", current, keys[ca], chains)


def _serial(path: str, record: OrderRecord, spki_der: bytes) -> Leaf:
    der = functools.partial(certificate_der, record)
    return Leaf(path, True, der, spki_der, lambda: SERIAL.item(path, der()))


def _current(
    path: str, record: OrderRecord, spki_der: bytes, chains: Callable[[str, int], str]
) -> Leaf:
    def build() -> Item:
        pem = _pem(certificate_der(record)) + chains(record.ordered.ca, record.segment)
        return CURRENT.item(path, pem.encode())

    return Leaf(path, False, functools.partial(certificate_der, record), spki_der, build)


def _own_items(
    state: LedgerState, name: str, record: AuthorityRecord, certificate: Certificate
) -> Iterator[Item]:
    order = record.certificate
    if order is None:
        return
    own = certificate_der(order)
    for path in certificate_names(name, _key_identifier(certificate)):
        yield CERTIFICATE.item(path, own)
    yield CERTIFICATE_PEM.item(f"{name}.pem", _pem(own).encode())
    if not is_self_signed(order):
        # Of the CAs above those certificates that are in use now, which may have been renewed.
        chain = "".join(map(_pem, authority_chain(state, name)))
        yield CHAIN.item(f"{name}.chain.pem", chain.encode())
    crosses = [
        certificate_der(cross)
        for cross in record.crosses.values()
        if cross.signed is not None and not state.is_revoked(cross)
    ]
    # Beside a cross-certificate a root's own one leads path builders, OpenSSL's among them, astray:
    # who trusts it needs neither, and who does not must not end there.
    of_others = crosses if is_self_signed(order) and crosses else [own, *crosses]
    yield PKCS7.item(bundle_name(name), certs_only(of_others))


def roots(state: LedgerState) -> Iterator[tuple[str, OrderRecord]]:
    """Yield all certificates that roots have and had, by their orders."""
    for name, record in state.authorities.items():
        for _, order in record.certificates:
            if is_self_signed(order):
                yield name, order


def _roots(state: LedgerState, governing: Governing, now: datetime) -> bytes:
    """Return the roots that are to be trusted: none of them retired, gone, revoked or at its end.

    Of a root with `crl-only` certificates stand still that its trust is needed for.
    """
    return "".join(
        _pem(certificate_der(order))
        for name, order in roots(state)
        if order is state.authority(name).certificate
        and order.certificate.not_after >= now
        and not state.is_authority_revoked(name)
        and not _is_given_up(name, governing)
    ).encode()


def _is_given_up(name: str, governing: Governing) -> bool:
    """Whether the documents say that a CA is no longer one, rather than say nothing of it.

    A document that is gone says so as long as all of `ca/` can be read: else it may be the one that
    cannot, under another name.
    """
    document = governing.authorities.get(name)
    if document is not None:
        return document.spec.state == "retired"
    return not any(path == "ca" or path.startswith("ca/") for path in governing.broken)


def _key_identifier(certificate: Certificate) -> str:
    return subject_key_identifier(certificate.template.spki_der).hex()


def _chain(state: LedgerState, ca: str, segment: int) -> str:
    return "".join(map(_pem, authority_chain(state, ca, segment)))


def _pem(der: bytes) -> str:
    return to_pem(der, CERTIFICATE_LABEL)
