"""What a CA's life, state and name constraints let a policy issue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from policy_material import (
    ISSUING,
    NOW,
    POLICY,
    REQUEST,
    case,
    changed,
    csr,
    judge,
    place,
    request_text,
    rules,
    texts,
    without_issuer,
)

from gitca.findings import Severity
from gitca.policy.evaluate import evaluate

_API = "sans: {dns: [api.example.internal]}"
TRUNCATE = ISSUING + "  leafBeyondIssuer: truncate\n"
TRUNCATING = changed(POLICY, ("backdate: 5m}", "backdate: 5m, beyondIssuer: truncate}"))
YEARS = timedelta(days=365)
BACKDATE = timedelta(minutes=5)


def _constrained(constraints: str) -> str:
    return ISSUING + f"  nameConstraints: {constraints}\n"


@pytest.mark.parametrize("state", ["crl-only", "retired"])
def test_a_ca_that_is_not_active_issues_nothing(state: str) -> None:
    (finding,) = judge(issuing=ISSUING + f"  state: {state}\n").findings
    assert finding.rule == "authority.state"
    assert finding.message == f"CA issuing is {state}; allowed is a CA that is active"
    assert (finding.location.line, finding.location.column) == place(REQUEST, "internal-server")


def test_a_certificate_may_end_in_the_last_second_of_its_ca() -> None:
    left = timedelta(days=90)
    age = 5 * YEARS - left + BACKDATE
    text = request_text(_API, "validity: 90d")
    assert texts(judge(text, issuer_age=age).findings) == []
    one_second_more = judge(text, issuer_age=age + timedelta(seconds=1))
    assert rules(one_second_more) == ["leafBeyondIssuer"]


def test_a_certificate_beyond_its_ca_is_rejected_unless_the_ca_says_truncate() -> None:
    age = 5 * YEARS - timedelta(days=20)
    (finding,) = judge(issuer_age=age).findings
    assert finding.rule == "leafBeyondIssuer"
    assert finding.message == (
        "validity 30d reaches beyond the end of CA issuing on 2026-12-14; allowed is the CA's own"
        " end (leafBeyondIssuer: reject)"
    )
    assert finding.severity is Severity.ERROR


def test_a_truncated_certificate_ends_with_its_ca_and_says_so() -> None:
    age = 5 * YEARS - timedelta(days=20)
    verdict = judge(issuing=TRUNCATE, policy=TRUNCATING, issuer_age=age)
    (warning,) = verdict.findings
    assert warning.severity is Severity.WARNING
    assert warning.message.endswith("on 2026-12-14 and is truncated to it, as CA and policy say")
    assert not verdict.is_denied
    assert verdict.validity == timedelta(days=20) + BACKDATE
    assert verdict.backdate == BACKDATE


def test_truncation_does_not_go_below_the_least_validity() -> None:
    age = 5 * YEARS - timedelta(hours=12)
    verdict = judge(issuing=TRUNCATE, policy=TRUNCATING, issuer_age=age)
    assert sorted(rules(verdict)) == ["leafBeyondIssuer", "validity.min"]
    assert verdict.is_denied


@pytest.mark.parametrize("issuing", [ISSUING, TRUNCATE], ids=["reject", "truncate"])
def test_an_expired_ca_issues_nothing(issuing: str) -> None:
    verdict = judge(issuing=issuing, issuer_age=5 * YEARS + timedelta(seconds=2))
    assert "issuer.validity" in rules(verdict)
    assert verdict.is_denied


def test_a_ca_that_is_not_yet_valid_issues_nothing() -> None:
    (finding,) = judge(now=NOW - timedelta(days=31)).findings
    assert finding.rule == "issuer.validity"
    assert finding.message.startswith("CA issuing is not valid before 2026-10-25T12:00:00Z")


def test_a_new_ca_is_not_asked_for_a_not_before_ahead_of_its_own() -> None:
    assert judge(issuer_age=timedelta(0)).findings == ()


def test_while_the_ca_is_not_made_its_document_bounds_the_validity() -> None:
    short = changed(ISSUING, ("validity: 5y", "validity: 20d"))
    assert rules(evaluate(without_issuer(case(issuing=short)))) == ["leafBeyondIssuer"]
    assert evaluate(without_issuer(case())).findings == ()


def test_while_the_ca_is_not_made_its_document_constrains_the_names() -> None:
    constrained = _constrained("{permitted: {dns: [other.internal]}}")
    assert rules(evaluate(without_issuer(case(issuing=constrained)))) == ["nameConstraints"]


INSIDE = [
    ("{permitted: {dns: [example.internal]}}", "sans: {dns: [a.b.example.internal]}"),
    ("{permitted: {dns: [example.internal]}}", "sans: {ip: [10.1.2.3]}"),
    ("{permitted: {dns: [example.internal]}}", "sans: {dns: ['*.example.internal']}"),
    ("{permitted: {ip: [10.1.0.0/16]}}", "sans: {ip: [10.1.2.3]}"),
    (
        "{permitted: {uri: [example.internal]}}",
        "sans: {uri: ['spiffe://example.internal/payments/a']}",
    ),
    ("{permitted: {email: [example.internal]}}", "sans: {email: [jo@example.internal]}"),
    ("{permitted: {email: [jo@example.internal]}}", "sans: {email: [jo@example.internal]}"),
    ("{excluded: {dns: [vault.example.internal]}}", "sans: {dns: [a.example.internal]}"),
]
OUTSIDE = [
    ("{permitted: {dns: [a.example.internal]}}", "sans: {dns: [ba.example.internal]}", "ba.e"),
    ("{permitted: {dns: [a.example.internal]}}", "sans: {dns: ['*.example.internal']}", "'*"),
    ("{excluded: {dns: [a.example.internal]}}", "sans: {dns: [b.a.example.internal]}", "b.a"),
    ("{excluded: {dns: [a.example.internal]}}", "sans: {dns: ['*.example.internal']}", "'*"),
    ("{permitted: {ip: [10.1.0.0/16]}}", "sans: {ip: [10.2.2.3]}", "10.2"),
    ("{excluded: {ip: [10.1.0.0/16]}}", "sans: {ip: [10.1.2.3]}", "10.1"),
    (
        "{permitted: {uri: [.example.internal]}}",
        "sans: {uri: ['spiffe://example.internal/payments/a']}",
        "'spiffe",
    ),
    ("{permitted: {email: [.example.internal]}}", "sans: {email: [jo@example.internal]}", "jo@"),
    ("{permitted: {email: [ann@example.internal]}}", "sans: {email: [jo@example.internal]}", "jo@"),
    (
        "{permitted: {dns: [other.internal]}}",
        "subject: {commonName: api.example.internal}",
        "api.e",
    ),
    ("{excluded: {email: [example.internal]}}", "subject: {email: jo@example.internal}", "jo@"),
]
WIDE = changed(
    POLICY,
    ("max: 5}\n    ip", "max: 5, wildcards: true}\n    ip"),
    ('deny: ["vault.example.internal"]', "deny: []"),
    (", mustBeInSans: true}", '}\n    email: {allow: ["*@example.internal"]}'),
)


@pytest.mark.parametrize(("constraints", "line"), INSIDE)
def test_a_name_within_the_cas_constraints_is_issued(constraints: str, line: str) -> None:
    verdict = judge(request_text(line), policy=WIDE, issuing=_constrained(constraints))
    assert texts(verdict.findings) == []


@pytest.mark.parametrize(("constraints", "line", "at"), OUTSIDE)
def test_a_name_outside_of_the_cas_constraints_is_a_finding(
    constraints: str, line: str, at: str
) -> None:
    text = request_text(line)
    (finding,) = judge(text, policy=WIDE, issuing=_constrained(constraints)).findings
    assert finding.rule == "nameConstraints"
    assert (finding.location.line, finding.location.column) == place(text, at)
    assert "verifiers would refuse the certificate" in finding.message


@pytest.mark.parametrize("uri", ["urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", "https://[::1]/"])
def test_a_uri_without_a_host_name_fits_no_uri_constraint(uri: str) -> None:
    policy = changed(WIDE, ("spiffe://example.internal/payments/*", uri))
    text = request_text(f"sans: {{uri: ['{uri}']}}")
    constrained = _constrained("{excluded: {uri: [example.internal]}}")
    (finding,) = judge(text, policy=policy, issuing=constrained).findings
    assert finding.rule == "nameConstraints"
    assert "has no host name to hold against" in finding.message


def test_the_common_name_is_not_held_against_constraints_where_there_is_a_dns_name() -> None:
    text = request_text(
        "subject: {commonName: api.example.internal}", "sans: {dns: [web.example.internal]}"
    )
    constrained = _constrained("{permitted: {dns: [web.example.internal]}}")
    assert texts(judge(text, policy=WIDE, issuing=constrained).findings) == []


def test_the_csr_takes_no_part_in_what_the_template_is_made_of() -> None:
    plain = judge().template
    names = csr((("commonName", "api.example.internal"),), ("dns:api.example.internal",))
    assert judge(csr_bytes=names).template == plain


def test_a_validity_that_ends_before_the_moment_of_issuance_is_denied() -> None:
    policy = changed(POLICY, ("min: 1d, ", ""))
    text = request_text(_API, "validity: 5m")
    (finding,) = judge(text, policy=policy).findings
    assert finding.rule == "validity.backdate"
    assert finding.message == (
        "validity 5m is not above the backdate of 5m: the certificate would be born expired"
    )
    assert judge(request_text(_API, "validity: 6m"), policy=policy).findings == ()


def test_another_ca_than_the_policy_names_issues_nothing() -> None:
    judged = case()
    other = replace(judged.authority, name="other")
    (finding,) = evaluate(replace(judged, authority=other)).findings
    assert finding.rule == "issuer"
    assert finding.message == "CA other would issue; allowed is issuing"
