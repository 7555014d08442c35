"""Which requests a policy selects: labels, and who changed the request last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from policy_material import POLICY, REQUEST, case, changed, judge, place

from gitca.findings import Finding, Severity
from gitca.policy.case import Requester
from gitca.policy.evaluate import evaluate

PATH = "requests/payments/api.yaml"
CSR = "requests/payments/api.csr"
ANN = Requester("ann@example.com", "noreply@forge.example")
EVE = Requester("eve@evil.example", "noreply@forge.example")


def selecting(selector: str) -> str:
    return changed(
        POLICY,
        (
            'selector: {paths: ["payments/**"]}',
            f'selector: {{paths: ["payments/**"], {selector}}}',
        ),
    )


def labelled(labels: str) -> str:
    kind = "kind: CertificateRequest\n"
    return changed(REQUEST, (kind, f"{kind}metadata: {{labels: {{{labels}}}}}\n"))


@pytest.mark.parametrize(
    ("selector", "labels"),
    [
        ("labels: {team: payments}", "team: payments"),
        ("labels: {team: payments}", "team: payments, region: eu"),
        ('labels: {team: "pay*"}', "team: payments"),
        ('labels: {team: payments, region: "**"}', "team: payments, region: eu.west"),
        ("labels: {}", "team: x"),
    ],
)
def test_a_request_with_the_labels_is_selected(selector: str, labels: str) -> None:
    assert judge(labelled(labels), policy=selecting(selector)).findings == ()


@pytest.mark.parametrize(
    ("selector", "labels", "says"),
    [
        ("labels: {team: payments}", "team: fraud", "label team is “fraud”; allowed is “payments”"),
        ("labels: {team: payments}", "region: eu", "label team is missing; allowed is “payments”"),
        ("labels: {team: payments}", "team: Payments", "label team is “Payments”"),
        ('labels: {team: "*"}', "team: a.b", "label team is “a.b”"),
        ('labels: {team: "**"}', "team: ''", "label team is “”"),
        ('labels: {team: "**"}', "team: '*'", "label team is “*”"),
    ],
)
def test_a_request_without_the_labels_is_denied(selector: str, labels: str, says: str) -> None:
    text = labelled(labels)
    (finding,) = judge(text, policy=selecting(selector)).findings
    assert finding.rule == "selector.labels"
    assert finding.is_error
    assert says in finding.message
    assert finding.location.line == place(text, "labels")[0]


def asked(selector: str, requesters: Mapping[str, Requester | None] | None) -> tuple[Finding, ...]:
    judged = case(policy=selecting(f"requesters: {{{selector}}}"))
    return evaluate(replace(judged, requesters=requesters)).findings


@pytest.mark.parametrize(
    ("selector", "requester"),
    [
        ('authors: ["*@example.com"]', ANN),
        ("authors: [ann@example.com]", Requester("ann@EXAMPLE.com", "x@y.z")),
        ('authors: ["*@example.com"], committers: ["noreply@forge.example"]', ANN),
        ('committers: ["noreply@forge.example"]', EVE),
        ('authors: ["*@**.example.com"]', Requester("ann@uk.example.com", "")),
        ('authors: ["12345+*@users.forge.example"]', Requester("12345+a@users.forge.example", "")),
    ],
)
def test_a_request_that_the_right_people_changed_is_selected(
    selector: str, requester: Requester
) -> None:
    assert asked(selector, {PATH: requester, CSR: requester}) == ()


@pytest.mark.parametrize(
    ("selector", "requester", "rules"),
    [
        ('authors: ["*@example.com"]', EVE, ["selector.requesters.authors"]),
        ('committers: ["*@example.com"]', ANN, ["selector.requesters.committers"]),
        (
            'authors: ["*@example.com"], committers: ["*@example.com"]',
            EVE,
            ["selector.requesters.authors", "selector.requesters.committers"],
        ),
        ('authors: ["*@example.com"]', Requester("", ""), ["selector.requesters.authors"]),
        ("authors: [ann@example.com]", Requester("Ann@example.com", ""),
         ["selector.requesters.authors"]),
        ('authors: ["*@example.com"]', Requester("*@example.com", ""),
         ["selector.requesters.authors"]),
        ('authors: ["*@example.com"]', Requester("x@example.com@evil.example", ""),
         ["selector.requesters.authors"]),
        ('authors: ["*@example.com"]', Requester("x@evil.example\n@example.com", ""),
         ["selector.requesters.authors"]),
        ("authors: []", ANN, ["selector.requesters.authors"]),
    ],
)  # fmt: skip
def test_a_request_that_others_changed_is_denied(
    selector: str, requester: Requester, rules: list[str]
) -> None:
    found = asked(selector, {PATH: requester})
    assert [finding.rule for finding in found] == rules
    assert all(finding.is_error for finding in found)


def test_whoever_exchanged_the_csr_counts_too() -> None:
    (finding,) = asked('authors: ["*@example.com"]', {PATH: ANN, CSR: EVE})
    assert finding.message.startswith(f"the author who changed {CSR} last is “eve@evil.example”")


def test_what_a_shallow_clone_does_not_know_is_denied() -> None:
    (finding,) = asked('authors: ["*@example.com"]', {PATH: None})
    assert finding.is_error
    assert "is not in this clone's history" in finding.message
    assert "unshallow" in finding.remedy


def test_where_there_is_no_commit_a_note_says_that_nobody_was_asked() -> None:
    (finding,) = asked('authors: ["*@example.com"]', None)
    assert (finding.rule, finding.severity) == ("selector.requesters", Severity.NOTE)


def test_a_policy_that_does_not_ask_says_nothing() -> None:
    assert evaluate(case()).findings == ()
