"""What becomes of certificates that end: renewed by the next runs, or why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gitca.cli.clone import Clone
from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.findings import Finding
from gitca.ledger.records import OrderRecord
from gitca.plan.desired import Desired, policy_name, policy_of, read_desired
from gitca.plan.issuers import Issuer, read_issuers
from gitca.plan.requested_keys import KeyOrders, RequestedKeys
from gitca.plan.requests import RequestPlanner
from gitca.plan.revocations import plan_revocations
from gitca.policy.case import Verdict

AS_STATED = "it ends as its request says (notAfter)"
ONE_SECOND = timedelta(seconds=1)
_STATES: Mapping[str, str] = {
    "revoked": "is revoked",
    "expired": "has expired",
    "broken": "has a broken document",
    "no document": "has no document",
}


def state_of(clone: Clone, name: str, now: datetime) -> str:
    """Say what a CA may do: active, crl-only or retired by its document, or why nothing."""
    record = clone.state.authority(name).certificate
    document = clone.governing.authorities.get(name)
    if clone.state.is_authority_revoked(name):
        return "revoked"
    if record is not None and record.certificate.not_after < now:
        return "expired"
    if document is not None:
        return document.spec.state
    return "broken" if f"ca/{name}.yaml" in clone.governing.broken else "no document"


@dataclass(frozen=True, slots=True)
class Prospects:
    """Tells of certificates what a plan of this moment would say of their renewal."""

    clone: Clone
    desired: Desired
    planner: RequestPlanner
    now: datetime

    @classmethod
    def read(cls, clone: Clone, records: Iterable[OrderRecord], now: datetime) -> Prospects:
        """Return what tells of these certificates.

        Read is what a plan reads, and requests that may state when their certificate ends. What was
        allowed and is under the same documents is not judged again.
        """
        dated = {
            record.certificate.request or ""
            for record in records
            if (policy := policy_of(record, clone.governing)) is not None
            and "notAfter" in policy.spec.validity.request_dates
        }
        state, governing = clone.state, clone.governing
        desired = read_desired(
            clone.entries,
            clone.store.read,
            state,
            now,
            read_requesters=clone.store.requesters(clone.snapshot.source),
            also=dated,
        )
        revocations = plan_revocations(desired, state, now)
        planner = RequestPlanner(
            desired=desired,
            state=state,
            issuers=read_issuers(governing, state, now, will_revoke=revocations.will_revoke),
            revocations=revocations,
            now=now,
            keys=RequestedKeys.read(desired.requests, KeyOrders(state), desired.entries),
        )
        return cls(clone, desired, planner, now)

    def obstacle(self, record: OrderRecord) -> str:
        """Return why a request's certificate is not renewed by itself; nothing where it is."""
        name = record.certificate.request or ""
        document = self.desired.requests.requests.get(name)
        if name not in self.desired.entries or name in self.desired.requests.revocations:
            return "its request is gone"
        asked = document.spec.policy if document else _policy_name(record)
        policy = self.desired.governing.policies.get(asked)
        if policy is None:
            is_broken = f"policies/{asked}.yaml" in self.desired.governing.broken
            return f"its policy is {'broken' if is_broken else 'gone'}"
        if document is None and self.desired.entries[name].path in self.desired.requests.broken:
            return "its request is broken"
        return (
            self._of_revocations(record, policy)
            or self._of_issuer(policy.spec.issuer)
            or self._of_request(record, document, policy)
        )

    def _of_revocations(self, record: OrderRecord, policy: Document[IssuancePolicySpec]) -> str:
        given, revocations = record.certificate, self.planner.revocations
        if given.key in revocations.refused_keys:
            return f"its key is refused ({revocations.refused_keys[given.key]})"
        if revocations.will_revoke(record):
            return "it is to be revoked"
        if revocations.holds_up(given.request or "", given.key, policy.spec.issuer):
            return "a revocation that names it is to be mended first"
        return ""

    def _of_issuer(self, name: str) -> str:
        state, issuer = state_of(self.clone, name, self.now), self.planner.issuers.get(name)
        if state != "active":
            return f"CA {name} {_STATES.get(state, f'is {state}')}"
        if issuer is not None and issuer.is_revoked:
            return f"CA {name}, or one above it, is revoked"
        return f"CA {name} is held up" if issuer is None or issuer.held_up else ""

    def _of_request(
        self,
        record: OrderRecord,
        document: Document[CertificateRequestSpec] | None,
        policy: Document[IssuancePolicySpec],
    ) -> str:
        verdict: Verdict | None = None
        if document is not None:
            judged = self.planner.judge(document)
            if judged is None or isinstance(judged, Finding):
                return f"its request is denied ({judged.rule})" if judged else "it is not judged"
            verdict = self.planner.judge_anew(judged).verdict
            denial = next((finding for finding in verdict.findings if finding.is_error), None)
            if denial is not None:
                return f"its request is denied ({denial.rule})"
        return _of_time(record, verdict, policy, self.planner.issuers[policy.spec.issuer])


def _of_time(
    record: OrderRecord,
    verdict: Verdict | None,
    policy: Document[IssuancePolicySpec],
    issuer: Issuer,
) -> str:
    """Return why no certificate would end later than this one, or be made on its key."""
    expires = record.certificate.not_after
    if verdict is not None and verdict.latest_end is not None:
        is_last = verdict.latest_end <= expires
        return AS_STATED if is_last else ""
    if not policy.spec.renewal.automatic:
        return f"needs a new {'key' if policy.spec.renewal.key == 'new' else 'CSR'} to be renewed"
    ends_by = verdict.ends_by if verdict is not None else None
    if ends_by is not None and ends_by - ONE_SECOND <= expires:
        return "it cannot outlast its waiver"
    certificate, renewed = issuer.certificate, issuer.document.spec.renew_before is not None
    if certificate is not None and certificate.not_after <= expires and not renewed:
        return f"it cannot outlive CA {issuer.name}"
    return ""


def _policy_name(record: OrderRecord) -> str:
    reference = record.ordered.documents.policy
    return policy_name(reference) if reference else ""
