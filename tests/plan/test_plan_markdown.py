"""The plan's Markdown: what a reviewer needs, nothing of it markup of a document's, bounded."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gitca.findings import Finding, Location, Severity
from gitca.ledger.events import DocumentReference, SourceDocuments
from gitca.plan.background import Background
from gitca.plan.markdown_text import cell_code, code, html_code, prose
from gitca.plan.model import IssueCertificate, Plan
from gitca.plan.outcome import Outcome
from gitca.plan.render_markdown import MARKER, render_markdown
from gitca.policy.period import Period
from gitca.x509.template import CertificateTemplate, GeneralName
from hostile_outcomes import EVIL, SPKI, Given, outcomes, texts
from markdown_judge import as_code, judge

LINKS = "https://github.com/example/pki/blob/main"
SMALL, USUAL = 5_000, 65_000


# Whole outcomes are large to draw and slow to shrink; the texts by themselves are drawn below.
@settings(
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(outcomes, st.sampled_from(["", LINKS]), st.sampled_from([SMALL, USUAL]))
def test_nothing_that_a_document_says_is_markup(outcome: Outcome, links: str, limit: int) -> None:
    markdown = render_markdown(outcome, links=links, size_limit=limit)
    found = judge(markdown)
    assert found.problems == []
    assert all(href.startswith(f"{LINKS}/") for href in found.links)
    assert bool(found.links) <= bool(links)
    assert len(markdown.encode()) <= limit
    assert markdown.startswith(f"{MARKER}\n")


@given(texts)
def test_a_code_span_says_what_it_was_given(text: str) -> None:
    found = judge(f"before {code(text, longest=9999)} after")
    assert found.problems == []
    shown = as_code(text)
    assert found.codes == ([shown] if shown.strip() else [])


@given(texts)
def test_a_cell_of_a_table_stays_one_cell(text: str) -> None:
    found = judge(f"| a | b |\n| --- | --- |\n| {cell_code(text)} | `last` |\n")
    assert found.problems == []
    assert found.codes[-1] == "last"
    assert len(found.codes) == (2 if as_code(text).strip() else 1)


@given(texts)
def test_a_sentence_is_words_and_code_and_loses_nothing(text: str) -> None:
    found = judge(f"before {prose(text, longest=9999)}")
    assert found.problems == []
    told = re.sub(r"\s", "", "".join(found.texts + found.codes))
    assert sorted(told) == sorted("before" + re.sub(r"\s", "", as_code(text)))


@pytest.mark.parametrize("text", EVIL)
def test_a_summary_is_one_line_of_html_without_elements(text: str) -> None:
    line = html_code(text)
    assert "\n" not in line
    assert judge(f"<details><summary>{line}</summary>\n\nx\n\n</details>\n").problems == []


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("validity 400d is above 90d (policy web, validity.max); shorten it",
         "validity `400d` is above `90d` (policy web, `validity.max`); shorten it"),
        ("names: + dns:b.example, - dns:a", "names: `+ dns:b.example`, `- dns:a`"),
        ("“a b” is denied by “*.c”; deny goes first",
         "“`a b`” is denied by “`*.c`”; deny goes first"),
        ("key usage: + keyAgreement", "key usage: `+ keyAgreement`"),
        ("the policies' or CAs' first, don't", "the policies' or CAs' first, don't"),
        ("1. one of 12. (3)", "`1`. one of `12`. (`3`)"),
        ("6", "`6`"),
        ("6 revocations to list", "6 revocations to list"),
        ("deadbee effaced 1234567 12", "`deadbee effaced 1234567` 12"),
    ],
)  # fmt: skip
def test_words_are_plain_and_values_are_code(message: str, shown: str) -> None:
    assert prose(message) == shown


def issue(number: int) -> IssueCertificate:
    name = f"team-{number % 50}/host-{number}"
    reference = DocumentReference(f"requests/{name}.yaml", "0" * 40)
    return IssueCertificate(
        action="issue",
        ca="issuing",
        request=name,
        reason="the request has no certificate yet",
        documents=SourceDocuments(ca=DocumentReference("ca/issuing.yaml", "1" * 40),
                                  request=reference, policy=reference),
        template=CertificateTemplate((), SPKI, (GeneralName("dns", f"h{number}.example"),)),
        period=Period(None),
    )  # fmt: skip


def error(number: int) -> Finding:
    place = Location(f"requests/team/host-{number}.yaml", number + 1)
    return Finding("validity.max", Severity.ERROR, "validity 400d is above 90d", place)


@pytest.mark.parametrize(
    ("actions", "errors", "limit"),
    [(100, 0, USUAL), (100, 100, SMALL), (10_000, 10_000, SMALL), (10_000, 10_000, USUAL)],
)
def test_whatever_does_not_fit_is_counted(actions: int, errors: int, limit: int) -> None:
    warning = replace(error(0), severity=Severity.WARNING, rule="crl.lapse")
    found = (*map(error, range(errors)), warning)
    plan = Plan(tuple(map(issue, range(actions))), found)
    outcome = Outcome("plan", (), found, plan, None, Given(Background(Location("ca/x.yaml"))))
    markdown = render_markdown(outcome, links=LINKS, size_limit=limit)
    assert len(markdown.encode()) <= limit
    assert judge(markdown).problems == []
    shown, hidden = markdown.count("<details>"), count(r"and ([\d,]+) more action", markdown)
    assert shown + hidden == actions
    assert count(r"more actions\*\* \(([\d,]+) `issue`", markdown) == hidden
    assert (shown > 0) or limit == SMALL
    told = len(re.findall(r"^- \*\*error\*\*", markdown, re.MULTILINE))
    assert told + count(r"and ([\d,]+) error", markdown) == errors
    assert not errors or told > 0
    assert f"issues {actions:,} certificates" in markdown
    assert plan.digest in markdown


def count(pattern: str, markdown: str) -> int:
    match = re.search(pattern, markdown)
    return int(match[1].replace(",", "")) if match else 0


def test_errors_come_before_all_else_and_what_stays_has_a_place_of_its_own() -> None:
    stays = Finding("crl.lapse", Severity.WARNING, "CRL 3 lapses", Location("ca/a.yaml"))
    note = Finding("request.deleted", Severity.NOTE, "it is gone", Location("requests/a.yaml"))
    found = (stays, note, error(1))
    markdown = render_markdown(Outcome("plan", (), found, Plan((), found)), size_limit=USUAL)
    places = [markdown.index(text) for text in ("validity", "it is gone", "Beyond", "CRL 3")]
    assert places == sorted(places)
    assert "### Findings: 1 error, 1 note\n" in markdown
    assert "### Beyond this change: 1 warning\n" in markdown
    # One that is an error already is no matter for later.
    failed = replace(stays, severity=Severity.ERROR)
    told = render_markdown(Outcome("plan", (), (failed,), Plan((), ())), size_limit=USUAL)
    assert "Beyond" not in told


def test_nothing_to_do_is_said_in_a_sentence() -> None:
    markdown = render_markdown(Outcome("plan", (), (), Plan((), ())), size_limit=USUAL)
    assert "**Nothing to do: the repository is as its documents say.** No findings." in markdown
    found = (error(1),)
    markdown = render_markdown(Outcome("plan", (), found, Plan((), found)), size_limit=USUAL)
    assert "**Nothing is done.** **1 error stops" in markdown
