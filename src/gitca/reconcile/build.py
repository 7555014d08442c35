"""Build: from planned actions to drafts of orders; serial numbers and dates are frozen here.

Every TBS is read again and compared with its template, and linted under a throwaway signature,
before anything is recorded. What fails is a finding and holds up nothing but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.lint_rules import LintRules
from gitca.documents.load import Governing
from gitca.errors import ContradictionError
from gitca.findings import Finding, Severity
from gitca.ledger.draft import Batch, Origin, crl_tbs, draft_order
from gitca.ledger.events import CertificateParticulars, CrlParticulars, Revoked, SourceDocuments
from gitca.ledger.image import standing_certificate
from gitca.ledger.state import LedgerState
from gitca.plan.dates import crl_period
from gitca.plan.desired import policy_name
from gitca.plan.issuers import authority_template, signature_algorithm
from gitca.plan.model import (
    Action,
    CreateAuthority,
    IssueCertificate,
    RevokeCertificate,
    SignCrl,
)
from gitca.plan.requested_keys import KeyOrders
from gitca.plan.reserved_keys import judge_new_key
from gitca.policy.period import ONE_SECOND, Period
from gitca.reconcile.keys import Keys
from gitca.reconcile.linting import DEFAULT_RULES, Rehearsed, build_finding, lint_drafts
from gitca.x509.certificate import Certificate, Issuer, rehearse, template_of
from gitca.x509.crl import rehearse_crl
from gitca.x509.refusal import RefusedError
from gitca.x509.template import CertificateTemplate, spki_identifier

DRAWS = 8


@dataclass(frozen=True, slots=True)
class Moment:
    """What is frozen for one build: the time, the run, the documents' commit, a serial source."""

    now: datetime
    run: str
    source: str
    next_serial: Callable[[], int]

    def origin(self, documents: SourceDocuments) -> Origin:
        """Return where an order of this moment comes from."""
        return Origin(documents, self.source, self.run, self.now)


@dataclass(frozen=True, slots=True)
class Built:
    """What is ready to be recorded, and what was found while building it."""

    batch: Batch
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds what of a plan is ready: whose issuer has its certificate."""

    governing: Governing
    state: LedgerState
    keys: Keys
    moment: Moment
    _drawn: set[tuple[str, str]] = field(default_factory=set)

    def build(self, actions: Iterable[Action]) -> Built:
        """Return the batch to record. Raises: ContradictionError when a CA's key was exchanged."""
        asked = tuple(actions)
        refused = dict(self._refused_algorithms(asked))
        listed = [
            action
            for action in asked
            if isinstance(action, RevokeCertificate) or action.ca not in refused
        ]
        revoked = tuple(
            revoked_event(action, self.moment.now)
            for action in listed
            if isinstance(action, RevokeCertificate)
        )
        requested = {
            action.template.key_identifier
            for action in listed
            if isinstance(action, IssueCertificate)
        }
        items = [item for action in listed for item in self._certificate(action, requested)]
        findings = [item for item in items if isinstance(item, Finding)]
        certificates = [item for item in items if isinstance(item, Rehearsed)]
        crls = [
            self._crl(action, revoked)
            for action in listed
            if isinstance(action, SignCrl) and self.state.authority(action.ca).certificate
        ]
        sound, lint = lint_drafts(certificates, crls, self.moment.now)
        return Built(Batch(sound, revoked), (*refused.values(), *findings, *lint))

    def _refused_algorithms(self, actions: Iterable[Action]) -> Iterator[tuple[str, Finding]]:
        """Yield the CAs that are to sign with an algorithm that their key cannot do, and why."""
        signing = (item.ca for item in actions if not isinstance(item, RevokeCertificate))
        for ca in dict.fromkeys(signing):
            document, certificate = self.governing.authorities[ca], self._issuer_certificate(ca)
            spki_der = certificate.template.spki_der if certificate else None
            spki_der = spki_der or self.keys.public_key(document)
            try:
                if spki_der is not None:
                    signature_algorithm(document, spki_der)
            except RefusedError as error:
                at = document.at("spec", "signatureAlgorithm")
                rule = "authority.signatureAlgorithm"
                yield ca, Finding(rule, Severity.ERROR, error.message, at, error.remedy)

    def _certificate(
        self, action: Action, requested: Collection[str]
    ) -> Iterator[Rehearsed | Finding]:
        if isinstance(action, CreateAuthority):
            yield from self._authority(action, requested)
        elif isinstance(action, IssueCertificate):
            yield from self._issue(action)

    def _authority(
        self, action: CreateAuthority, requested: Collection[str]
    ) -> Iterator[Rehearsed | Finding]:
        document = self.governing.authorities[action.authority]
        signing = self.governing.authorities[action.ca]
        parent = None if action.ca == action.authority else self._issuer_certificate(action.ca)
        if parent is None and action.ca != action.authority:
            return
        spki_der = self.keys.public_key(document)
        if spki_der is None:
            return
        key, blocked = spki_identifier(spki_der), self.governing.blocked_keys
        problems = tuple(judge_new_key(document, key, blocked, KeyOrders(self.state), requested))
        if problems:
            yield from problems
            return
        signing_spki = parent.template.spki_der if parent else spki_der
        template = authority_template(document, signing, spki_der, signing_spki)
        issuer = Issuer(parent.der if parent else None, signature_algorithm(signing, signing_spki))
        period = self._dates(Period(document.spec.validity), parent)
        yield from self._rehearse(action, template, issuer, period)

    def _issue(self, action: IssueCertificate) -> Iterator[Rehearsed | Finding]:
        document = self.governing.authorities[action.ca]
        parent = self._issuer_certificate(action.ca)
        if parent is None:
            return
        self.keys.pinned_signer(document, self.state)
        issuer = Issuer(parent.der, signature_algorithm(document, parent.template.spki_der))
        period = self._dates(action.period, parent)
        if action.ends_by is not None:
            # Never before notBefore: the waiver that says so has not ended yet.
            period = period[0], min(period[1], action.ends_by - ONE_SECOND)
        yield from self._rehearse(action, action.template, issuer, period)

    def _issuer_certificate(self, ca: str) -> Certificate | None:
        record = self.state.authority(ca).certificate
        return None if record is None else standing_certificate(record)

    def _dates(self, period: Period, parent: Certificate | None) -> tuple[datetime, datetime]:
        """Return notBefore and notAfter; the policy has judged whether truncation is allowed."""
        begin, end = (parent.not_before, parent.not_after) if parent else (None, None)
        return period.dates(self.moment.now, begin, end)

    def _rehearse(
        self,
        action: CreateAuthority | IssueCertificate,
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
            template=template.digest,
            key=template.key_identifier,
            not_before=not_before,
            not_after=not_after,
        )
        draft = draft_order(
            rehearsal.tbs,
            particulars,
            ca=action.ca,
            signature_algorithm=issuer.signature_algorithm,
            origin=self.moment.origin(action.documents),
        )
        yield Rehearsed(draft, rehearsal.der, action.documents, self._lint_rules(action.documents))

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

    def _crl(self, action: SignCrl, revoked: Iterable[Revoked]) -> Rehearsed:
        """Return the draft of a CRL, with the frame and the new entries for the linter.

        An entry's bytes never change, so that each is linted on the first CRL that holds it.
        """
        document = self.governing.authorities[action.ca]
        self.keys.pinned_signer(document, self.state)
        record = self.state.authority(action.ca)
        new = [event for event in revoked if event.ca == action.ca]
        listed = record.crl.crl.revocations if record.crl else 0
        carried = tuple(record.carried.values())
        particulars = self._crl_particulars(document, len(record.revocations) + len(new))
        issuer = self._issuer_certificate(action.ca)
        if issuer is None:
            raise ValueError(f"CA {action.ca} has no certificate")
        algorithm = signature_algorithm(document, issuer.template.spki_der)
        entries = (*(event for _, event in carried), *new)
        unlinted = (*(event for place, event in carried if place >= listed), *new)
        tbs = crl_tbs(issuer, particulars, entries, signature_algorithm=algorithm)
        frame = crl_tbs(issuer, particulars, unlinted, signature_algorithm=algorithm)
        draft = draft_order(
            tbs,
            particulars,
            ca=action.ca,
            signature_algorithm=algorithm,
            origin=self.moment.origin(action.documents),
        )
        return Rehearsed(draft, rehearse_crl(frame, algorithm), action.documents)

    def _crl_particulars(
        self, document: Document[CertificateAuthoritySpec], revocations: int
    ) -> CrlParticulars:
        record = self.state.authority(document.name)
        lifetime = document.spec.crl.lifetime
        this_update, next_update = crl_period(self.moment.now, lifetime, record.crl)
        return CrlParticulars(
            number=record.last_crl_number + 1,
            this_update=this_update,
            next_update=next_update,
            revocations=revocations,
        )


def revoked_event(action: RevokeCertificate, now: datetime) -> Revoked:
    """Return the event that records a planned revocation, dated now."""
    return Revoked(
        reason=action.revocation_reason,
        date=now,
        document=action.document,
        ca=action.ca,
        serial=action.serial,
        key=action.key,
        invalidity_date=action.invalidity_date,
    )
