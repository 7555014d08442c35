"""The URLs that `ca/repository.yaml` gives to CAs whose documents state none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.flaws import flaw
from gitca.documents.repository import DefaultUrls
from gitca.findings import Finding

Authority = Document[CertificateAuthoritySpec]


def with_default_urls(
    authorities: Mapping[str, Authority], urls: DefaultUrls
) -> Mapping[str, Authority]:
    """Return the CAs, each with the default URLs where its own document has no such key.

    Later readers need not know which of the two said it.
    """
    return {name: _with_defaults(authority, urls) for name, authority in authorities.items()}


def lost_defaults(authorities: Mapping[str, Authority]) -> Iterator[Finding]:
    """Yield `authority.urls.broken` for every CA that a broken ca/repository.yaml leaves unsaid.

    Its certificates would be without URLs that nobody can give them afterwards.
    """
    for authority in authorities.values():
        if not _states_all(authority.spec):
            yield flaw(
                "authority.urls.broken",
                "the CA states not all of its URLs, and ca/repository.yaml, which may have defaults"
                " for them, has findings",
                authority.at("spec"),
                "mend ca/repository.yaml first",
            )


def _states_all(spec: CertificateAuthoritySpec) -> bool:
    return "urls" in spec.crl.model_fields_set and "ca_issuers_urls" in spec.model_fields_set


def _with_defaults(authority: Authority, urls: DefaultUrls) -> Authority:
    spec, crl = authority.spec, authority.spec.crl
    changes: dict[str, Any] = {}
    if urls.crl and "urls" not in crl.model_fields_set:
        changes["crl"] = crl.model_copy(update={"urls": urls.crl})
    if urls.ca_issuers and "ca_issuers_urls" not in spec.model_fields_set:
        changes["ca_issuers_urls"] = urls.ca_issuers
    return replace(authority, spec=spec.model_copy(update=changes)) if changes else authority
