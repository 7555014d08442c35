"""Renewals that are due: whether the certificate is made anew on its key, or why not."""

from __future__ import annotations

from datetime import datetime, timedelta

from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.findings import Finding, Location, Severity
from gitca.ledger.records import OrderRecord
from gitca.policy.case import Verdict
from gitca.x509.certificate import Certificate

ONE_SECOND = timedelta(seconds=1)

Policy = Document[IssuancePolicySpec]


def judge_renewal(
    current: OrderRecord,
    policy: Policy,
    verdict: Verdict,
    *,
    issuer: Certificate | None,
    at: Location,
    now: datetime,
) -> Finding | None:
    """Return why a certificate whose renewal is due is not renewed on its key; None where it is.

    `at` is the place of the CSR.
    """
    expires = current.certificate.not_after
    if verdict.period.not_after is not None:
        return verdict.hold or _ends_as_stated(expires, at)
    if not policy.spec.renewal.automatic:
        return _needs_a_csr(policy, expires, at, now)
    if issuer is not None and issuer.not_after <= expires:
        message = (
            f"the certificate cannot outlive its CA, which ends on {issuer.not_after:%Y-%m-%d}"
        )
        remedy = "give the policy another issuer"
        return Finding("renewal.issuer", Severity.WARNING, message, at, remedy)
    ends_by = verdict.ends_by
    if ends_by is not None and ends_by - ONE_SECOND <= expires:
        message = f"the certificate cannot outlast its waiver, which ends on {ends_by:%Y-%m-%d}"
        remedy = "mend what the waiver is for, or have it renewed"
        return Finding("renewal.waiver", Severity.WARNING, message, at, remedy)
    # Of what is left, the next certificate is not due at once (the rule `renewal.before`).
    return None


def _ends_as_stated(expires: datetime, at: Location) -> Finding:
    message = f"the certificate ends on {expires:%Y-%m-%d}, as its request's notAfter says"
    remedy = "state a later notAfter, if it is to go on"
    return Finding("renewal.notAfter", Severity.NOTE, message, at, remedy)


def _needs_a_csr(policy: Policy, expires: datetime, at: Location, now: datetime) -> Finding:
    verb = "expired" if expires < now else "expires"
    needs_new_key = policy.spec.renewal.key == "new"
    how = "on a new key alone" if needs_new_key else "none on the same key"
    message = f"the certificate {verb} on {expires:%Y-%m-%d}, and the policy renews {how}"
    rule = "renewal.key" if needs_new_key else "renewal.automatic"
    remedy = "put a CSR with a new key in its place, or delete the request"
    return Finding(rule, Severity.WARNING, message, at, remedy)
