"""Findings as a JUnit report: one test case a document, which fails where the document has errors.

There is no standard; this is what GitLab and Jenkins read alike
(https://docs.gitlab.com/ci/testing/unit_test_reports/,
https://github.com/jenkinsci/junit-plugin): both take one failure of a test case.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gitca.findings import Finding, Severity
from gitca.plan.outcome import Outcome, heaviest_first
from gitca.x509.visible_text import spelled_out

# Characters that XML 1.0 has no way to write, once controls and surrogates are spelled out.
_NO_CHARACTERS = {0xFFFE: r"\ufffe", 0xFFFF: r"\uffff"}


def junit_text(outcome: Outcome) -> str:
    """Return the report, an XML document in UTF-8.

    A document with errors fails, with `--require-clean` one with warnings too; what else was found
    is its output. A file with findings that is no document has a test case as well.
    """
    by_file: dict[str, list[Finding]] = {path: [] for path in outcome.documents}
    for finding in heaviest_first(outcome.findings):
        by_file.setdefault(finding.location.file, []).append(finding)
    suites = Element("testsuites", {"name": f"gitca {outcome.command}"})
    suite = SubElement(suites, "testsuite", {"name": f"gitca {outcome.command}"})
    failed = sum(_case(suite, path, by_file[path], outcome) for path in sorted(by_file))
    for element in (suites, suite):
        element.attrib |= {"tests": str(len(by_file)), "failures": str(failed), "errors": "0"}
        element.set("time", "0")
    suite.set("skipped", "0")
    indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(suites, encoding="unicode")}\n'


def _case(suite: Element, path: str, findings: list[Finding], outcome: Outcome) -> bool:
    """Add a document's test case, and return whether it failed."""
    shown, folder = _visible(path), _visible(path.rpartition("/")[0]) or "."
    case = SubElement(
        suite, "testcase", {"classname": folder, "name": shown, "file": shown, "time": "0"}
    )
    failing = [item for item in findings if _fails(item, outcome)]
    if failing:
        message = f"{failing[0].rule}: {failing[0].message}"
        more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
        rules = ", ".join(sorted({item.rule for item in failing}))
        attributes = {"message": _visible(message) + more, "type": _visible(rules)}
        SubElement(case, "failure", attributes).text = _lines(failing)
    others = [item for item in findings if not _fails(item, outcome)]
    if others:
        SubElement(case, "system-out").text = _lines(others)
    return bool(failing)


def _fails(finding: Finding, outcome: Outcome) -> bool:
    return finding.is_error or (outcome.is_strict and finding.severity is Severity.WARNING)


def _lines(findings: Iterable[Finding]) -> str:
    return "\n".join(_visible(str(finding)) for finding in findings)


def _visible(text: str) -> str:
    return spelled_out(text).translate(_NO_CHARACTERS)
