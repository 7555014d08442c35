"""CAs as a plan sees them: the document, what the ledger has of it, and why it may not issue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.load import Governing
from gitca.findings import Finding, Severity, has_errors
from gitca.ledger.events import DocumentReference, SourceDocuments
from gitca.ledger.image import standing_certificate
from gitca.ledger.records import AuthorityRecord
from gitca.ledger.state import LedgerState
from gitca.plan.model import CreateAuthority, SignCrl
from gitca.plan.reserved_keys import judge_standing_key
from gitca.policy.authority import judge_authority, propose_authority
from gitca.policy.case import IssuerFacts
from gitca.policy.issuer_urls import issuer_urls
from gitca.x509.algorithms import check_algorithm, default_algorithm
from gitca.x509.certificate import Certificate
from gitca.x509.template import CertificateTemplate


@dataclass(frozen=True, slots=True)
class Issuer:
    """One CA: `certificate` is None while it has none.

    `held_up` says that it may issue nothing: its document is wrong, or its certificate or one above
    is revoked.
    """

    name: str
    document: Document[CertificateAuthoritySpec]
    record: AuthorityRecord
    certificate: Certificate | None
    held_up: bool
    is_revoked: bool
    findings: tuple[Finding, ...]

    @property
    def parent(self) -> str:
        """The name of the CA that signs this one; its own for a root."""
        issuer = self.document.spec.issuer
        return self.name if issuer == "self" else issuer

    @property
    def sources(self) -> SourceDocuments:
        """The documents that an order for this CA's certificate or CRL comes from."""
        return SourceDocuments(ca=DocumentReference(self.document.path, self.document.blob))

    def facts(self, now: datetime) -> IssuerFacts:
        """Return what requests are judged against; of a CA still to be made, what it will be."""
        certificate = self.certificate
        if certificate is not None:
            return IssuerFacts(
                name=self.name,
                not_before=certificate.not_before,
                not_after=certificate.not_after,
                template=certificate.template,
            )
        template = propose_authority(self.document, b"")
        return IssuerFacts(
            name=self.name,
            not_before=now,
            not_after=now + self.document.spec.validity,
            template=template,
        )


def read_issuers(governing: Governing, state: LedgerState, now: datetime) -> Mapping[str, Issuer]:
    """Return the CAs that have a sound document, parents before children."""
    issuers: dict[str, Issuer] = {}
    for document in _parents_first(governing.authorities):
        parent = issuers.get(document.spec.issuer)
        if document.spec.issuer == "self" or parent is not None:
            issuers[document.name] = _read_issuer(document, parent, state, now, governing)
    return issuers


def plan_authorities(issuers: Mapping[str, Issuer]) -> Iterator[CreateAuthority]:
    """Yield the creation of every CA that has no certificate, has none ordered, and may be made."""
    for issuer in issuers.values():
        missing = issuer.certificate is None and issuer.record.pending_certificate is None
        if missing and issuer.document.spec.state == "active" and not issuer.held_up:
            yield CreateAuthority(
                ca=issuer.parent,
                authority=issuer.name,
                reason="the CA has no certificate yet",
                documents=issuer.sources,
            )


def plan_crls(
    issuers: Mapping[str, Issuer], revoking: Mapping[str, int], now: datetime
) -> Iterator[SignCrl]:
    """Yield the next CRL of every CA that owes one; `revoking` counts planned revocations by CA."""
    for issuer in issuers.values():
        reason = _crl_reason(issuer, revoking.get(issuer.name, 0), now)
        if reason:
            yield SignCrl(ca=issuer.name, reason=reason, documents=issuer.sources)


def _crl_reason(issuer: Issuer, revoking: int, now: datetime) -> str:
    record, spec = issuer.record, issuer.document.spec
    made = issuer.certificate is not None or (spec.state == "active" and not issuer.held_up)
    ended = issuer.certificate is not None and issuer.certificate.not_after < now
    if spec.state == "retired" or record.pending_crl or ended or not made:
        return ""
    if record.crl is None:
        return "the CA has no CRL yet"
    unlisted = revoking + len(record.revocations) - record.crl.crl.revocations
    if unlisted:
        return f"{unlisted} revocation{'s' if unlisted > 1 else ''} to list"
    if now >= record.crl.crl.next_update - spec.crl.refresh_before:
        return "the CRL is due for its refresh"
    return ""


def authority_template(
    document: Document[CertificateAuthoritySpec],
    signing: Document[CertificateAuthoritySpec],
    spki_der: bytes,
    signing_spki: bytes,
) -> CertificateTemplate:
    """Return the template of a CA's certificate, with what the CA above says of itself.

    `signing_spki` is the key of the CA above. A root carries no pointer to its own CRL and
    certificate: who trusts it has it already.
    """
    template = propose_authority(document, spki_der)
    if document.name == signing.name:
        return template
    urls = issuer_urls(signing, signing_spki)
    return replace(template, crl_urls=urls.crl, ca_issuers_urls=urls.ca_issuers)


def signature_algorithm(document: Document[CertificateAuthoritySpec], spki_der: bytes) -> str:
    """Return the algorithm that a CA signs with: its document's, or its key's default.

    Raises: AlgorithmRefusedError when the document names one that the key cannot do.
    """
    stated = document.spec.signature_algorithm
    if stated is None:
        return default_algorithm(spki_der)
    check_algorithm(spki_der, stated)
    return stated


def _parents_first(
    authorities: Mapping[str, Document[CertificateAuthoritySpec]],
) -> list[Document[CertificateAuthoritySpec]]:
    ordered: dict[str, Document[CertificateAuthoritySpec]] = {}

    def visit(name: str) -> None:
        document = authorities.get(name)
        # A loop of issuers is a finding of load_governing; here it only has to end.
        if document is None or name in ordered or name in visiting:
            return
        visiting.add(name)
        visit(document.spec.issuer)
        ordered[name] = document

    visiting: set[str] = set()
    for name in sorted(authorities):
        visit(name)
    return list(ordered.values())


def _read_issuer(
    document: Document[CertificateAuthoritySpec],
    parent: Issuer | None,
    state: LedgerState,
    now: datetime,
    governing: Governing,
) -> Issuer:
    record = state.authority(document.name)
    if record.certificate is not None:
        certificate = standing_certificate(record.certificate)
        revoked = state.is_revoked(record.certificate) or bool(parent and parent.is_revoked)
        key, blocked = certificate.template.key_identifier, governing.blocked_keys
        findings = (
            *_differences(document, certificate),
            *judge_standing_key(document, key, blocked),
            *_revocation(document, revoked),
        )
        held_up = has_errors(findings) or revoked
        return Issuer(document.name, document, record, certificate, held_up, revoked, findings)
    facts = parent.facts(now) if parent else None
    findings = judge_authority(document, parent.document if parent else None, facts, now)
    revoked = bool(parent and parent.is_revoked)
    held_up = has_errors(findings) or bool(parent and parent.held_up)
    return Issuer(document.name, document, record, None, held_up, revoked, tuple(findings))


def _differences(
    document: Document[CertificateAuthoritySpec], certificate: Certificate
) -> Iterator[Finding]:
    wanted = propose_authority(document, certificate.template.spki_der)
    for field, key in _FIXED_FIELDS.items():
        if getattr(wanted, field) != getattr(certificate.template, field):
            yield Finding(
                rule="authority.changed",
                severity=Severity.ERROR,
                message=f"the document's {key} is not what the CA's certificate says,"
                " and a CA's certificate is not changed after it was made",
                location=document.at("spec", key),
                remedy="restore the document, or write a new CA document with a key of its own",
            )


_FIXED_FIELDS = {
    "subject": "subject",
    "basic_constraints": "pathLength",
    "name_constraints": "nameConstraints",
    "certificate_policies": "certificatePolicies",
}


def _revocation(document: Document[CertificateAuthoritySpec], revoked: bool) -> Iterator[Finding]:
    if revoked:
        yield Finding(
            rule="authority.revoked",
            severity=Severity.WARNING,
            message=f"the certificate of CA {document.name} or of one above it is revoked; it"
            " issues nothing more",
            location=document.at("spec"),
            remedy="set state: crl-only, and give its policies another issuer",
        )
