"""Certificate requests: each is judged, and compared with the certificate that it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.load import CsrFile
from gitca.documents.waiver import WaiverSpec
from gitca.findings import Finding, Severity, has_errors
from gitca.ledger.events import DocumentReference, Revoked, SourceDocuments
from gitca.ledger.image import standing_certificate
from gitca.ledger.records import OrderRecord, RequestRecord
from gitca.ledger.state import LedgerState
from gitca.plan.dates import date_changes
from gitca.plan.desired import Desired, asks_for_requesters, is_asked_for, renewal_is_due
from gitca.plan.issuers import Issuer
from gitca.plan.model import IssueCertificate
from gitca.plan.policy_revocations import note_deleted
from gitca.plan.renewal import judge_renewal
from gitca.plan.requested_keys import RequestedKeys
from gitca.plan.revocations import Revocations
from gitca.policy.case import Case, Requester, Verdict
from gitca.policy.evaluate import evaluate
from gitca.policy.waivers import examine_waivers, waivers_for
from gitca.x509.csr import CsrError
from gitca.x509.differences import differences
from gitca.x509.template import spki_identifier


@dataclass(frozen=True, slots=True)
class Judged:
    """A request with its verdict: what a plan decides on."""

    document: Document[CertificateRequestSpec]
    csr: CsrFile
    policy: Document[IssuancePolicySpec]
    issuer: Issuer
    case: Case
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
    keys: RequestedKeys

    def plan(self) -> Iterator[IssueCertificate | Finding]:
        """Yield what is to be issued, and what was found; request by request."""
        known: set[str] = set()
        needed: set[str] = set()
        for name, document in sorted(self.desired.requests.requests.items()):
            judged = self.judge(document)
            if isinstance(judged, Finding):
                yield judged
            elif judged is not None:
                known.add(name)
                needed.update(waiver.name for waiver in self._needed_waivers(judged))
                yield from self._plan_request(name, judged)
        yield from examine_waivers(
            self.desired.governing.waivers,
            needed=needed,
            judged=known,
            requests=self.desired.entries.keys(),
            now=self.now,
        )
        revoking = {(action.ca, action.serial) for action in self.revocations.actions}
        yield from note_deleted(self.desired, self.state, self.now, revoking)

    def _plan_request(self, name: str, judged: Judged) -> Iterator[IssueCertificate | Finding]:
        record = self.state.requests.get(name)
        revoked = self._kept_revoked(record, judged)
        if revoked is not None:
            yield from self._note_revoked(judged, revoked)
            return
        yield from judged.verdict.findings
        if record is not None and record.orders[-1].is_pending:
            return
        denied = has_errors(judged.verdict.findings) or judged.issuer.held_up
        if not denied and not self._is_held_up(judged):
            for item in self._decide(judged, record):
                yield from self._anew(judged, item)

    def _anew(
        self, judged: Judged, item: IssueCertificate | Finding
    ) -> Iterator[IssueCertificate | Finding]:
        verdict = self.judge_anew(judged).verdict
        if isinstance(item, IssueCertificate) and judged.verdict.hold is not None:
            yield judged.verdict.hold
            return
        if isinstance(item, Finding) or verdict is judged.verdict:
            yield item
            return
        yield from (found for found in verdict.findings if found not in judged.verdict.findings)
        if not verdict.is_denied:
            yield under_waivers(item, verdict)

    def _needed_waivers(self, judged: Judged) -> tuple[Document[WaiverSpec], ...]:
        """Return the waivers without which the request, or one more certificate, were denied."""
        if not judged.case.waivers:
            return ()
        return (*judged.verdict.waivers, *self.judge_anew(judged).verdict.waivers)

    def judge_anew(self, judged: Judged) -> Judged:
        """Return the request with the verdict on one more certificate for it.

        A certificate that stands is no reuse of its key, and no older than it was allowed to be;
        `key.reuse: forbid` and `key.maxAge` speak of the next one on the same key.
        """
        history, rules = self.keys.history(judged.document.name), judged.policy.spec.key
        if history == judged.case.key_history or (rules.reuse != "forbid" and not rules.max_age):
            return judged
        case = replace(judged.case, key_history=history)
        return replace(judged, case=case, verdict=evaluate(case))

    def judge(self, document: Document[CertificateRequestSpec]) -> Judged | Finding | None:
        """Return a request with its verdict as it stands, whether or not anything is to be issued.

        A finding where its CSR is none. None where its policy or CA has no sound document, which is
        a finding elsewhere. The request's own past on its key is left out.
        """
        policy = self.desired.governing.policies.get(document.spec.policy)
        issuer = self.issuers.get(policy.spec.issuer) if policy else None
        csr_file = self.desired.requests.csrs.get(document.name)
        if policy is None or issuer is None or csr_file is None:
            return None
        csr = self.keys.csrs[document.name]
        if isinstance(csr, CsrError):
            return Finding(csr.rule, Severity.ERROR, csr.message, csr_file.location, csr.remedy)
        history = self.keys.history(document.name)
        case = Case(
            request=document,
            csr=csr,
            csr_at=csr_file.location,
            policy=policy,
            authority=issuer.document,
            issuer=issuer.facts(self.now),
            now=self.now,
            refused_keys=self.revocations.refused_keys,
            requesters=self._requesters(document, csr_file, policy),
            waivers=waivers_for(self.desired.governing.waivers, document.name),
            key_history=history.of_others(document.name),
        )
        return Judged(document, csr_file, policy, issuer, case, evaluate(case))

    def _requesters(
        self,
        document: Document[CertificateRequestSpec],
        csr: CsrFile,
        policy: Document[IssuancePolicySpec],
    ) -> Mapping[str, Requester | None] | None:
        if not asks_for_requesters(policy):
            return None
        return {path: self.desired.requesters.get(path) for path in (document.path, csr.path)}

    def _kept_revoked(self, record: RequestRecord | None, judged: Judged) -> OrderRecord | None:
        """Return the revoked order that asks for what the request asks for still, if any."""
        template = judged.verdict.template
        if record is None or template is None:
            return None
        last, current = record.orders[-1], record.current
        if last.signed is None and self.state.is_revoked(last):
            # There is no certificate to compare with.
            asked = (last.ordered.documents.request, last.ordered.documents.csr)
            sources = judged.sources
            unchanged = asked == (sources.request, sources.csr)
            return last if unchanged or last.certificate.template == template.digest else None
        if current is None or not self._will_be_revoked(current):
            return None
        is_other = differences(standing_certificate(current).template, template)
        return None if is_other else current

    def _note_revoked(self, judged: Judged, order: OrderRecord) -> Iterator[Finding]:
        """Yield `request.revoked`, unless the document stands that asked for the revocation.

        Who brought a deleted request back would else be told that there is nothing to do.
        """
        revoked = self.state.revoked.get((order.ordered.ca, order.certificate.serial))
        if revoked is not None and not is_asked_for(revoked, self.desired.blobs):
            yield _revoked(judged, revoked)

    def _is_held_up(self, judged: Judged) -> bool:
        key = spki_identifier(judged.case.csr.spki_der)
        return self.revocations.holds_up(judged.document.name, key, judged.issuer.name)

    def _will_be_revoked(self, record: OrderRecord) -> bool:
        serial = (record.ordered.ca, record.certificate.serial)
        return self.state.is_revoked(record) or serial in self.revocations.serials

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
        changes = (*changes, *date_changes(current, judged.verdict, self.now))
        if changes:
            rekeyed = current.certificate.key != template.key_identifier
            action = self._issue(judged, "; ".join(changes))
            yield replace(action, action="rekey") if rekeyed else action
        elif renewal_is_due(current, judged.policy, self.now):
            yield self._renew(judged, current)

    def _renew(self, judged: Judged, current: OrderRecord) -> IssueCertificate | Finding:
        objection = judge_renewal(
            current,
            judged.policy,
            judged.verdict,
            issuer=judged.issuer.certificate,
            at=judged.csr.location,
            now=self.now,
        )
        if objection is not None:
            return objection
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
            period=verdict.period,
            waivers=tuple(waiver.path for waiver in verdict.waivers),
            ends_by=verdict.ends_by,
        )


def _revoked(judged: Judged, revoked: Revoked) -> Finding:
    return Finding(
        "request.revoked",
        Severity.WARNING,
        f"its certificate {revoked.serial} was revoked on {revoked.date:%Y-%m-%d} for"
        f" {revoked.reason} (by {revoked.document.path}), and it gets no other one",
        judged.document.at("spec"),
        "delete the request, or give it another key, or other names or usages: then it gets one",
    )


def under_waivers(action: IssueCertificate, verdict: Verdict) -> IssueCertificate:
    """Return the action with the waivers that its verdict needed, and the end that they set."""
    paths = tuple(waiver.path for waiver in verdict.waivers)
    return replace(action, waivers=paths, ends_by=verdict.ends_by)
