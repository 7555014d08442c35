"""Revocations that were executed: whether their documents still ask for what was recorded."""

from __future__ import annotations

from gitca.documents.document import Document
from gitca.documents.revocation_request import RevocationRequestSpec
from gitca.findings import Finding, Severity
from gitca.ledger.events import Revoked
from gitca.ledger.state import LedgerState

COMPROMISES = frozenset({"keyCompromise", "cACompromise"})


def changed_after(
    document: Document[RevocationRequestSpec], executed: list[Revoked], state: LedgerState
) -> Finding | None:
    """Return a finding where an executed document says something else by now.

    To pass over it in silence would leave a person believing that a certificate was revoked.
    """
    first, reason = executed[0], document.spec.reason
    if first.reason != reason:
        seen = f"reason {reason} is asked, the revocation was recorded as {first.reason}"
        at = "reason"
    elif not any(_names(document.spec, revoked, state) for revoked in executed):
        what, at = target_of(document.spec)
        seen = f"{what} is named, the revocation was recorded for another certificate or key"
    else:
        return None
    return problem(
        document,
        "revocation.executed",
        f"{seen} on {first.date:%Y-%m-%d}, and a recorded revocation stands",
        "restore the document, and write a new one for what is still to be revoked",
        at,
    )


def _names(spec: RevocationRequestSpec, revoked: Revoked, state: LedgerState) -> bool:
    """Whether a document's target is what an event revoked."""
    if revoked.ca is None or revoked.serial is None:
        return spec.key == revoked.key or _is_all_that_was_left(spec, revoked, state)
    given = state.serials[revoked.ca, revoked.serial].certificate
    if spec.certificate is not None:
        return spec.certificate == given.request
    if spec.key is not None:
        # A document that named the certificate before would by now have to refuse its key.
        return spec.key == given.key and spec.key in state.refused_keys
    return (spec.ca, spec.serial) == (revoked.ca, revoked.serial)


def _is_all_that_was_left(
    spec: RevocationRequestSpec, revoked: Revoked, state: LedgerState
) -> bool:
    """Whether a refused key is what a compromise of dead certificates comes to."""
    key = revoked.key or ""
    if revoked.reason not in COMPROMISES or key not in state.refused_since:
        return False
    since = state.refused_since[key]
    named = [state.serials.get((spec.ca or "", spec.serial or ""))]
    if spec.certificate is not None:
        request = state.requests.get(spec.certificate)
        named = [order for order in request.orders if not order.abandoned] if request else []
    before = [record for record in named if record is not None and record.segment < since]
    return any(record.certificate.key == key for record in before) and all(
        0 < record.revoked_in <= since or record.certificate.not_after < revoked.date
        for record in before
    )


def target_of(spec: RevocationRequestSpec) -> tuple[str, str]:
    """Return what a document names, in words, and the field that names it."""
    if spec.certificate is not None:
        return f"the request {spec.certificate!r}", "certificate"
    if spec.key is not None:
        return f"the key {spec.key}", "key"
    return f"serial number {spec.serial} of CA {spec.ca}", "serial"


def problem(
    document: Document[RevocationRequestSpec], rule: str, message: str, remedy: str, key: str
) -> Finding:
    """Return a finding about a field of a RevocationRequest."""
    return Finding(rule, Severity.ERROR, message, document.at("spec", key), remedy)
