"""The rule list as a table: what the rules are called, and which of them a policy makes speak."""

from __future__ import annotations

import inspect

import pytest
from policy_material import POLICY, REQUEST, case, changed, governing, judge, request_text

from gitca.policy.evaluate import RULES
from gitca.policy.rule_names import configured_rules, rule_names
from gitca.policy.rule_verdicts import RuleVerdict, rule_verdicts


def configured(policy: str) -> tuple[str, ...]:
    return configured_rules(governing(policy).policies["internal-server"])


def verdicts(request: str = REQUEST, **options: object) -> dict[str, RuleVerdict]:
    return {word.rule: word for word in rule_verdicts(case(request, **options))}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.__module__}.{rule.__name__}")
def test_every_rule_begins_its_docstring_with_its_names(rule: object) -> None:
    docstring = inspect.getdoc(rule) or ""
    assert docstring.startswith("`"), "names in backquotes, a colon, and what holds"
    assert any(f"`{name.pattern}`" in docstring for name in rule_names())


def test_every_finding_belongs_to_a_rule_of_the_list() -> None:
    denied = judge(
        request_text(
            "subject: {commonName: x.example.com, organization: Other, locality: L}",
            "sans: {dns: [x.example.com, '*.example.internal'], ip: [10.0.0.1]}",
            "validity: 400d",
            "keyUsage: [keyEncipherment]",
            "extendedKeyUsage: [codeSigning]",
        )
    )
    names = rule_names()
    assert len(denied.findings) > 8
    for finding in denied.findings:
        of_family = any(finding.rule.startswith(f"{name.pattern}.") for name in names)
        assert of_family or any(name.covers(finding.rule) for name in names), finding.rule


def test_a_policy_makes_those_rules_speak_that_it_configures() -> None:
    assert configured(POLICY) == (
        "selector.paths",
        "subject.commonName.allow",
        "subject.commonName.mustBeInSans",
        "subject.organization.fixed",
        "subject.organizationalUnit.allow",
        "sans.dns.allow",
        "sans.dns.deny",
        "sans.dns.max",
        "sans.ip.allow",
        "sans.ip.deny",
        "sans.ip.max",
        "sans.uri.allow",
        "sans.uri.max",
        "sans.email.allow",
        "sans.email.deny",
        "sans.email.max",
        "key.algorithms",
        "validity.min",
        "validity.max",
        "keyUsage.allow",
        "extendedKeyUsage.allow",
    )


@pytest.mark.parametrize(
    ("old", "new", "rule", "speaks"),
    [
        ("max: 90d", "max: 90d, latestNotAfter: 2030-01-01T00:00:00Z",
         "validity.latestNotAfter", 1),
        ('["payments/**"]', '["**"]', "selector.paths", 0),
        ("mustBeInSans: true", "mustBeInSans: false", "subject.commonName.mustBeInSans", 0),
        ("max: 5}\n    ip", "wildcards: true}\n    ip", "sans.dns.wildcards", 0),
        ("max: 5}\n    ip", "wildcards: false}\n    ip", "sans.dns.wildcards", 1),
        ("issuer: issuing", "issuer: issuing\n  rules: [{name: r, expression: 'true', message: m}]",
         "rules.r", 1),
        ('["payments/**"]', '["payments/**"], labels: {team: a}', "selector.labels.team", 1),
        ("maxBits: 4096", "maxBits: 4096, exponents: [65537]", "key.algorithms.exponents", 1),
    ],
)  # fmt: skip
def test_a_value_that_nothing_can_break_makes_no_rule_speak(
    old: str, new: str, rule: str, speaks: int
) -> None:
    assert (rule in configured(changed(POLICY, (old, new)))) == bool(speaks)


def test_each_rule_is_allowed_denied_or_not_asked_with_its_reason() -> None:
    words = verdicts(request_text("sans: {dns: [api.example.com]}", "validity: 400d"))
    assert words["sans.dns.allow"].outcome == "denied"
    assert "“api.example.com” is not allowed" in words["sans.dns.allow"].reason
    assert words["validity.max"].reason == "validity 400d is above 90d"
    assert words["selector.paths"].outcome == "allowed"
    assert words["sans.ip.allow"].reason == "the request has no sans.ip"
    assert words["sans.ip.allow"].outcome == "not asked"
    assert words["validity.latestNotAfter"].reason == "policy internal-server does not say it"
    assert words["key.refused"].outcome == "allowed"


def test_a_request_that_is_allowed_is_denied_by_no_rule() -> None:
    words = verdicts()
    assert {word.outcome for word in words.values()} == {"allowed", "not asked"}
    assert all(word.reason for word in words.values())


def test_the_rules_that_deny_are_those_of_the_verdict() -> None:
    request = request_text("sans: {dns: [a_b..c], ip: [10.0.0.1]}", "subject: {locality: L}")
    denied = {word.rule for word in verdicts(request).values() if word.outcome == "denied"}
    found = {finding.rule for finding in judge(request).findings if finding.is_error}
    assert found
    for rule in found:
        assert any(rule == name or rule.startswith(f"{name}.") for name in denied), rule
