"""CAs: which are made, renewed and certified by others, and which owe a CRL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal

from gitca.findings import Finding, has_errors
from gitca.plan.issuers import Issuer
from gitca.plan.model import CreateAuthority, SignCrl
from gitca.policy.authority import judge_authority


def plan_authorities(
    issuers: Mapping[str, Issuer], now: datetime
) -> Iterator[CreateAuthority | Finding]:
    """Yield every CA's first certificate, its renewals, and why one that is due is not made.

    The certificate of a CA with an external issuer is none of these.
    """
    for issuer in issuers.values():
        if issuer.record.pending_certificate or issuer.held_up or issuer.is_external:
            continue
        if issuer.document.spec.state != "active":
            continue
        if issuer.certificate is None:
            yield _made(issuer, "create-ca", "the CA has no certificate yet")
        elif issuer.renewal_is_due(now):
            yield from _renewal(issuer, issuers, now)


def _renewal(
    issuer: Issuer, issuers: Mapping[str, Issuer], now: datetime
) -> Iterator[CreateAuthority | Finding]:
    """Yield a CA's renewal, judged as the first certificate was, or what speaks against it."""
    parent = issuers.get(issuer.document.spec.issuer)
    facts = parent.facts(now) if parent else None
    findings = judge_authority(issuer.document, parent.document if parent else None, facts, now)
    yield from findings
    if has_errors(findings) or (parent and parent.held_up) or issuer.certificate is None:
        return
    reason = f"the CA's certificate ends on {issuer.certificate.not_after:%Y-%m-%d}"
    yield _made(issuer, "renew-ca", reason)


def _made(issuer: Issuer, action: Literal["create-ca", "renew-ca"], reason: str) -> CreateAuthority:
    return CreateAuthority(
        ca=issuer.parent,
        authority=issuer.name,
        reason=reason,
        documents=issuer.sources,
        action=action,
    )


def plan_crls(
    issuers: Mapping[str, Issuer], revoking: Mapping[str, int], now: datetime
) -> Iterator[SignCrl]:
    """Yield the next CRL of every CA that owes one; `revoking` counts planned revocations by CA."""
    for issuer in issuers.values():
        is_retired = issuer.document.spec.state == "retired"
        judge = _last_crl_reason if is_retired else _crl_reason
        reason = judge(issuer, revoking.get(issuer.name, 0), now)
        if reason:
            action: Literal["retire-ca", "sign-crl"] = "retire-ca" if is_retired else "sign-crl"
            yield SignCrl(issuer.name, reason, issuer.sources, action)


def _crl_reason(issuer: Issuer, revoking: int, now: datetime) -> str:
    record, spec = issuer.record, issuer.document.spec
    will_be = spec.state == "active" and not issuer.held_up and not issuer.is_external
    made = issuer.certificate is not None or will_be
    ended = issuer.certificate is not None and issuer.certificate.not_after < now
    if record.pending_crl or ended or not made:
        return ""
    if record.crl is None:
        return "the CA has no CRL yet"
    if unlisted := _unlisted(issuer, revoking):
        return unlisted
    if now >= record.crl.crl.next_update - spec.crl.refresh_before:
        return "the CRL is due for its refresh"
    return ""


def _last_crl_reason(issuer: Issuer, revoking: int, now: datetime) -> str:
    """Return why a retired CA owes its last CRL, which lasts as long as its certificate.

    What is revoked after it makes another: that a certificate is revoked is told in any case.
    """
    record, certificate = issuer.record, issuer.certificate
    if record.pending_crl or certificate is None or certificate.not_after < now:
        return ""
    if record.crl is None or record.crl.crl.next_update < certificate.not_after:
        return f"the CA is retired: its last CRL lasts until {certificate.not_after:%Y-%m-%d}"
    return _unlisted(issuer, revoking)


def _unlisted(issuer: Issuer, revoking: int) -> str:
    record = issuer.record
    listed = record.crl.crl.revocations if record.crl else 0
    unlisted = revoking + len(record.revocations) - listed
    return f"{unlisted} revocation{'s' if unlisted > 1 else ''} to list" if unlisted else ""
