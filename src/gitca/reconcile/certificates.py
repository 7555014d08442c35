"""Certificates: from planned actions to drafts of their orders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.lint_rules import LintRules
from gitca.documents.load import Governing
from gitca.errors import ContradictionError
from gitca.findings import Finding
from gitca.ledger.draft import draft_order
from gitca.ledger.events import CertificateParticulars, SourceDocuments
from gitca.ledger.image import standing_certificate
from gitca.ledger.state import LedgerState
from gitca.plan.desired import policy_name
from gitca.plan.issuers import authority_template, signature_algorithm
from gitca.plan.model import CreateAuthority, CrossCertify, IssueCertificate
from gitca.plan.reserved_keys import Reserved, judge_new_key
from gitca.policy.period import ONE_SECOND, Period
from gitca.reconcile.keys import Keys
from gitca.reconcile.linting import DEFAULT_RULES, Rehearsed, build_finding
from gitca.reconcile.moment import Moment
from gitca.x509.certificate import Certificate, Issuer, Rehearsal, rehearse, template_of
from gitca.x509.refusal import RefusedError
from gitca.x509.template import CertificateTemplate, spki_identifier

DRAWS = 8
Certifying = CreateAuthority | CrossCertify | IssueCertificate
"""The actions that end in a certificate."""


@dataclass(frozen=True, slots=True)
class CertificateBuilder:
    """Builds the certificates of a plan whose issuer has its own.

    On `reserved` keys no CA is made.
    """

    governing: Governing
    state: LedgerState
    keys: Keys
    moment: Moment
    reserved: Reserved
    _drawn: set[tuple[str, str]] = field(default_factory=set)

    def build(self, action: Certifying) -> Iterator[Rehearsed | Finding]:
        """Yield the draft of an action's certificate, or why there is none; nothing yet is no flaw.

        Raises: ContradictionError when the signer of a CA holds another key than its certificate.
        """
        match action:
            case CreateAuthority() if action.authority == action.ca:
                yield from self._authority(action, None)
            case CreateAuthority():
                parent = self._issuer_certificate(action.ca)
                if parent is not None:
                    yield from self._authority(action, parent)
            case CrossCertify():
                yield from self._issued(action, action.template, action.period, None)
            case IssueCertificate():
                yield from self._issued(action, action.template, action.period, action.ends_by)

    def _authority(
        self, action: CreateAuthority, parent: Certificate | None
    ) -> Iterator[Rehearsed | Finding]:
        document = self.governing.authorities[action.authority]
        signing = self.governing.authorities[action.ca]
        self.keys.pinned_signer(signing, self.state)
        spki_der = self._own_key(document)
        if spki_der is None:
            return
        problems = self._key_problems(action, document, spki_identifier(spki_der))
        if problems:
            yield from problems
            return
        signing_spki = parent.template.spki_der if parent else spki_der
        template = authority_template(document, signing, spki_der, signing_spki)
        issuer = Issuer(parent.der if parent else None, signature_algorithm(signing, signing_spki))
        period = self._dates(Period(document.spec.validity), parent)
        yield from self._rehearse(action, template, issuer, period)

    def _own_key(self, document: Document[CertificateAuthoritySpec]) -> bytes | None:
        """Return the key (SPKI DER) that a CA has, or is to have; None where nobody here knows."""
        standing = self._issuer_certificate(document.name)
        self.keys.pinned_signer(document, self.state)
        return standing.template.spki_der if standing else self.keys.public_key(document)

    def _key_problems(
        self, action: CreateAuthority, document: Document[CertificateAuthoritySpec], key: str
    ) -> tuple[Finding, ...]:
        if action.action == "renew-ca":
            return ()  # its key was free when it was made, and the plan has asked the blocklists
        return tuple(judge_new_key(document, key, self.reserved))

    def _issued(
        self,
        action: CrossCertify | IssueCertificate,
        template: CertificateTemplate,
        period: Period,
        ends_by: datetime | None,
    ) -> Iterator[Rehearsed | Finding]:
        document = self.governing.authorities[action.ca]
        parent = self._issuer_certificate(action.ca)
        if parent is None:
            return
        self.keys.pinned_signer(document, self.state)
        issuer = Issuer(parent.der, signature_algorithm(document, parent.template.spki_der))
        begin, end = self._dates(period, parent)
        if ends_by is not None:
            # Never before notBefore: the waiver that says so has not ended yet.
            end = min(end, ends_by - ONE_SECOND)
        yield from self._rehearse(action, template, issuer, (begin, end))

    def _issuer_certificate(self, ca: str) -> Certificate | None:
        record = self.state.authority(ca).certificate
        return None if record is None else standing_certificate(record)

    def _dates(self, period: Period, parent: Certificate | None) -> tuple[datetime, datetime]:
        """Return notBefore and notAfter; the policy has judged whether truncation is allowed."""
        begin, end = (parent.not_before, parent.not_after) if parent else (None, None)
        return period.dates(self.moment.now, begin, end)

    def _rehearse(
        self,
        action: Certifying,
        template: CertificateTemplate,
        issuer: Issuer,
        period: tuple[datetime, datetime],
    ) -> Iterator[Rehearsed | Finding]:
        serial = self._serial(action.ca)
        not_before, not_after = period
        try:
            rehearsal = rehearse(
                template, issuer, serial=serial, not_before=not_before, not_after=not_after
            )
            reread = template_of(rehearsal.der)
        except RefusedError as error:
            yield build_finding(action.documents, error.rule, error.message, error.remedy)
            return
        if reread != template:
            message = "the certificate as built does not say what its template says"
            remedy = "nothing was ordered; report this as a defect of gitca, with the document"
            yield build_finding(action.documents, "template.reread", message, remedy)
            return
        particulars = CertificateParticulars(
            serial=f"{serial:x}",
            request=action.request if isinstance(action, IssueCertificate) else None,
            authority=action.authority if isinstance(action, CreateAuthority) else None,
            cross=action.authority if isinstance(action, CrossCertify) else None,
            template=template.digest,
            key=template.key_identifier,
            not_before=not_before,
            not_after=not_after,
        )
        yield self._drafted(action, particulars, issuer, rehearsal)

    def _drafted(
        self,
        action: Certifying,
        particulars: CertificateParticulars,
        issuer: Issuer,
        rehearsal: Rehearsal,
    ) -> Rehearsed | Finding:
        algorithm = issuer.signature_algorithm
        signing = self.governing.authorities[action.ca]
        too_long = self.keys.too_long(signing, algorithm, len(rehearsal.tbs))
        if too_long is not None:
            return too_long
        draft = draft_order(
            rehearsal.tbs,
            particulars,
            ca=action.ca,
            signature_algorithm=algorithm,
            origin=self.moment.origin(action.documents),
        )
        return Rehearsed(draft, rehearsal.der, action.documents, self._lint_rules(action.documents))

    def _lint_rules(self, documents: SourceDocuments) -> LintRules:
        if documents.policy is None:
            return DEFAULT_RULES
        return self.governing.policies[policy_name(documents.policy)].spec.lint

    def _serial(self, ca: str) -> int:
        """Return a serial number that the CA never used (RFC 5280 section 4.1.2.2).

        Two machines that woke from one image may draw the same numbers.
        Raises: ContradictionError when the source gives nothing new.
        """
        for _ in range(DRAWS):
            serial = self.moment.next_serial()
            drawn = (ca, f"{serial:x}")
            if drawn not in self.state.serials and drawn not in self._drawn:
                self._drawn.add(drawn)
                return serial
        raise ContradictionError(
            f"the random source gave {DRAWS} serial numbers that CA {ca} has used before",
            remedy="run on a machine with a working source of randomness; nothing was ordered",
        )
