"""The validity: within the policy's bounds and the CA's own life."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from gitca.documents.fields import duration_text
from gitca.findings import Finding, Severity
from gitca.policy.case import Case, objection
from gitca.policy.period import ONE_SECOND, Period
from gitca.policy.proposal import Proposal

_FORM = "%Y-%m-%dT%H:%M:%SZ"


def granted_validity(case: Case, proposal: Proposal) -> timedelta:
    """Return the validity: what was asked for or, where CA and policy truncate, what the CA has.

    The period is counted from notBefore and includes its last second (RFC 5280 section 4.1.2.5).
    """
    begin, end = _granted(case, proposal)
    return max(end - begin + ONE_SECOND, timedelta(0))


def truncates(case: Case) -> bool:
    """Whether a certificate that would outlive its CA ends with it instead of being refused."""
    asked = case.policy.spec.validity.beyond_issuer
    return asked == case.authority.spec.leaf_beyond_issuer == "truncate"


def _granted(case: Case, proposal: Proposal) -> tuple[datetime, datetime]:
    begin, end, issuer = proposal.not_before, proposal.not_after, case.issuer
    if issuer is not None and truncates(case) and begin <= issuer.not_after < end:
        return begin, issuer.not_after
    return begin, end


def check_request_dates(case: Case, _: Proposal) -> Iterator[Finding]:
    """`validity.requestDates`: a request states no times but those that the policy lists."""
    spec, listed = case.request.spec, case.policy.spec.validity.request_dates
    for field, stated in (("notBefore", spec.not_before), ("notAfter", spec.not_after)):
        if stated is not None and field not in listed:
            yield case.denial(
                "validity.requestDates",
                f"{field} {stated:{_FORM}} is stated; allowed is"
                f" {', '.join(['validity', *listed])}",
                case.request.at("spec", field),
                remedy=f"remove {field} or change the policy",
            )


def check_maximum(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`validity.max`: not longer than the policy allows, a beginning in the future included."""
    longest, period, end = case.policy.spec.validity.max, proposal.period, proposal.not_after
    issuer_begin = case.issuer.not_before if case.issuer else None
    now = Period(None, period.backdate).begin(case.now, issuer_begin)
    if end - now + ONE_SECOND <= longest:
        return
    if period.validity is not None and period.validity > longest:
        message = f"validity {duration_text(period.validity)} is above {duration_text(longest)}"
    else:
        # No figure that moves with the clock: the findings of one state read the same tomorrow.
        message = (
            f"the certificate would end on {end:{_FORM}}, more than {duration_text(longest)} after"
            " its issuance"
        )
    yield case.denial(
        "validity.max", message, proposal.validity_at, remedy="shorten it or change the policy"
    )


def check_minimum(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`validity.min`: not shorter than the policy allows, truncated or not."""
    shortest = case.policy.spec.validity.min
    granted = granted_validity(case, proposal)
    if shortest is None or granted >= shortest or _has_passed(case, proposal):
        return
    if granted != proposal.validity:
        message = (
            f"validity {duration_text(granted)}, truncated to the end of the CA, is below"
            f" {duration_text(shortest)}"
        )
        remedy = "renew the CA"
    else:
        seen = (
            f"validity {duration_text(granted)}"
            if proposal.period.not_after is None
            else f"the time until notAfter {proposal.period.not_after:{_FORM}}"
        )
        message = f"{seen} is below {duration_text(shortest)}"
        remedy = "lengthen it or change the policy"
    yield case.denial("validity.min", message, proposal.validity_at, remedy=remedy)


def check_latest(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`validity.latestNotAfter`: the certificate has ended by then."""
    latest = case.policy.spec.validity.latest_not_after
    _, end = _granted(case, proposal)
    if latest is not None and end > latest:
        validity, stated = proposal.period.validity, proposal.period.not_after
        seen = f"notAfter {stated:{_FORM}}" if stated else f"validity {_text(validity)}"
        yield case.denial(
            "validity.latestNotAfter",
            f"{seen} reaches beyond {latest:{_FORM}}",
            proposal.validity_at,
            remedy="shorten it or change the policy",
        )


def check_backdate(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`validity.backdate`: the certificate does not end before it is issued."""
    validity, backdate = proposal.period.validity, case.policy.spec.validity.backdate
    if validity is not None and validity <= backdate:
        yield case.denial(
            "validity.backdate",
            f"validity {duration_text(validity)} is not above the backdate of"
            f" {duration_text(backdate)}: the certificate would be born expired",
            proposal.validity_at,
            remedy="lengthen it or change the policy",
        )


def check_issuer_alive(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`issuer.validity`: a CA issues nothing before its certificate begins or after it ended."""
    issuer = case.issuer
    if issuer is None:
        return
    begin = proposal.not_before
    if issuer.not_after < case.now:
        message = f"CA {issuer.name} expired on {issuer.not_after:%Y-%m-%d}"
        remedy = "give the policy another issuer"
    elif case.now < issuer.not_before:
        message = f"CA {issuer.name} is not valid before {issuer.not_before:{_FORM}}"
        remedy = "wait until then, or set the clock of this machine"
    elif begin > issuer.not_after:
        message = f"notBefore {begin:{_FORM}} is after the end of CA {issuer.name}"
        remedy = "give the policy another issuer"
    else:
        return
    message += "; allowed is a CA within its validity"
    yield objection("issuer.validity", message, proposal.validity_at, remedy=remedy)


def check_within_issuer(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`leafBeyondIssuer`, `validity.beyondIssuer`: it ends with its CA at the latest."""
    issuer = case.issuer
    if issuer is None:
        yield from _within_planned_issuer(case, proposal)
        return
    if proposal.not_after <= issuer.not_after or proposal.not_before > issuer.not_after:
        return
    # No figure that moves with the clock: the findings of one state read the same tomorrow.
    message = (
        f"{_asked_words(proposal)} reaches beyond the end of CA {issuer.name} on"
        f" {issuer.not_after:%Y-%m-%d}"
    )
    yield _beyond(case, proposal, message)


def _beyond(case: Case, proposal: Proposal, message: str) -> Finding:
    at, remedy = proposal.validity_at, "shorten it, or give the policy another issuer"
    if truncates(case):
        message += " and is truncated to it, as CA and policy say"
        remedy = "replace the CA in time"
        return Finding("leafBeyondIssuer", Severity.WARNING, message, at, remedy)
    if case.authority.spec.leaf_beyond_issuer == "truncate":
        message += "; allowed is the CA's own end (beyondIssuer: reject)"
        return case.denial("validity.beyondIssuer", message, at, remedy=remedy)
    message += "; allowed is the CA's own end (leafBeyondIssuer: reject)"
    return objection("leafBeyondIssuer", message, at, remedy=remedy)


def _within_planned_issuer(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """Yield a finding where a CA that is still to be made will not live long enough."""
    longest = case.authority.spec.validity
    end = proposal.not_after
    if end - case.now.replace(microsecond=0) + proposal.period.backdate + ONE_SECOND > longest:
        yield objection(
            "leafBeyondIssuer",
            f"{_asked_words(proposal)} is above the {duration_text(longest)}"
            f" of CA {case.authority.name} itself",
            proposal.validity_at,
            remedy="shorten it, or lengthen the CA's validity before it is made",
        )


def _has_passed(case: Case, proposal: Proposal) -> bool:
    return proposal.period.not_after is not None and proposal.period.not_after <= case.now


def _asked_words(proposal: Proposal) -> str:
    stated = proposal.period.not_after
    if stated is not None:
        return f"notAfter {stated:{_FORM}}"
    return f"validity {_text(proposal.period.validity)}"


def _text(validity: timedelta | None) -> str:
    return duration_text(validity or timedelta(0))
