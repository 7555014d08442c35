"""Findings as SARIF 2.1.0 (OASIS, errata 01), as GitHub's code scanning and editors read it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from gitca.findings import Finding, Severity
from gitca.plan.fingerprints import with_fingerprints
from gitca.plan.outcome import Outcome, heaviest_first
from gitca.plan.rule_help import rule_sentence
from gitca.plan.url_path import url_path
from gitca.x509.visible_text import spelled_out

JsonObject = dict[str, object]

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_FINGERPRINT = "gitcaFinding/v1"
_LEVELS: Mapping[Severity, str] = MappingProxyType(
    {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
)
_SPECIAL = re.compile(r"[\\\[\]]")


def sarif_record(outcome: Outcome, version: str) -> JsonObject:
    """Return the log: one run of gitca, of `version`, with its rules and results, errors first."""
    findings = heaviest_first(outcome.findings)
    rules = list(dict.fromkeys(finding.rule for finding in findings))
    driver = {"name": "gitca", "version": version, "rules": [_rule(rule) for rule in rules]}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "automationDetails": {"id": f"gitca/{outcome.command}/"},
                "columnKind": "unicodeCodePoints",
                "results": _results(findings, rules),
            }
        ],
    }


def _rule(rule: str) -> JsonObject:
    sentence = rule_sentence(rule)
    return {
        "id": rule,
        "name": rule,
        "shortDescription": {"text": _message(sentence)},
        "fullDescription": {"text": _message(sentence)},
        "help": {
            "text": _message(
                f"{sentence} Each result says what was seen, what was allowed and what to do."
            )
        },
    }


def _results(findings: Iterable[Finding], rules: list[str]) -> list[JsonObject]:
    index = {rule: place for place, rule in enumerate(rules)}
    return [
        {
            "ruleId": finding.rule,
            "ruleIndex": index[finding.rule],
            "level": _LEVELS[finding.severity],
            "message": {"text": _message(_words(finding))},
            "locations": [_location(finding)],
            "partialFingerprints": _fingerprints(fingerprint),
        }
        for finding, fingerprint in with_fingerprints(findings)
    ]


def _fingerprints(fingerprint: str) -> JsonObject:
    # The second is the only one that GitHub goes by; its own would change with the line's text.
    return {_FINGERPRINT: fingerprint, "primaryLocationLineHash": f"{fingerprint}:1"}


def _words(finding: Finding) -> str:
    policy = f" (policy {finding.policy})" if finding.policy else ""
    return f"{finding.message}{policy}" + (f"; {finding.remedy}" if finding.remedy else "")


def _location(finding: Finding) -> JsonObject:
    place = finding.location
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": url_path(place.file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": place.line, "startColumn": place.column},
        }
    }


def _message(text: str) -> str:
    """Return a text that stays one: `[words](target)` would be a link (SARIF section 3.11.6)."""
    shown = spelled_out(text)
    return _SPECIAL.sub(r"\\\g<0>", shown) if "](" in shown else shown
