"""Where a CA's CRL and certificate are fetched, as its certificates say it."""

from __future__ import annotations

from typing import NamedTuple

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.uris import expand_url
from gitca.x509.extensions import subject_key_identifier


class IssuerUrls(NamedTuple):
    """The URLs of a CA's CRL and of its certificate, in the order of the document."""

    crl: tuple[str, ...]
    ca_issuers: tuple[str, ...]


def issuer_urls(authority: Document[CertificateAuthoritySpec], spki_der: bytes) -> IssuerUrls:
    """Return the URLs of a CA on its key, their templates expanded.

    Without a key (`b""`: the CA is still to be made) `{ca.keyIdentifier}` stays, and nothing that
    says so is built: a CA has its certificate before it issues.
    """
    values = {"ca.name": authority.name}
    if spki_der:
        values["ca.keyIdentifier"] = subject_key_identifier(spki_der).hex()
    spec = authority.spec
    return IssuerUrls(
        tuple(expand_url(url, values) for url in spec.crl.urls),
        tuple(expand_url(url, values) for url in spec.ca_issuers_urls),
    )
