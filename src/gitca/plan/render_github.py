"""Findings as annotations at their lines: the one place where gitca writes workflow commands.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gitca.findings import Finding, Severity
from gitca.plan.outcome import Outcome
from gitca.x509.visible_text import spelled_out

SHOWN = 10
"""Annotations of each type that GitHub shows of one step; the others stay in the log alone."""

_COMMANDS: Mapping[Severity, str] = MappingProxyType(
    {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
)
# The runner looks for its older commands (##[error]) in every line that is no command of this form.
_OLDER_COMMAND = re.compile(r"##(?=[A-Za-z]*\[)")


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a job's log; a workflow command on purpose, or plain text."""

    text: str
    is_command: bool


def annotation_lines(outcome: Outcome) -> Iterator[LogLine]:
    """Yield annotations, errors first, and as plain lines the findings that GitHub would not show.

    Of a severity with more than ten findings, the tenth annotation says how many there are.
    """
    for severity in Severity:
        found = outcome.of(severity)
        shown = found if len(found) <= SHOWN else found[: SHOWN - 1]
        for finding in shown:
            yield _annotation(finding)
        left_out = found[len(shown) :]
        if left_out:
            count = f"{len(left_out)} more {severity}{'' if len(left_out) == 1 else 's'}"
            message = f"{count} of {len(found)}: GitHub shows ten of a step; the log has them all"
            yield _command(_COMMANDS[severity], {"title": f"gitca {outcome.command}"}, message)
        yield from (LogLine(str(finding), is_command=False) for finding in left_out)


def _annotation(finding: Finding) -> LogLine:
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    properties = {
        "file": finding.location.file,
        "line": str(finding.location.line),
        "col": str(finding.location.column),
        "title": f"policy {finding.policy}, {finding.rule}" if finding.policy else finding.rule,
    }
    return _command(_COMMANDS[finding.severity], properties, finding.message + remedy)


def _command(name: str, properties: Mapping[str, str], message: str) -> LogLine:
    """Return a workflow command; whatever the values hold, it stays this one command."""
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    line = f"::{name} {given}::{_data(message)}"
    return LogLine(_OLDER_COMMAND.sub(r"#\\x23", line), is_command=True)


def _data(text: str) -> str:
    # Line breaks are spelled out by now; escaped, as the runner's toolkit does, are they as well.
    shown = spelled_out(text)
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
