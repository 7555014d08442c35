"""Renewals to come: nothing is issued that would be due for its renewal as soon as it is there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from gitca.documents.fields import UNITS, duration_text
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.findings import Finding
from gitca.policy.case import Case
from gitca.policy.proposal import Proposal

BEFORE = "renewal.before"
_MINUTE, _HOUR, _DAY = UNITS["m"], UNITS["h"], UNITS["d"]
# Durations are in minutes, and a run that is slower than this would find its own work due.
_LEAST = timedelta(minutes=1)


def check_before(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`renewal.before`: of what is renewed by itself, some time passes before that is due.

    Every run would renew it otherwise, or none. Asked is what the documents say, whatever the end
    of a CA or of a waiver leaves of it: that is renewed when there is a later end, and not before.
    """
    spec, validity = case.policy.spec, proposal.period.validity
    shortest = shortest_renewed(spec)
    if validity is None or shortest is None or validity >= shortest:
        return
    before, backdate = spec.renewal.before, spec.validity.backdate
    less = f", less the backdate of {duration_text(backdate)}," if backdate else ""
    lead = f"{before} of it" if isinstance(before, Fraction) else duration_text(before or _LEAST)
    yield case.denial(
        BEFORE,
        f"validity {duration_text(validity)}{less} is no longer than the time before its end at"
        f" which the policy renews, {lead}: it would be due for renewal at once",
        proposal.validity_at,
        remedy=_remedy(spec, validity, shortest),
    )


def shortest_renewed(spec: IssuancePolicySpec) -> timedelta | None:
    """Return the shortest validity, in minutes, that is not due for renewal from its beginning on.

    None where a policy renews nothing by itself.
    """
    before, used = spec.renewal.before, spec.validity.backdate + _LEAST
    if not spec.renewal.automatic or before is None:
        return None
    if not isinstance(before, Fraction):
        return _up_to_whole(used + before, _MINUTE)
    left = 1 - before
    return _up_to_whole(used * left.denominator / left.numerator, _MINUTE)


def renewal_denies(spec: IssuancePolicySpec) -> bool:
    """Whether a policy lets requests ask for so short a validity that renewals deny it.

    A fraction leaves room in every validity but one that the backdate all but fills.
    """
    shortest = shortest_renewed(spec)
    if shortest is None or isinstance(spec.renewal.before, Fraction):
        return False
    return (spec.validity.min or timedelta(0)) < shortest


def _remedy(spec: IssuancePolicySpec, validity: timedelta, shortest: timedelta) -> str:
    """Return what to write in the request and, where it fits, in the policy."""
    wanted = max(shortest, spec.validity.min or shortest)
    rounded = (_up_to_whole(wanted, unit) for unit in (_DAY, _HOUR, _MINUTE) if wanted >= unit)
    allowed = (asked for asked in rounded if asked <= spec.validity.max)
    remedies = [f"ask for a validity of {duration_text(asked)} or more" for asked in allowed][:1]
    fits = validity - validity / 3 >= spec.validity.backdate + _LEAST
    if fits and not isinstance(spec.renewal.before, Fraction):
        remedies.append("have the policy renew at a share of each validity (renewal.before: 1/3)")
    else:
        remedies.append("change the policy's renewal.before")
    return ", or ".join(remedies)


def _up_to_whole(duration: timedelta, unit: timedelta) -> timedelta:
    return -(-duration // unit) * unit
