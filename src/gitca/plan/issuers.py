"""CAs as a plan sees them: the document, what the ledger has of it, and why it may not issue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.load import Governing
from gitca.findings import Finding, Severity, has_errors
from gitca.ledger.events import DocumentReference, SourceDocuments
from gitca.ledger.image import csr_path, standing_certificate
from gitca.ledger.records import EXTERNAL, AuthorityRecord, OrderRecord
from gitca.ledger.state import LedgerState
from gitca.plan.reserved_keys import judge_standing_key
from gitca.policy.authority import judge_authority, propose_authority
from gitca.policy.case import IssuerFacts
from gitca.policy.external_statement import discrepancies
from gitca.policy.issuer_urls import issuer_urls
from gitca.x509.algorithms import check_algorithm, default_algorithm
from gitca.x509.certificate import Certificate
from gitca.x509.template import CertificateTemplate


@dataclass(frozen=True, slots=True)
class Issuer:
    """One CA: `certificate` is None while it has none.

    `held_up` says that it may issue nothing: its document is wrong, its certificate or one above is
    revoked, or an external CA has not given it one.
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
    def is_external(self) -> bool:
        """Whether a CA outside of the repository gives this one its certificate."""
        return self.document.spec.issuer == EXTERNAL

    def renewal_is_due(self, now: datetime) -> bool:
        """Whether the CA's document wants its certificate made anew by now."""
        before = self.document.spec.renew_before
        return bool(
            before is not None and self.certificate and now >= self.certificate.not_after - before
        )

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


def read_issuers(
    governing: Governing,
    state: LedgerState,
    now: datetime,
    *,
    before: int | None = None,
    will_revoke: Callable[[OrderRecord], bool] = lambda _: False,
) -> Mapping[str, Issuer]:
    """Return the CAs that have a sound document, parents before children.

    Their certificates are those in use when the segment `before` was written; None for now. One
    that is about to be revoked counts as revoked: a renewal in the same run would outlive it.
    """
    issuers: dict[str, Issuer] = {}
    for document in _parents_first(governing.authorities):
        parent = issuers.get(document.spec.issuer)
        if document.spec.issuer in ("self", EXTERNAL) or parent is not None:
            standing = state.authority(document.name).certificate_before(before)
            issuers[document.name] = (
                _read_issuer(document, parent, state, standing, governing, will_revoke(standing))
                if standing is not None
                else _read_missing(document, parent, state, now)
            )
    return issuers


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
    standing: OrderRecord,
    governing: Governing,
    will_be_revoked: bool,
) -> Issuer:
    """Return a CA that has its certificate."""
    certificate = standing_certificate(standing)
    key, blocked = certificate.template.key_identifier, governing.blocked_keys
    is_refused = will_be_revoked or state.is_revoked(standing) or key in state.refused_keys
    # Whoever verifies the CA follows its certificate, whatever issuer its document names by now.
    above = bool(parent and parent.is_revoked) or state.is_authority_revoked(document.name)
    revoked = is_refused or above
    findings = (
        *_other_issuer(document, standing.ordered.ca),
        *_differences(document, certificate, standing.ordered.ca == EXTERNAL),
        *judge_standing_key(document, key, blocked),
        *_revocation(document, revoked),
    )
    held_up = has_errors(findings) or revoked
    record = state.authority(document.name)
    return Issuer(document.name, document, record, certificate, held_up, revoked, findings)


def _read_missing(
    document: Document[CertificateAuthoritySpec],
    parent: Issuer | None,
    state: LedgerState,
    now: datetime,
) -> Issuer:
    """Return a CA that is still to be made."""
    facts = parent.facts(now) if parent else None
    findings = judge_authority(document, parent.document if parent else None, facts, now)
    revoked = bool(parent and parent.is_revoked)
    # Nothing that is planned here makes the certificate of a CA whose issuer is external.
    awaited = document.spec.issuer == EXTERNAL
    held_up = has_errors(findings) or awaited or bool(parent and parent.held_up)
    record = state.authority(document.name)
    return Issuer(document.name, document, record, None, held_up, revoked, tuple(findings))


def _other_issuer(
    document: Document[CertificateAuthoritySpec], issued_by: str
) -> Iterator[Finding]:
    named = document.spec.issuer
    if issued_by == (document.name if named == "self" else named):
        return
    given = {document.name: "self-signed", EXTERNAL: "from an external CA"}
    remedy = "restore the document, or write a new CA document with a key of its own"
    if named == EXTERNAL:
        remedy += f"; to change over, let the external CA certify {csr_path(document.name)}"
    yield Finding(
        rule=CHANGED,
        severity=Severity.ERROR,
        message=f"the document's issuer is {named}, and the CA's certificate is"
        f" {given.get(issued_by, f'from CA {issued_by}')}; a CA's certificate is not changed after"
        " it was made",
        location=document.at("spec", "issuer"),
        remedy=remedy,
    )


def _differences(
    document: Document[CertificateAuthoritySpec], certificate: Certificate, is_adopted: bool
) -> Iterator[Finding]:
    if is_adopted:
        yield from _differences_of_adopted(document, certificate)
        return
    wanted = propose_authority(document, certificate.template.spki_der)
    for field, key in _FIXED_FIELDS.items():
        if getattr(wanted, field) != getattr(certificate.template, field):
            yield Finding(
                rule=CHANGED,
                severity=Severity.ERROR,
                message=f"the document's {key} is not what the CA's certificate says,"
                " and a CA's certificate is not changed after it was made",
                location=document.at("spec", key),
                remedy="restore the document, or write a new CA document with a key of its own",
            )


def _differences_of_adopted(
    document: Document[CertificateAuthoritySpec], certificate: Certificate
) -> Iterator[Finding]:
    for item in discrepancies(document, certificate):
        yield Finding(
            rule=CHANGED,
            severity=Severity.ERROR,
            message=f"the CA's certificate is not what its document says: {item.message}",
            location=document.at("spec", item.field),
            remedy="restore the document, or let the external CA certify"
            f" {csr_path(document.name)}, which says the same, and replace ca/{document.name}.pem",
        )


CHANGED = "authority.changed"
"""The rule that a CA's document says what its certificate says, and who gave it."""

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
