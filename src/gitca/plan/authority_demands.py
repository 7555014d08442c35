"""What documents demand of a CA's own certificate, its renewals, and its cross-certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.load import Governing
from gitca.ledger.draft import recorded_at
from gitca.ledger.events import CsrParticulars, DocumentReference, Ordered, SourceDocuments
from gitca.ledger.image import standing_certificate
from gitca.ledger.records import EXTERNAL
from gitca.ledger.state import LedgerState
from gitca.plan.crosses import judge_cross
from gitca.plan.dates import certificate_dates
from gitca.plan.demand import (
    Demand,
    check_granted,
    check_named,
    contradiction,
    issuer_certificate,
    issuer_of,
    segment_of,
)
from gitca.plan.issuers import authority_template, read_issuers, signature_algorithm
from gitca.plan.requested_keys import KeyOrders
from gitca.plan.reserved_keys import Reserved, judge_new_key, judge_standing_key
from gitca.policy.authority import judge_authority, propose_authority
from gitca.policy.case import IssuerFacts
from gitca.policy.period import Period
from gitca.x509.csr_writing import build_request_info
from gitca.x509.template import spki_identifier

Authority = Document[CertificateAuthoritySpec]


@dataclass(frozen=True, slots=True)
class AuthorityDemands:
    """Finds what the documents of an order's source commit demand of it.

    `orders` are those on keys before it. Every method raises: ContradictionError where the
    documents do not ask for such an order, or deny it.
    """

    governing: Governing
    state: LedgerState
    ordered: Ordered
    orders: KeyOrders

    def own(self, name: str, spki_der: bytes | None) -> Demand:
        """Return the demand of a CA's own certificate on a key: the first one, or a renewal."""
        document, signing = self._document(name), self._document(self.ordered.ca)
        if spki_der is None:
            raise contradiction(self.ordered, "the key of the CA is not known here")
        is_root = document.spec.issuer == "self"
        if self.ordered.ca != (name if is_root else document.spec.issuer):
            raise contradiction(self.ordered, "the document of the CA names another issuer")
        check_named(self.ordered, _sources(document))
        parent = None if is_root else issuer_certificate(self.state, self.ordered)
        facts = None if is_root else self._facts()
        findings = judge_authority(document, None if is_root else signing, facts, self._moment)
        check_granted(self.ordered, findings)
        self._check_key(document, spki_identifier(spki_der))
        self._check_renewal(document)
        signing_spki = parent.template.spki_der if parent else spki_der
        return Demand(
            template=authority_template(document, signing, spki_der, signing_spki),
            period=certificate_dates(self._moment, Period(document.spec.validity), parent, None),
            issuer=issuer_of(signing, parent, spki_der),
        )

    def cross(self, name: str) -> Demand:
        """Return the demand of a cross-certificate for a CA, on the key that the CA had then."""
        signing, subject = self._document(self.ordered.ca), self._document(name)
        check_named(self.ordered, _sources(signing))
        before = segment_of(self.state, self.ordered)
        standing = self.state.authority(name).certificate_before(before)
        if standing is None:
            raise contradiction(self.ordered, f"CA {name} had no certificate")
        certificate = issuer_certificate(self.state, self.ordered)
        spki_der = standing_certificate(standing).template.spki_der
        try:
            wanted = judge_cross(signing, subject, certificate, spki_der, self._moment)
        except KeyError as error:
            message = f"the document of its CA lists no cross-certificate for CA {name}"
            raise contradiction(self.ordered, message) from error
        check_granted(self.ordered, wanted.findings)
        return Demand(
            template=wanted.template,
            period=certificate_dates(self._moment, wanted.period, certificate, None),
            issuer=issuer_of(signing, certificate, b""),
        )

    def csr(self, given: CsrParticulars, spki_der: bytes | None) -> bytes:
        """Return the bytes of a CSR on a CA's key, for an external CA.

        Raises: RefusedError for what no CSR can say.
        """
        ordered, document = self.ordered, self._document(given.authority)
        if spki_der is None:
            raise contradiction(ordered, "the key of the CA is not known here")
        if document.spec.issuer != EXTERNAL:
            raise contradiction(ordered, "the document of the CA names an issuer that is here")
        check_named(ordered, _sources(document))
        check_granted(ordered, judge_authority(document, None, None, self._moment))
        template = propose_authority(document, spki_der)
        if (template.digest, template.key_identifier) != (given.template, given.key):
            raise contradiction(ordered, "its documents ask for another CSR")
        if ordered.signature_algorithm != signature_algorithm(document, spki_der):
            raise contradiction(ordered, "its CA signs with another algorithm")
        self._check_key(document, given.key)
        return build_request_info(template)

    @property
    def _moment(self) -> datetime:
        return recorded_at(self.ordered)

    def _facts(self) -> IssuerFacts:
        before = segment_of(self.state, self.ordered)
        issuers = read_issuers(self.governing, self.state, self._moment, before=before)
        return issuers[self.ordered.ca].facts(self._moment)

    def _check_key(self, document: Authority, key: str) -> None:
        """Raise where the key was not free for a new CA, or a renewal is not on the CA's own."""
        blocked = self.governing.blocked_keys
        before = segment_of(self.state, self.ordered)
        standing = self.state.authority(document.name).certificate_before(before)
        if standing is None:
            check_granted(
                self.ordered, judge_new_key(document, key, Reserved(blocked, self.orders))
            )
        elif standing.certificate.key != key:
            raise contradiction(self.ordered, "a CA is renewed on its own key alone")
        else:
            check_granted(self.ordered, judge_standing_key(document, key, blocked))

    def _check_renewal(self, document: Authority) -> None:
        """Raise where a CA had its certificate, and its document asked for no other one then."""
        before = segment_of(self.state, self.ordered)
        standing = self.state.authority(document.name).certificate_before(before)
        if standing is None:
            return
        issuers = read_issuers(self.governing, self.state, self._moment, before=before)
        if not issuers[document.name].renewal_is_due(self._moment):
            raise contradiction(self.ordered, "the document of the CA asked for no renewal then")

    def _document(self, name: str) -> Authority:
        document = self.governing.authorities.get(name)
        if document is None:
            raise contradiction(self.ordered, f"the document of CA {name} is missing or broken")
        return document


def _sources(document: Authority) -> SourceDocuments:
    return SourceDocuments(DocumentReference(document.path, document.blob))
