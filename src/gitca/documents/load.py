"""Documents out of a tree of Git: which file is what, and what they say of each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.repository import RepositorySpec
from gitca.documents.revocation_request import RevocationRequestSpec
from gitca.findings import Finding, Location

Read = Callable[[str], bytes]
"""Blob id to bytes."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry of a recursive Git tree: path from the root, mode in octal (`100644`), blob id."""

    path: str
    mode: str
    blob: str


@dataclass(frozen=True)
class Governing:
    """What `ca/` and `policies/` say. Only documents without findings of their own are in it.

    `broken` holds the paths of documents that are there and cannot be used.
    """

    repository: Document[RepositorySpec]
    authorities: Mapping[str, Document[CertificateAuthoritySpec]]
    policies: Mapping[str, Document[IssuancePolicySpec]]
    broken: frozenset[str]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class CsrFile:
    """The bytes of a request's CSR and where they come from.

    Inline: path and blob are the request's own, location is that of `spec.csr`.
    """

    path: str
    blob: str
    data: bytes
    location: Location


@dataclass(frozen=True)
class Requests:
    """What `requests/` says, by name. Only documents without findings of their own are in it.

    A name that `request_paths` has and none of these mappings has is there and broken: it is not
    deleted. `csrs` has one entry for each request.
    """

    requests: Mapping[str, Document[CertificateRequestSpec]]
    csrs: Mapping[str, CsrFile]
    revocations: Mapping[str, Document[RevocationRequestSpec]]
    broken: frozenset[str]
    findings: tuple[Finding, ...]


def load_governing(entries: Iterable[TreeEntry], read: Read) -> Governing:
    """Return the documents of `ca/` and `policies/`."""
    raise NotImplementedError


def load_requests(
    entries: Iterable[TreeEntry],
    read: Read,
    *,
    only: Collection[str] | None = None,
    governing: Governing | None = None,
) -> Requests:
    """Return the documents of `requests/`."""
    raise NotImplementedError


def request_paths(entries: Iterable[TreeEntry]) -> Mapping[str, TreeEntry]:
    """Return the entries of `requests/**.yaml` by name."""
    raise NotImplementedError
