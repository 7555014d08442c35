"""The validity: within the policy's bounds and the CA's own life."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from gitca.documents.fields import duration_text
from gitca.findings import Finding, Severity
from gitca.policy.case import Case, objection
from gitca.policy.proposal import Proposal

_SECOND = timedelta(seconds=1)


def granted_validity(case: Case, proposal: Proposal) -> timedelta:
    """Return the validity: what was asked for or, where the CA says truncate, what it has left.

    The period is counted from notBefore and includes its last second (RFC 5280 section 4.1.2.5).
    """
    left = remaining_life(case)
    truncates = case.authority.spec.leaf_beyond_issuer == "truncate"
    if truncates and left is not None and timedelta(0) < left < proposal.validity:
        return left
    return proposal.validity


def remaining_life(case: Case) -> timedelta | None:
    """Return the longest validity that ends with the CA's; None while the CA is not made."""
    if case.issuer is None:
        return None
    now = case.now.replace(microsecond=0)
    not_before = max(now - case.policy.spec.validity.backdate, case.issuer.not_before)
    return case.issuer.not_after - not_before + _SECOND


def check_maximum(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`validity.max`: not longer than the policy allows."""
    longest = case.policy.spec.validity.max
    if proposal.validity > longest:
        yield case.denial(
            "validity.max",
            f"validity {duration_text(proposal.validity)} is above {duration_text(longest)}",
            proposal.validity_at,
            remedy="shorten it or change the policy",
        )


def check_minimum(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`validity.min`: not shorter than the policy allows, truncated or not."""
    shortest = case.policy.spec.validity.min
    granted = granted_validity(case, proposal)
    if shortest is not None and granted < shortest:
        truncated = "" if granted == proposal.validity else ", truncated to the end of the CA,"
        yield case.denial(
            "validity.min",
            f"validity {duration_text(granted)}{truncated} is below {duration_text(shortest)}",
            proposal.validity_at,
            remedy="lengthen it or change the policy" if not truncated else "renew the CA",
        )


def check_backdate(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`validity.backdate`: the certificate does not end before it is issued."""
    backdate = case.policy.spec.validity.backdate
    if proposal.validity <= backdate:
        yield case.denial(
            "validity.backdate",
            f"validity {duration_text(proposal.validity)} is not above the backdate of"
            f" {duration_text(backdate)}: the certificate would be born expired",
            proposal.validity_at,
            remedy="lengthen it or change the policy",
        )


def check_issuer_alive(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`issuer.validity`: a CA issues nothing before its certificate begins or after it ended."""
    issuer = case.issuer
    if issuer is None:
        return
    if issuer.not_after < case.now:
        message = f"CA {issuer.name} expired on {issuer.not_after:%Y-%m-%d}"
        remedy = "give the policy another issuer"
    elif case.now < issuer.not_before:
        message = f"CA {issuer.name} is not valid before {issuer.not_before:%Y-%m-%dT%H:%M:%SZ}"
        remedy = "wait until then, or set the clock of this machine"
    else:
        return
    message += "; allowed is a CA within its validity"
    yield objection("issuer.validity", message, proposal.validity_at, remedy=remedy)


def check_within_issuer(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`leafBeyondIssuer`: the certificate ends with its CA at the latest, truncated or not."""
    if case.issuer is None:
        yield from _within_planned_issuer(case, proposal)
        return
    left = remaining_life(case)
    if left is None or left <= timedelta(0) or proposal.validity <= left:
        return
    # No figure that moves with the clock: the findings of one state read the same tomorrow.
    message = (
        f"validity {duration_text(proposal.validity)} reaches beyond the end of CA"
        f" {case.issuer.name} on {case.issuer.not_after:%Y-%m-%d}"
    )
    if case.authority.spec.leaf_beyond_issuer == "truncate":
        message += " and is truncated to it, as the CA says"
        remedy = "replace the CA in time"
        at = proposal.validity_at
        yield Finding("leafBeyondIssuer", Severity.WARNING, message, at, remedy)
        return
    message += "; allowed is the CA's own end (leafBeyondIssuer: reject)"
    remedy = "shorten it, or give the policy another issuer"
    yield objection("leafBeyondIssuer", message, proposal.validity_at, remedy=remedy)


def _within_planned_issuer(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """Yield a finding where a CA that is still to be made will not live long enough."""
    longest = case.authority.spec.validity
    if proposal.validity > longest:
        yield objection(
            "leafBeyondIssuer",
            f"validity {duration_text(proposal.validity)} is above the {duration_text(longest)}"
            f" of CA {case.authority.name} itself",
            proposal.validity_at,
            remedy="shorten it, or lengthen the CA's validity before it is made",
        )
