"""Documents out of a tree of Git: what each file says, and what it says of the others.

Whatever is wrong is a finding. A document with a finding of its own is left out of the mappings and
its path is in `broken`: it is there and holds up what depends on it, and nothing more.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitca.documents.authority_certificates import CertificateFile, load_authority_certificates
from gitca.documents.authority_names import misplaced_authorities
from gitca.documents.blocklists import held_up_policies, lost_blocklists, reasons_by_key
from gitca.documents.broken_revocations import BrokenRevocation, broken_revocations
from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.clashes import Known, judge_spelling
from gitca.documents.cross_certificate import cross_findings
from gitca.documents.csr_files import CsrFile, Read, load_csrs
from gitca.documents.default_urls import lost_defaults, with_default_urls
from gitca.documents.document import Document, Metadata
from gitca.documents.fields import no_entries
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.key_blocklist import KeyBlocklistSpec
from gitca.documents.parsed import Parsed, of_kind, parse_all, parse_entry, without
from gitca.documents.references import (
    issuer_findings,
    policy_findings,
    request_findings,
    revocation_findings,
    shared_findings,
)
from gitca.documents.repository import RepositorySpec
from gitca.documents.revocation_request import RevocationRequestSpec
from gitca.documents.schedule import schedule_findings
from gitca.documents.source import Source, parse_source
from gitca.documents.tree import Folder, TreeEntry, request_paths, survey, without_clashes
from gitca.documents.waiver import WAIVERS_FOLDER, WaiverSpec
from gitca.findings import Finding, has_errors

__all__ = [
    "CsrFile",
    "Governing",
    "Known",
    "Read",
    "Requests",
    "TreeEntry",
    "load_governing",
    "load_requests",
    "parse_entry",
    "request_paths",
]

REPOSITORY_PATH = "ca/repository.yaml"
_REQUESTS = ("CertificateRequest", "RevocationRequest")


@dataclass(frozen=True)
class Governing:
    """What `ca/` and `policies/` say. Only documents without findings are in the mappings.

    `repository` is the default one where the document is absent or in `broken`.
    """

    repository: Document[RepositorySpec]
    authorities: Mapping[str, Document[CertificateAuthoritySpec]]
    policies: Mapping[str, Document[IssuancePolicySpec]]
    broken: frozenset[str]
    findings: tuple[Finding, ...]
    blocklists: Mapping[str, Document[KeyBlocklistSpec]] = field(default_factory=no_entries)
    waivers: Mapping[str, Document[WaiverSpec]] = field(default_factory=no_entries)
    authority_certificates: Mapping[str, CertificateFile] = field(default_factory=no_entries)

    @functools.cached_property
    def blocked_keys(self) -> Mapping[str, str]:
        """The keys (`sha256:…`) that are refused under every policy, and why."""
        return reasons_by_key(self.blocklists.values())


@dataclass(frozen=True)
class Requests:
    """What `requests/` says, by name. Only documents without findings are in the mappings.

    `csrs` has one entry for each request. A name that `request_paths` has and that was asked for,
    and that is in neither mapping, is broken, which is not the same as deleted. Of what is broken,
    `broken_revocations` are those that can be seen to ask for a revocation.
    """

    requests: Mapping[str, Document[CertificateRequestSpec]]
    csrs: Mapping[str, CsrFile]
    revocations: Mapping[str, Document[RevocationRequestSpec]]
    broken: frozenset[str]
    findings: tuple[Finding, ...]
    broken_revocations: tuple[BrokenRevocation, ...] = ()


def load_governing(entries: Iterable[TreeEntry], read: Read) -> Governing:
    """Return the documents of `ca/` and `policies/`, and everything that speaks against them."""
    listing = list(entries)
    folder, others = (without_clashes(survey(listing, name)) for name in ("ca", "policies"))
    repository, authorities = _load_ca_folder(folder, read)
    policies, blocklists, waivers = _load_policies(others, read)
    if repository.broken:
        authorities = without(authorities, tuple(lost_defaults(authorities.documents)))
    authorities = without(authorities, shared_findings(authorities.documents))
    broken = _names(authorities.broken)
    authorities = without(authorities, issuer_findings(authorities.documents, broken))
    names = frozenset(authorities.documents) | _names(authorities.broken)
    authorities = without(authorities, cross_findings(authorities.documents, names))
    broken = _names(authorities.broken)
    policies = without(
        policies, policy_findings(policies.documents.values(), authorities.documents, broken)
    )
    certificates, odd = load_authority_certificates(folder, authorities.documents, broken, read)
    settings = repository.documents.get("repository") or _default_repository()
    every = settings.spec.reconcile_every
    scheduled = tuple(schedule_findings(authorities.documents.values(), every))
    return Governing(
        repository=settings,
        authorities=with_default_urls(authorities.documents, settings.spec.urls),
        policies=policies.documents,
        broken=repository.broken | authorities.broken | policies.broken,
        findings=repository.findings + authorities.findings + odd + scheduled + policies.findings,
        blocklists=blocklists,
        waivers=waivers,
        authority_certificates=certificates,
    )


def _default_repository() -> Document[RepositorySpec]:
    return Document(
        kind="Repository",
        name="repository",
        path=REPOSITORY_PATH,
        blob="",
        metadata=Metadata(),
        spec=RepositorySpec(),
        source=Source(REPOSITORY_PATH, "", {}),
    )


def _load_ca_folder(folder: Folder, read: Read) -> tuple[Parsed, Parsed]:
    """Return the repository's document, and those of the CAs."""
    found = dict(folder.documents)
    repository = {name: found.pop(name) for name in ("repository",) if name in found}
    misplaced = dict(misplaced_authorities(found))
    usable = {name: entry for name, entry in found.items() if name not in misplaced}
    parsed = parse_all(usable, read, ("CertificateAuthority",))
    authorities = Parsed(
        parsed.documents,
        parsed.broken | folder.broken | {found[name].path for name in misplaced},
        (*folder.findings, *misplaced.values(), *parsed.findings),
    )
    return parse_all(repository, read, ("Repository",)), authorities


def _load_policies(
    folder: Folder, read: Read
) -> tuple[Parsed, Mapping[str, Document[KeyBlocklistSpec]], Mapping[str, Document[WaiverSpec]]]:
    """Return the policies, all of them broken where a blocklist is, the blocklists, the waivers."""
    waivers, tests, others = _by_use(folder.documents)
    parsed_waivers = parse_all(waivers, read, ("Waiver",))
    strays = _stray_tests(tests, read)
    parsed = parse_all(others, read, ("IssuancePolicy", "KeyBlocklist"))
    broken = parsed.broken | parsed_waivers.broken | strays.broken
    refused = [entry for entry in folder.documents.values() if entry.path in broken]
    policies = Parsed(
        of_kind(parsed, "IssuancePolicy"),
        broken | folder.broken,
        folder.findings + parsed.findings + parsed_waivers.findings + strays.findings,
    )
    lost = lost_blocklists((*folder.refused, *refused), read)
    held_up = held_up_policies(policies.documents.values(), lost)
    blocklists = of_kind(parsed, "KeyBlocklist")
    return without(policies, held_up), blocklists, parsed_waivers.documents


_Entries = dict[str, TreeEntry]


def _by_use(entries: Mapping[str, TreeEntry]) -> tuple[_Entries, _Entries, _Entries]:
    """Return the waivers, the tests of policies, and the policies and blocklists."""
    waivers, tests, others = _Entries(), _Entries(), _Entries()
    for name, entry in entries.items():
        if name.endswith(".tests"):
            tests[name] = entry
        elif name.startswith(WAIVERS_FOLDER):
            waivers[name] = entry
        else:
            others[name] = entry
    return waivers, tests, others


def _stray_tests(entries: Mapping[str, TreeEntry], read: Read) -> Parsed:
    """Return what is wrong with documents that are called tests of policies and are none.

    What the tests themselves say is for `load_policy_tests`: no certificate depends on it.
    """
    strays: _Entries = {}
    for name, entry in entries.items():
        source, found = parse_source(entry.path, read(entry.blob))
        value = None if source is None or has_errors(found) else source.value
        if not isinstance(value, dict) or value.get("kind") != "PolicyTests":
            strays[name] = entry
    return parse_all(strays, read, ("PolicyTests",))


def _names(paths: Iterable[str]) -> frozenset[str]:
    """Return the names of documents in `ca/`, `policies/` or `requests/` by their paths."""
    return frozenset(path.partition("/")[2].removesuffix(".yaml") for path in paths)


def load_requests(
    entries: Iterable[TreeEntry],
    read: Read,
    *,
    only: Collection[str] | None = None,
    governing: Governing | None = None,
    known: Known | None = None,
) -> Requests:
    """Return the documents of `requests/` with their CSRs, and everything against them.

    `only` names the paths of documents to open; the names of all others are looked at and nothing
    more. With `governing`, the policies and CAs that the documents name are checked too; with
    `known`, their names against each other (`path.case`).
    """
    listing = tuple(entries)
    folder = survey(listing, "requests")
    wanted = None if only is None else frozenset(only)
    chosen = {
        name: entry
        for name, entry in folder.documents.items()
        if wanted is None or entry.path in wanted
    }
    parsed = parse_all(chosen, read, _REQUESTS)
    well_formed = {doc.path for doc in of_kind(parsed, "CertificateRequest").values()}
    clashes = _clash_findings(folder.documents, chosen.keys(), parsed, read, known) if known else ()
    if governing is not None:
        parsed = without(parsed, _reference_findings(parsed.documents, governing))
    parsed = without(parsed, clashes)
    requests = of_kind(parsed, "CertificateRequest")
    csrs, broken_csrs = load_csrs(requests, folder.others, read)
    parsed = without(parsed, broken_csrs)
    broken = folder.broken | parsed.broken
    return Requests(
        requests=of_kind(parsed, "CertificateRequest"),
        csrs=csrs,
        revocations=of_kind(parsed, "RevocationRequest"),
        broken=broken,
        findings=folder.findings + parsed.findings,
        broken_revocations=broken_revocations(listing, broken - well_formed, read),
    )


def _clash_findings(
    entries: Mapping[str, TreeEntry],
    chosen: Collection[str],
    parsed: Parsed,
    read: Read,
    known: Known,
) -> tuple[Finding, ...]:
    def is_revocation(name: str) -> bool:
        document = parsed.documents.get(name)
        if name not in chosen:
            document, _ = parse_entry(name, entries[name], read, _REQUESTS)
        return document is not None and document.kind == "RevocationRequest"

    return judge_spelling(entries, known, read=chosen, is_revocation=is_revocation)


def _reference_findings(
    documents: Mapping[str, Document[Any]], governing: Governing
) -> tuple[Finding, ...]:
    by_kind = {kind: [doc for doc in documents.values() if doc.kind == kind] for kind in _REQUESTS}
    broken_policies = _names(path for path in governing.broken if path.startswith("policies/"))
    broken_authorities = _names(path for path in governing.broken if path.startswith("ca/"))
    known = governing.authorities.keys() | broken_authorities
    requests = request_findings(by_kind["CertificateRequest"], governing.policies, broken_policies)
    return requests + revocation_findings(by_kind["RevocationRequest"], known)
