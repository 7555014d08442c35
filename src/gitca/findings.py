"""Findings: what a check says of a document, with the place it says it of."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Severity(enum.StrEnum):
    """How much a finding weighs: an error stops the object, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a document: path from the repository's root, line and column counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check says.

    `rule` is the stable dotted name of the check (`validity.max`, `yaml.duplicate-key`), `message`
    says what was seen and what was allowed, `remedy` what to do. `policy` names the IssuancePolicy
    whose field spoke, where one did.
    """

    rule: str
    severity: Severity
    message: str
    location: Location
    remedy: str = ""
    policy: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the object that the finding speaks of must not go on."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        prefix = "" if self.is_error else f"{self.severity}: "
        source = f"policy {self.policy}, {self.rule}" if self.policy else self.rule
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.location}: {prefix}{self.message} ({source}){remedy}"


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any of the findings is an error."""
    return any(finding.is_error for finding in findings)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings by place, then by rule, each once."""
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda finding: (finding.location, finding.rule)))
