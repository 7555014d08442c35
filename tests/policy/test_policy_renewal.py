"""`renewal.before`: nothing is issued that would be due for its renewal as soon as it is there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from policy_material import (
    ISSUING,
    NOW,
    POLICY,
    changed,
    governing,
    judge,
    place,
    request_text,
    rules,
)

from gitca.policy.rule_names import configured_rules

API = "sans: {dns: [api.example.internal]}"
VALIDITY = "validity: {default: 30d, min: 1d, max: 90d, backdate: 5m}"
FIVE_YEARS = timedelta(days=5 * 365)


def renewing(before: str, *more: str, validity: str = VALIDITY) -> str:
    settings = ", ".join(("automatic: true", f"before: {before}", *more))
    return changed(POLICY, (VALIDITY, f"{validity}\n  renewal: {{{settings}}}"))


def renewal_of(policy: str, *lines: str) -> list[str]:
    verdict = judge(request_text(API, *lines), policy=policy)
    return [rule for rule in rules(verdict) if rule.startswith("renewal")]


@pytest.mark.parametrize(
    ("before", "backdate", "shortest"),
    [
        ("10d", "5m", 10 * 24 * 60 + 6),
        ("36h", "5m", 36 * 60 + 6),
        ("1/3", "16h", 24 * 60 + 2),  # two thirds of it, less a minute
        ("9/10", "20h", 200 * 60 + 10),
    ],
)
def test_a_validity_is_denied_up_to_where_its_renewal_is_due_at_once(
    before: str, backdate: str, shortest: int
) -> None:
    policy = renewing(before, validity=changed(VALIDITY, ("5m", backdate)))
    spec = governing(policy).policies["internal-server"].spec
    for minutes, denials in ((shortest, []), (shortest - 1, ["renewal.before"])):
        validity = timedelta(minutes=minutes)
        due_after = validity - spec.validity.backdate - (spec.renewal.lead(validity) or validity)
        assert (due_after < timedelta(minutes=1)) == bool(denials)
        assert renewal_of(policy, f"validity: {minutes}m") == denials


def test_the_finding_says_what_to_write() -> None:
    text = request_text(API, "validity: 7d")
    (finding,) = judge(text, policy=renewing("10d")).findings
    assert (finding.rule, finding.policy) == ("renewal.before", "internal-server")
    assert (finding.location.line, finding.location.column) == place(text, "7d")
    assert finding.message == (
        "validity 7d, less the backdate of 5m, is no longer than the time before its end at which"
        " the policy renews, 10d: it would be due for renewal at once"
    )
    assert finding.remedy == (
        "ask for a validity of 11d or more, or have the policy renew at a share of each validity"
        " (renewal.before: 1/3)"
    )
    assert renewal_of(renewing("10d"), "validity: 11d") == []
    assert renewal_of(renewing("1/3"), "validity: 7d") == []


@pytest.mark.parametrize(
    ("limits", "before", "asked", "offered"),
    [
        ("default: 30d, min: 20d, max: 30d", "25d", "20d", "26d"),
        ("default: 30h, max: 30h", "28h", "27h", "29h"),
        ("default: 1775m, max: 1775m", "1765m", "29h", "1771m"),
        ("default: 1775m, min: 1773m, max: 1775m", "1769m", "1774m", "1775m"),
    ],
)
def test_the_remedy_offers_what_the_policy_allows(
    limits: str, before: str, asked: str, offered: str
) -> None:
    validity = changed(VALIDITY, ("default: 30d, min: 1d, max: 90d", limits))
    policy = renewing(before, validity=validity)
    (finding,) = judge(request_text(API, f"validity: {asked}"), policy=policy).findings
    assert (finding.remedy or "").startswith(f"ask for a validity of {offered} or more, or ")
    assert judge(request_text(API, f"validity: {offered}"), policy=policy).findings == ()


def test_where_a_share_would_not_do_either_none_is_offered() -> None:
    late = changed(VALIDITY, ("min: 1d", "min: 13h"), ("backdate: 5m", "backdate: 12h"))
    (finding,) = judge(
        request_text(API, "validity: 15h"), policy=renewing("10d", validity=late)
    ).findings
    assert finding.remedy == (
        "ask for a validity of 11d or more, or change the policy's renewal.before"
    )


def test_what_is_not_renewed_by_itself_may_be_as_short_as_the_policy_lets_it_be() -> None:
    told = changed(POLICY, (VALIDITY, f"{VALIDITY}\n  renewal: {{key: new, before: 10d}}"))
    assert renewal_of(told, "validity: 7d") == []
    assert renewal_of(POLICY, "validity: 7d") == []
    dated = renewing("10d", validity=changed(VALIDITY, ("}", ", requestDates: [notAfter]}")))
    assert renewal_of(dated, "notAfter: 2026-12-01T00:00:00Z") == []


def test_a_beginning_in_the_future_makes_a_short_validity_no_longer() -> None:
    dated = renewing("10d", validity=changed(VALIDITY, ("}", ", requestDates: [notBefore]}")))
    begins = "notBefore: 2027-01-01T00:00:00Z"
    assert renewal_of(dated, begins, "validity: 7d") == ["renewal.before"]
    assert renewal_of(dated, begins, "validity: 11d") == []


@pytest.mark.parametrize("left", [timedelta(days=20), timedelta(days=8), timedelta(days=2)])
@pytest.mark.parametrize("before", ["10d", "1/3"])
def test_what_the_end_of_a_ca_truncates_is_judged_by_what_was_asked_for(
    left: timedelta, before: str
) -> None:
    policy = renewing(before, validity=changed(VALIDITY, ("}", ", beyondIssuer: truncate}")))
    issuing = ISSUING + "  leafBeyondIssuer: truncate\n"
    verdict = judge(policy=policy, issuing=issuing, issuer_age=FIVE_YEARS - left)
    assert rules(verdict) == ["leafBeyondIssuer"]
    assert not verdict.is_denied
    # The moment decides nothing: what is denied today is denied tomorrow.
    for now in (NOW, NOW + timedelta(days=300)):
        short = judge(
            request_text(API, "validity: 9d"), policy=renewing("10d"), issuing=issuing, now=now
        )
        assert rules(short) == ["renewal.before"]


def test_a_policy_is_asked_for_a_case_of_it_only_where_a_request_can_break_it() -> None:
    def configured(policy: str) -> bool:
        return "renewal.before" in configured_rules(governing(policy).policies["internal-server"])

    assert configured(renewing("10d"))
    assert not configured(renewing("1/3"))
    assert not configured(renewing("10d", validity=changed(VALIDITY, ("min: 1d", "min: 11d"))))
    assert not configured(POLICY)
