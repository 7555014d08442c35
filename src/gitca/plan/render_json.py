"""The plan as JSON: `{digest, actions: [{action, ca, request, reason}], findings, pending}`."""

from __future__ import annotations

from gitca.findings import Finding
from gitca.ledger.events import time_text
from gitca.plan.model import (
    Action,
    AdoptAuthority,
    CreateAuthority,
    CrossCertify,
    IssueCertificate,
    PendingOrder,
    Plan,
    RequestAuthority,
    RevokeCertificate,
    SignCrl,
)
from gitca.plan.words import (
    authority_words,
    extension_lines,
    key_words,
    period_words,
    subject_words,
    usage_words,
)
from gitca.x509.certificate import parse_certificate

JsonObject = dict[str, object]


def plan_record(plan: Plan) -> JsonObject:
    """Return the plan as the object that `gitca plan --format json` prints."""
    return {
        "digest": plan.digest,
        "actions": [action_record(action) for action in plan.actions],
        "findings": [finding_record(finding) for finding in plan.findings],
        "pending": [_pending_record(order) for order in plan.pending],
    }


def action_record(action: Action) -> JsonObject:
    """Return one action; what only some actions have comes after the four keys that all have."""
    match action:
        case CreateAuthority() | RequestAuthority():
            return _record(action, None) | {"authority": action.authority}
        case AdoptAuthority():
            return _record(action, None) | _adoption_details(action)
        case CrossCertify():
            return _record(action, None) | _cross_details(action)
        case IssueCertificate():
            return _record(action, action.request) | _issue_details(action)
        case RevokeCertificate():
            return _record(action, action.request) | {
                "serial": action.serial,
                "key": action.key,
                "revocationReason": action.revocation_reason,
                "document": action.document.path,
            }
        case SignCrl():
            return _record(action, None)


def _pending_record(order: PendingOrder) -> JsonObject:
    return {
        "order": order.order,
        "ca": order.ca,
        "request": order.request,
        "authority": order.authority,
        "leasedUntil": time_text(order.lease),
        "about": order.about,
    }


def finding_record(finding: Finding) -> JsonObject:
    """Return one finding with its place; line and column are counted from 1."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        "file": finding.location.file,
        "line": finding.location.line,
        "column": finding.location.column,
        "remedy": finding.remedy,
        "policy": finding.policy or None,
    }


def _record(action: Action, request: str | None) -> JsonObject:
    return {
        "action": action.action,
        "ca": action.ca,
        "request": request,
        "reason": action.reason,
    }


def _adoption_details(action: AdoptAuthority) -> JsonObject:
    certificate = parse_certificate(action.certificate_der)
    return {
        "authority": action.authority,
        "subject": subject_words(certificate.template.subject),
        "key": key_words(certificate.template.spki_der),
        "constraints": authority_words(certificate.template),
        "notAfter": time_text(certificate.not_after),
        "fingerprint": certificate.fingerprint,
        "above": len(action.chain),
        "file": action.file.path,
    }


def _cross_details(action: CrossCertify) -> JsonObject:
    template = action.template
    return {
        "authority": action.authority,
        "subject": subject_words(template.subject),
        "key": key_words(template.spki_der),
        "validity": period_words(action.period),
        "constraints": authority_words(template),
        "template": template.digest,
    }


def _issue_details(action: IssueCertificate) -> JsonObject:
    policy = action.documents.policy
    return {
        "subject": subject_words(action.template.subject),
        "sans": [str(name) for name in action.template.sans],
        "key": key_words(action.template.spki_der),
        "validity": period_words(action.period),
        "usages": usage_words(action.template),
        "authority": authority_words(action.template) or None,
        "extensions": extension_lines(action.template),
        "policy": policy.path if policy else None,
        "template": action.template.digest,
        "waivers": list(action.waivers),
    }
