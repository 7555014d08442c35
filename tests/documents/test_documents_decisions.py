"""What policies say of selection, rules, lint, limits and lifecycle, and waivers, as documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from document_samples import (
    ISSUING,
    POLICY,
    ROOT,
    WAIVER,
    governing,
    marked,
    only_finding,
    parsed,
    with_line,
)

TREE = {"ca/root.yaml": ROOT, "ca/issuing.yaml": ISSUING, "policies/internal-server.yaml": POLICY}


def spec_of(line: str, number: int = 12):
    document, findings = parsed(with_line(POLICY, number, line))
    assert document is not None, [str(finding) for finding in findings]
    return document.spec


def test_what_is_left_out_asks_for_nothing():
    spec = parsed(POLICY)[0].spec
    assert (spec.selector.labels, spec.selector.requesters, spec.rules) == ({}, None, ())
    assert (spec.lint.level, spec.lint.ignore) == ("error", ())
    assert set(spec.limits.model_dump().values()) == {None}
    assert (spec.on_replace.action, spec.on_delete.action) == ("keep", "keep")
    assert spec.renewal.key == "same"


@pytest.mark.parametrize(
    ("text", "before", "lead"),
    [
        ("10d", timedelta(days=10), timedelta(days=10)),
        ("1/3", Fraction(1, 3), timedelta(days=10)),
        ("2/60", Fraction(1, 30), timedelta(days=1)),
    ],
)
def test_a_renewal_is_before_a_duration_or_a_fraction(text, before, lead):
    renewal = spec_of(f"  renewal: {{automatic: true, before: {text}}}").renewal
    assert renewal.before == before
    assert renewal.lead(timedelta(days=30)) == lead


@pytest.mark.parametrize(
    ("line", "action", "reason"),
    [
        ("  onReplace: revoke", "revoke", "superseded"),
        ("  onReplace: {action: revoke, reason: unspecified}", "revoke", "unspecified"),
        ("  onReplace: keep", "keep", "superseded"),
    ],
)
def test_what_becomes_of_the_replaced_is_a_word_or_a_mapping(line, action, reason):
    rule = spec_of(line).on_replace
    assert (rule.action, rule.reason) == (action, reason)


def test_a_waiver_says_what_it_was_written_to_say():
    spec = parsed(WAIVER)[0].spec
    assert (spec.request, spec.rule) == ("payments/api", "validity.max")
    assert spec.until == datetime(2027, 1, 1, tzinfo=UTC)
    assert spec.approved_by == "security@example.com"


MISTAKES = {
    "label pattern": (5, "  selector: {labels: {team: ‸'***'}}", "policy.pattern"),
    "label name": (5, "  selector: {labels: {‸'a b': x}}", "document.label"),
    "label that is a number": (5, "  selector: {labels: {team: ‸5}}", "document.type"),
    "requester": (5, "  selector: {requesters: {authors: [‸example.com]}}", "policy.pattern"),
    "requesters of no kind": (
        5,
        "  selector: {requesters: {‸reviewers: ['*@a.b']}}",
        "document.unknown-key",
    ),
    "rule without a message": (
        12,
        "  rules: [‸{name: a, expression: 'true'}]",
        "document.missing-key",
    ),
    "rule's name": (
        12,
        "  rules: [{name: ‸A.b, expression: 'true', message: m}]",
        "document.value",
    ),
    "two rules of one name": (
        12,
        "  rules: [{name: a, expression: 'true', message: m}, {name: ‸a, expression: 'true',"
        " message: m}]",
        "policy.rules.twice",
    ),
    "map": (
        12,
        "  rules: [{name: a, expression: ‸'[1].map(x, x) == [1]', message: m}]",
        "policy.rules.map",
    ),
    "lint level": (12, "  lint: {level: ‸notice}", "document.value"),
    "lint without an end": (
        12,
        "  lint: {ignore: [‸{lint: pkix.x, reason: r}]}",
        "document.missing-key",
    ),
    "lint of no name": (
        12,
        "  lint: {ignore: [{lint: ‸'*', reason: r, until: '2027-01-01T00:00:00Z'}]}",
        "policy.lint.name",
    ),
    "lint that says that nothing was read": (
        12,
        "  lint: {ignore: [{lint: ‸lint.undecodable, reason: r, until: '2027-01-01T00:00:00Z'}]}",
        "policy.lint.name",
    ),
    "limit of nothing": (12, "  limits: {issuedPerDay: ‸0}", "document.value"),
    "limit as text": (12, "  limits: {issuedPerDay: ‸'5'}", "document.type"),
    "limit that lets nothing be renewed": (
        12,
        "  renewal: {automatic: true, before: 10d}\n  limits: {livePerRequest: ‸1}",
        "policy.limits.renewal",
    ),
    "fraction of the whole": (12, "  renewal: {before: ‸3/3}", "document.fraction"),
    "fraction by nothing": (12, "  renewal: {before: ‸1/0}", "document.duration"),
    "fraction as a number": (12, "  renewal: {before: ‸0.3}", "document.type"),
    "automatic on a new key": (
        12,
        "  renewal: {automatic: true, before: 10d, key: ‸new}",
        "policy.renewal.key",
    ),
    "fraction that leaves nothing": (
        12,
        "  renewal: {automatic: true, before: ‸999/999}",
        "document.fraction",
    ),
    "replaced how": (12, "  onReplace: ‸delete", "document.value"),
    "replaced for a compromise": (
        12,
        "  onReplace: {action: revoke, reason: ‸keyCompromise}",
        "document.value",
    ),
    "deleted with a word of its own": (12, "  onDelete: {action: revoke, ‸why: x}",
                                       "document.unknown-key"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_policy_is_one_finding_at_its_place(name):
    number, line, rule = MISTAKES[name]
    text, place = marked(with_line(POLICY, number, line))
    finding = only_finding(text)
    assert finding.startswith(f"x.yaml:{place}: "), finding
    assert f"({rule})" in finding


WAIVERS = {
    "rule": (5, "  rule: ‸'sans.*'", "waiver.rule"),
    "never": (5, "  rule: ‸csr.subject", "waiver.rule"),
    "request": (4, "  request: ‸requests//api", "document.name"),
    "date": (6, "  until: ‸2027-01-01", "document.timestamp"),
    "no reason": (7, "", "document.missing-key"),
    "pattern": (4, "  request: ‸'payments/*'", "document.name"),
}


@pytest.mark.parametrize("name", WAIVERS)
def test_a_mistake_in_a_waiver_is_one_finding_at_its_place(name):
    number, line, rule = WAIVERS[name]
    text, place = marked(with_line(WAIVER, number, line))
    finding = only_finding(text)
    assert f"({rule})" in finding
    assert "‸" not in line or finding.startswith(f"x.yaml:{place}: "), finding


def test_waivers_lie_in_their_folder_and_nothing_else_does():
    files = {
        **TREE,
        "policies/waivers/api.yaml": WAIVER,
        "policies/waivers/team/b.yaml": WAIVER,
        "policies/astray.yaml": WAIVER,
        "policies/waivers/policy.yaml": POLICY,
    }
    loaded = governing(files)
    assert set(loaded.waivers) == {"waivers/api", "waivers/team/b"}
    assert set(loaded.policies) == {"internal-server"}
    assert {finding.location.file for finding in loaded.findings} == {
        "policies/astray.yaml",
        "policies/waivers/policy.yaml",
    }


def test_a_broken_waiver_breaks_no_policy():
    loaded = governing({**TREE, "policies/waivers/api.yaml": "not: a waiver\n"})
    assert set(loaded.policies) == {"internal-server"}
    assert loaded.broken == {"policies/waivers/api.yaml"}
