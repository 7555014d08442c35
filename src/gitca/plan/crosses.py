"""Cross-certificates: a CA certifies the name and key of another one, as its document lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.cross_certificate import CrossCertificate
from gitca.documents.document import Document
from gitca.findings import Finding, Severity, has_errors
from gitca.ledger.image import standing_certificate
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState
from gitca.plan.issuers import Issuer, authority_template
from gitca.plan.model import CrossCertify
from gitca.policy.authority import judge_authority
from gitca.policy.case import IssuerFacts
from gitca.policy.period import Period
from gitca.x509.certificate import Certificate
from gitca.x509.differences import differences
from gitca.x509.template import CertificateTemplate


@dataclass(frozen=True, slots=True)
class Cross:
    """One cross-certificate as the signing CA's document wants it, and what speaks against it."""

    template: CertificateTemplate
    period: Period
    findings: tuple[Finding, ...]


def plan_crosses(
    issuers: Mapping[str, Issuer], state: LedgerState, now: datetime
) -> Iterator[CrossCertify | Finding]:
    """Yield the cross-certificates that are due, and what was found against those listed."""
    for signing in issuers.values():
        can_sign = signing.document.spec.state == "active" and not signing.held_up
        for cross in signing.document.spec.cross_certificates if can_sign else ():
            subject = issuers.get(cross.subject)
            if subject is not None and not subject.held_up:
                yield from _plan(signing, subject, cross, state, now)


def _plan(
    signing: Issuer, subject: Issuer, cross: CrossCertificate, state: LedgerState, now: datetime
) -> Iterator[CrossCertify | Finding]:
    if signing.certificate is None or subject.certificate is None:
        return  # made in an earlier round of the same reconcile, or held up with their own findings
    if signing.name in subject.record.pending_crosses:
        return
    wanted = judge_cross(
        signing.document,
        subject.document,
        signing.certificate,
        subject.certificate.template.spki_der,
        now,
    )
    yield from wanted.findings
    reason = _reason(subject.record.crosses.get(signing.name), cross, wanted, state, now)
    if reason and not has_errors(wanted.findings):
        yield CrossCertify(
            ca=signing.name,
            authority=subject.name,
            reason=reason,
            documents=signing.sources,
            template=wanted.template,
            period=wanted.period,
        )


def judge_cross(
    signing: Document[CertificateAuthoritySpec],
    subject: Document[CertificateAuthoritySpec],
    certificate: Certificate,
    spki_der: bytes,
    now: datetime,
) -> Cross:
    """Return what a CA's document says of its cross-certificate for another one.

    It is judged as the certificate of a CA below `signing` would be; `certificate` is the signing
    CA's, `spki_der` the certified key. Raises: KeyError when the document lists no such one.
    """
    index, cross = next(
        (
            (place, item)
            for place, item in enumerate(signing.spec.cross_certificates)
            if item.subject == subject.name
        ),
        (0, None),
    )
    if cross is None:
        raise KeyError(subject.name)
    as_child = _as_child(subject, cross)
    facts = IssuerFacts(
        name=signing.name,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        template=certificate.template,
    )
    at = signing.at("spec", "crossCertificates", index)
    found = judge_authority(as_child, signing, facts, now)
    if subject.spec.state == "retired":
        message = f"CA {subject.name} is retired; allowed is one that still issues or signs CRLs"
        remedy = "remove the cross-certificate"
        found = (*found, Finding("authority.cross.state", Severity.ERROR, message, at, remedy))
    template = authority_template(as_child, signing, spki_der, certificate.template.spki_der)
    return Cross(
        template, Period(cross.validity), tuple(replace(item, location=at) for item in found)
    )


def _as_child(
    subject: Document[CertificateAuthoritySpec], cross: CrossCertificate
) -> Document[CertificateAuthoritySpec]:
    """Return the certified CA's document as the cross-certificate would have it."""
    spec = subject.spec
    length = spec.path_length if cross.path_length is None else cross.path_length
    changed = {
        "validity": cross.validity,
        "path_length": length,
        "name_constraints": cross.name_constraints or spec.name_constraints,
    }
    return replace(subject, spec=spec.model_copy(update=changed))


def _reason(
    current: OrderRecord | None,
    cross: CrossCertificate,
    wanted: Cross,
    state: LedgerState,
    now: datetime,
) -> str:
    """Return why a cross-certificate is to be made, in words; nothing where it need not be."""
    if current is None:
        return "the cross-certificate is not made yet"
    if state.is_revoked(current):
        return ""
    changes = differences(standing_certificate(current).template, wanted.template)
    if changes:
        return "; ".join(changes)
    end = current.certificate.not_after
    due = end - cross.renew_before if cross.renew_before is not None else end
    return f"the cross-certificate ends on {end:%Y-%m-%d}" if now >= due else ""
