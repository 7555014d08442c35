"""What a certificate would say, each part with the place that says so: what the rules judge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gitca.findings import Finding, Location
from gitca.policy.period import ONE_SECOND, Period
from gitca.x509.template import GeneralName, NameAttribute


@dataclass(frozen=True, slots=True)
class StatedAttribute:
    """One attribute of the subject; `supplied` says that the policy gave it and no request did."""

    type: str
    attribute: NameAttribute
    at: Location
    supplied: bool = False

    @property
    def value(self) -> str:
        """The attribute's text."""
        return self.attribute.value


@dataclass(frozen=True, slots=True)
class StatedName:
    """One subject alternative name, canonical."""

    name: GeneralName
    at: Location

    @property
    def value(self) -> str:
        """What of the name is one text: all but its type; nothing of a directory name."""
        return self.name.value


@dataclass(frozen=True, slots=True)
class StatedUsages:
    """Key usages or extended key usages as written; `requested` tells them from the default."""

    values: tuple[str, ...]
    places: tuple[Location, ...]
    at: Location
    requested: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """The parts of a template to be, in the order of encoding.

    `not_before` and `not_after`, inclusive, are what the period comes to at this moment, whether or
    not the CA lasts as long. `findings` name what could not be represented; with an error among
    them there is no template.
    """

    subject: tuple[StatedAttribute, ...]
    sans: tuple[StatedName, ...]
    key_usage: StatedUsages
    extended_key_usage: StatedUsages
    period: Period
    not_before: datetime
    not_after: datetime
    validity_at: Location
    findings: tuple[Finding, ...]

    @property
    def validity(self) -> timedelta:
        """The whole period that is asked for, its last second included."""
        return self.not_after - self.not_before + ONE_SECOND
