"""Certificate requests: each is judged, and compared with the certificate that it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.load import CsrFile
from gitca.findings import Finding, Location, Severity, has_errors
from gitca.ledger.events import DocumentReference, SourceDocuments
from gitca.ledger.image import standing_certificate
from gitca.ledger.state import LedgerState, OrderRecord, RequestRecord
from gitca.plan.dates import ONE_SECOND
from gitca.plan.desired import Desired, renewal_is_due, renewed_before
from gitca.plan.issuers import Issuer
from gitca.plan.model import IssueCertificate
from gitca.plan.revocations import Revocations
from gitca.policy.case import Case, Verdict
from gitca.policy.evaluate import evaluate
from gitca.x509.csr import CsrError, parse_csr
from gitca.x509.differences import differences


@dataclass(frozen=True, slots=True)
class Judged:
    """A request with its verdict: what a plan decides on."""

    document: Document[CertificateRequestSpec]
    csr: CsrFile
    policy: Document[IssuancePolicySpec]
    issuer: Issuer
    verdict: Verdict

    @property
    def sources(self) -> SourceDocuments:
        """The documents that an order for the request comes from."""
        return replace(
            self.issuer.sources,
            request=DocumentReference(self.document.path, self.document.blob),
            csr=DocumentReference(self.csr.path, self.csr.blob),
            policy=DocumentReference(self.policy.path, self.policy.blob),
        )


@dataclass(frozen=True, slots=True)
class RequestPlanner:
    """Decides on every request that was read, for one state and one moment."""

    desired: Desired
    state: LedgerState
    issuers: Mapping[str, Issuer]
    revocations: Revocations
    now: datetime

    def plan(self) -> Iterator[IssueCertificate | Finding]:
        """Yield what is to be issued, and what was found; request by request."""
        for name, document in sorted(self.desired.requests.requests.items()):
            yield from self._plan_request(name, document)
        yield from self._deleted()

    def _plan_request(
        self, name: str, document: Document[CertificateRequestSpec]
    ) -> Iterator[IssueCertificate | Finding]:
        judged = self.judge(document)
        if isinstance(judged, Finding):
            yield judged
        if not isinstance(judged, Judged):
            return
        record = self.state.requests.get(name)
        if record is not None and record.orders[-1].is_pending:
            return
        if self._stays_revoked(record, judged):
            return
        yield from judged.verdict.findings
        denied = has_errors(judged.verdict.findings) or judged.issuer.held_up
        if not denied and name not in self.revocations.held_up:
            yield from self._decide(judged, record)

    def judge(self, document: Document[CertificateRequestSpec]) -> Judged | Finding | None:
        """Return a request with its verdict; a finding where its CSR is none; else None.

        None means that its policy or CA has no sound document, which is a finding elsewhere.
        """
        policy = self.desired.governing.policies.get(document.spec.policy)
        issuer = self.issuers.get(policy.spec.issuer) if policy else None
        csr_file = self.desired.requests.csrs.get(document.name)
        if policy is None or issuer is None or csr_file is None:
            return None
        try:
            csr = parse_csr(csr_file.data)
        except CsrError as error:
            return Finding(
                error.rule, Severity.ERROR, error.message, csr_file.location, error.remedy
            )
        case = Case(
            request=document,
            csr=csr,
            csr_at=csr_file.location,
            policy=policy,
            authority=issuer.document,
            issuer=issuer.facts(self.now),
            now=self.now,
            refused_keys=self.revocations.refused_keys,
        )
        return Judged(document, csr_file, policy, issuer, evaluate(case))

    def _stays_revoked(self, record: RequestRecord | None, judged: Judged) -> bool:
        template = judged.verdict.template
        if record is None or template is None:
            return False
        last, current = record.orders[-1], record.current
        if last.signed is None and self.state.is_revoked(last):
            # There is no certificate to compare with.
            asked = (last.ordered.documents.request, last.ordered.documents.csr)
            sources = judged.sources
            unchanged = asked == (sources.request, sources.csr)
            return unchanged or last.certificate.template == template.digest
        if current is None or not self._will_be_revoked(current):
            return False
        return not differences(standing_certificate(current).template, template)

    def _will_be_revoked(self, record: OrderRecord) -> bool:
        serial = (record.ordered.ca, record.certificate.serial)
        planned = ((action.ca, action.serial) for action in self.revocations.actions)
        return self.state.is_revoked(record) or serial in planned

    def _decide(
        self, judged: Judged, record: RequestRecord | None
    ) -> Iterator[IssueCertificate | Finding]:
        current = record.current if record else None
        template = judged.verdict.template
        if template is None:
            return
        if current is None:
            yield self._issue(judged, "the request has no certificate yet")
            return
        changes = differences(standing_certificate(current).template, template)
        if current.ordered.ca != judged.issuer.name:
            changes = (*changes, f"issuer: {current.ordered.ca} -> {judged.issuer.name}")
        if changes:
            rekeyed = current.certificate.key != template.key_identifier
            action = self._issue(judged, "; ".join(changes))
            yield replace(action, action="rekey") if rekeyed else action
        elif renewal_is_due(current, judged.policy, self.now):
            yield self._renew(judged, current)

    def _renew(self, judged: Judged, current: OrderRecord) -> IssueCertificate | Finding:
        before, at = renewed_before(judged.policy), judged.csr.location
        expires = current.certificate.not_after
        if before is None:
            message = (
                f"the certificate expired on {expires:%Y-%m-%d}, and the policy renews none on the"
                " same key"
            )
            remedy = "put a CSR with a new key in its place, or delete the request"
            return Finding("renewal.automatic", Severity.WARNING, message, at, remedy)
        issuer = judged.issuer.certificate
        if issuer is not None and issuer.not_after <= expires:
            message = f"the certificate cannot outlive its CA, which ends on {expires:%Y-%m-%d}"
            remedy = "give the policy another issuer"
            return Finding("renewal.issuer", Severity.WARNING, message, at, remedy)
        renewed_until = self.now + judged.verdict.validity - judged.verdict.backdate - ONE_SECOND
        is_truncated = issuer is not None and issuer.not_after <= renewed_until
        # Every run would renew what it renewed; only at the CA's end the rule above ends that.
        if renewed_until - before <= self.now and not is_truncated:
            message = "the validity, less the backdate, is no longer than the time before expiry at"
            message += " which it is renewed"
            remedy = "ask for a longer validity, or change the policy's renewal.before"
            policy = judged.policy.name
            return Finding("renewal.before", Severity.ERROR, message, at, remedy, policy)
        reason = "the certificate is due for renewal on the same key"
        return replace(self._issue(judged, reason), action="renew")

    def _issue(self, judged: Judged, reason: str) -> IssueCertificate:
        verdict, document = judged.verdict, judged.document
        if verdict.template is None:
            raise ValueError(f"the request {document.name} was not judged")
        return IssueCertificate(
            action="issue",
            ca=judged.issuer.name,
            request=document.name,
            reason=reason,
            documents=judged.sources,
            template=verdict.template,
            validity=verdict.validity,
            backdate=verdict.backdate,
        )

    def _deleted(self) -> Iterator[Finding]:
        for name, record in self.state.requests.items():
            current = record.current
            if current is None or name in self.desired.entries:
                continue
            if self.state.live([current], self.now) and not self._will_be_revoked(current):
                yield _kept(current)


def _kept(current: OrderRecord) -> Finding:
    reference = current.ordered.documents.request or current.ordered.documents.ca
    return Finding(
        rule="request.deleted",
        severity=Severity.NOTE,
        message=f"the request was deleted; its certificate {current.certificate.serial} stays valid"
        f" until {current.certificate.not_after:%Y-%m-%d}, as its policy keeps it (onDelete: keep)",
        location=Location(reference.path),
        remedy="revoke it (gitca revoke), if it is to end before",
    )
