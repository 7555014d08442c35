"""Waivers: one request, one rule, until a date; and what no waiver waives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from policy_material import NOW, POLICY, case, changed, csr, request_text

from gitca.documents.document import Document
from gitca.documents.parse import parse_document
from gitca.documents.source import parse_source
from gitca.documents.waiver import NEVER_WAIVED, WaiverSpec, why_never
from gitca.findings import Severity
from gitca.policy.case import Verdict
from gitca.policy.evaluate import evaluate
from gitca.policy.rule_names import rule_names
from gitca.policy.waivers import examine_waivers, waivers_for

API = "sans: {dns: [api.example.internal]}"
LONG = request_text(API, "validity: 400d")
UNTIL = datetime(2027, 1, 1, tzinfo=UTC)


def waiver(rule: str = "validity.max", *, name: str = "w", **spec: str) -> Document[WaiverSpec]:
    fields = {"request": "payments/api", "until": "2027-01-01T00:00:00Z", "reason": "INC-42"}
    lines = "".join(
        f"  {key}: {value}\n" for key, value in {**fields, "rule": rule, **spec}.items()
    )
    text = f"apiVersion: gitca/v1\nkind: Waiver\nspec:\n{lines}"
    source, found = parse_source(f"policies/waivers/{name}.yaml", text.encode())
    assert source is not None
    document, findings = parse_document(source, name=f"waivers/{name}", kinds=("Waiver",))
    assert (*found, *findings) == (), [str(finding) for finding in findings]
    assert document is not None
    return document


def judged(text: str, *waivers: Document[WaiverSpec], **options: Any) -> Verdict:
    return evaluate(replace(case(text, **options), waivers=waivers))


def test_what_is_waived_is_a_warning_that_names_the_waiver_and_its_end() -> None:
    assert judged(LONG).is_denied
    verdict = judged(LONG, waiver())
    assert not verdict.is_denied
    (finding,) = verdict.findings
    assert (finding.rule, finding.severity) == ("validity.max", Severity.WARNING)
    assert finding.message == (
        "validity 400d is above 90d: WAIVED by policies/waivers/w.yaml until 2027-01-01T00:00:00Z,"
        " when the certificate ends at the latest"
    )
    assert [used.name for used in verdict.waivers] == ["waivers/w"]
    assert verdict.ends_by == UNTIL


def test_a_waiver_that_is_not_needed_changes_nothing() -> None:
    verdict = judged(request_text(API), waiver())
    assert (verdict.findings, verdict.waivers, verdict.ends_by) == ((), (), None)


@pytest.mark.parametrize(
    "other", ["validity", "validity.ma", "validity.max.x", "validity.min", "Validity.Max"]
)
def test_a_waiver_of_another_rule_waives_nothing(other: str) -> None:
    assert judged(LONG, waiver(other)).is_denied


def test_other_findings_stand() -> None:
    text = request_text("sans: {dns: [www.example.com]}", "validity: 400d")
    verdict = judged(text, waiver())
    assert [(found.rule, found.is_error) for found in verdict.findings] == [
        ("sans.dns.allow", True),
        ("validity.max", False),
    ]


def test_a_waiver_ends_at_its_time_to_the_second() -> None:
    end = NOW + timedelta(days=1)
    soon = waiver(until=f"{end:%Y-%m-%dT%H:%M:%SZ}")
    assert not judged(LONG, soon, now=end - timedelta(seconds=1)).is_denied
    assert judged(LONG, soon, now=end).is_denied


def test_of_two_waivers_the_later_end_counts_and_of_two_rules_the_earlier() -> None:
    later = waiver(name="later", until="2027-06-01T00:00:00Z")
    assert judged(LONG, waiver(), later).ends_by == later.spec.until
    text = request_text("sans: {dns: [www.example.com]}", "validity: 400d")
    names = waiver("sans.dns.allow", name="names", until="2026-12-01T00:00:00Z")
    assert judged(text, later, names).ends_by == names.spec.until


@pytest.mark.parametrize("rule", sorted(NEVER_WAIVED))
@pytest.mark.parametrize("below", ["", ".x"])
def test_a_waiver_of_what_is_never_waived_is_refused(rule: str, below: str) -> None:
    text = (
        "apiVersion: gitca/v1\nkind: Waiver\nspec: {request: a, reason: r,"
        f" until: '2027-01-01T00:00:00Z', rule: {rule}{below}}}\n"
    )
    source, _ = parse_source("policies/waivers/w.yaml", text.encode())
    assert source is not None
    document, (finding,) = parse_document(source, name="waivers/w", kinds=("Waiver",))
    assert document is None
    assert finding.rule == "waiver.rule"
    assert f"is never waived: {NEVER_WAIVED[rule]}" in finding.message


def test_the_table_names_rules_that_there_are() -> None:
    names = [name.pattern for name in rule_names()]
    elsewhere = {"namesFrom", "limits", "lint", "template", "policy", "waiver"}
    unknown = [
        rule
        for rule in NEVER_WAIVED
        if not any(name == rule or name.startswith(f"{rule}.") for name in names)
    ]
    assert set(unknown) <= elsewhere


def test_a_prefix_of_letters_is_not_a_prefix_of_the_name() -> None:
    assert why_never("csrx.subject") is None
    assert why_never("key.refusedly") is None
    assert why_never("csr.subject") is not None


def test_what_holds_under_every_policy_is_not_waived_even_by_name() -> None:
    # The document could not be written; the engine does not rely on that.
    text, names = request_text(API), csr((("organization", "system:masters"),))
    forged = waiver()
    forged = replace(forged, spec=forged.spec.model_copy(update={"rule": "csr.subject"}))
    assert judged(text, forged, csr_bytes=names).is_denied
    refused = waiver()
    refused = replace(refused, spec=refused.spec.model_copy(update={"rule": "key.refused"}))
    plain = judged(text, refused)
    key = plain.template.key_identifier if plain.template else ""
    assert judged(text, refused, refused_keys={key: "leaked"}).is_denied


def test_what_cannot_be_written_into_a_certificate_is_not_waived() -> None:
    policy = changed(POLICY, ("  issuer: issuing\n", "  issuer: issuing\n  namesFrom: csr\n"))
    forged = waiver()
    forged = replace(forged, spec=forged.spec.model_copy(update={"rule": "namesFrom"}))
    assert judged(request_text(API), forged, policy=policy).is_denied


def test_a_waived_rule_of_an_expression_is_waived_by_its_name() -> None:
    rule = "  rules: [{name: never, expression: '1 == 2', message: m}]\n"
    policy = changed(POLICY, ("  issuer: issuing\n", f"  issuer: issuing\n{rule}"))
    assert judged(request_text(API), policy=policy).is_denied
    assert not judged(request_text(API), waiver("rules.never"), policy=policy).is_denied


def test_waivers_are_those_of_the_request_by_its_whole_name() -> None:
    waivers = {"a": waiver(), "b": waiver(request="payments/api2"), "c": waiver(request="payments")}
    assert waivers_for(waivers, "payments/api") == (waivers["a"],)


def examined(*waivers: Document[WaiverSpec], needed: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    found = list(
        examine_waivers(
            {item.name: item for item in waivers},
            needed=needed,
            judged={"payments/api"},
            requests={"payments/api", "payments/broken"},
            now=NOW,
        )
    )
    assert {finding.severity for finding in found} <= {Severity.WARNING}
    return [(finding.rule, str(finding.location)) for finding in found]


def test_a_waiver_that_is_needed_is_no_finding() -> None:
    assert examined(waiver(), needed=("waivers/w",)) == []


def test_an_ended_waiver_is_a_finding_at_its_date() -> None:
    ended = waiver(until="2026-11-24T12:00:00Z")
    assert examined(ended) == [("waiver.ended", "policies/waivers/w.yaml:5:10")]


def test_a_waiver_that_nothing_needs_is_a_finding() -> None:
    assert examined(waiver()) == [("waiver.unused", "policies/waivers/w.yaml:7:9")]
    gone = waiver(request="payments/gone")
    assert examined(gone) == [("waiver.unused", "policies/waivers/w.yaml:4:12")]


def test_of_a_request_that_could_not_be_judged_nobody_says_what_it_needs() -> None:
    assert examined(waiver(request="payments/broken")) == []
