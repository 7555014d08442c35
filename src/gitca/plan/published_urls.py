"""URLs of CRLs and CA certificates, held against what the targets of publishing will serve.

A certificate carries them as long as it lives: what is wrong is told before one is issued.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.load import Governing
from gitca.documents.published_names import (
    bundle_name,
    certificate_names,
    clashing_name,
    crl_names,
    pem_names,
)
from gitca.findings import Finding, Severity
from gitca.ledger.state import LedgerState
from gitca.plan.issuers import Issuer
from gitca.policy.issuer_urls import issuer_urls
from gitca.x509.extensions import subject_key_identifier

_KEY_TEMPLATE = "{ca.keyIdentifier}"  # stays in the URLs of a CA that has no key yet
_HTTP_PORT = 80


@dataclass(frozen=True, slots=True)
class _Place:
    """A URL of a CA, where its document states it, and what is to be fetched there."""

    ca: str
    url: str
    noun: str
    at: tuple[str | int, ...]


def judge_urls(governing: Governing, issuers: Mapping[str, Issuer]) -> Iterator[Finding]:
    """Yield `authority.urls.mismatch` and `authority.urls.unserved` of the CAs' URLs.

    Nothing is said while no target of ca/repository.yaml has a `url`, and of retired CAs.
    """
    roots = [
        _normal(target.url)
        for target in governing.repository.spec.publish
        if target.url is not None
    ]
    if not roots:
        return
    served = _served(issuers)
    for issuer in issuers.values():
        if issuer.document.spec.state != "retired":
            for place in _places(issuer):
                finding = _judge(place, roots, served, issuer.document)
                if finding is not None:
                    yield finding


def judge_names(governing: Governing, state: LedgerState) -> Iterator[Finding]:
    """Yield `authority.name.published` where two CAs would be published at one place.

    CAs of the ledger count whose documents are gone: what is published of them stays.
    """
    if not governing.repository.spec.publish:
        return
    broken = (path.removeprefix("ca/").removesuffix(".yaml") for path in governing.broken)
    known = {name.lower(): name for name in (*governing.authorities, *state.authorities, *broken)}
    for name, document in governing.authorities.items():
        other = known.get((clashing_name(name) or "").lower())
        if other is not None:
            yield Finding(
                rule="authority.name.published",
                severity=Severity.ERROR,
                message=f"CA {name} would be published where objects of CA {other} lie",
                location=document.at("spec"),
                remedy="give the CA another name before it is made, that is not another CA's with"
                " .chain, .crl or a key identifier behind it",
            )


def _served(issuers: Mapping[str, Issuer]) -> Mapping[str, tuple[str, str]]:
    """Return by name at a target whose it is and what: of which CA, `CRL` or `certificate`."""
    served: dict[str, tuple[str, str]] = {}
    for name, issuer in issuers.items():
        key = _key(issuer)
        served |= dict.fromkeys(crl_names(name, key), (name, "CRL"))
        certificates = (*certificate_names(name, key), bundle_name(name))
        served |= dict.fromkeys(certificates, (name, "certificate"))
        served |= dict.fromkeys(pem_names(name), (name, "PEM"))
    return served


def _key(issuer: Issuer) -> str:
    if issuer.certificate is None:
        return _KEY_TEMPLATE
    return subject_key_identifier(issuer.certificate.template.spki_der).hex()


def _places(issuer: Issuer) -> Iterator[_Place]:
    spki_der = issuer.certificate.template.spki_der if issuer.certificate else b""
    urls = issuer_urls(issuer.document, spki_der)
    for index, url in enumerate(urls.crl):
        yield _Place(issuer.name, url, "CRL", ("spec", "crl", "urls", index))
    for index, url in enumerate(urls.ca_issuers):
        yield _Place(issuer.name, url, "certificate", ("spec", "caIssuersUrls", index))


def _judge(
    place: _Place,
    roots: list[str],
    served: Mapping[str, tuple[str, str]],
    document: Document[CertificateAuthoritySpec],
) -> Finding | None:
    url = _normal(place.url)
    names = [url.removeprefix(root) for root in roots if url.startswith(root)]
    found = [served[name] for name in names if name in served]
    if (place.ca, place.noun) in found:
        return None
    if found:
        ca, noun = found[0]
        what = "PEM, which RFC 5280 does not allow there" if noun == "PEM" else f"the {noun}"
        return Finding(
            rule="authority.urls.mismatch",
            severity=Severity.ERROR,
            message=f"{place.url} is to give the {place.noun} of CA {place.ca}, and what is"
            f" published there is {what} of CA {ca}",
            location=document.at(*place.at),
            remedy=_remedy(place),
        )
    where = "no target publishes that" if names else "it is below the url of no target"
    return Finding(
        rule="authority.urls.unserved",
        severity=Severity.WARNING,
        message=f"{place.url} is to give the {place.noun} of CA {place.ca}, and {where}",
        location=document.at(*place.at),
        remedy=_remedy(place) + ", or serve it yourself",
    )


def _remedy(place: _Place) -> str:
    ending = "crl" if place.noun == "CRL" else "cer"
    return f"write the url of a target with {{ca.name}}.{ending} behind it"


def _normal(url: str) -> str:
    """Return a URL with its host in lower case and without http's own port."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    port = "" if parts.port in (None, _HTTP_PORT) else f":{parts.port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"http://{host}{port}{parts.path}{query}"
