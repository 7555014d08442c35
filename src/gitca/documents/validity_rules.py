"""What an issuance policy says of time: how long certificates are valid, and when issued."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from gitca.documents.document import CheckedModel
from gitca.documents.fields import (
    Contradiction,
    Duration,
    Items,
    Timestamp,
    duration_text,
    refuse,
    shown,
)

LONGEST_BACKDATE = timedelta(days=1)
"""No clock is slower than that and still worth a certificate."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_HOURS = rf"{_TIME}-(?:{_TIME}|24:00)"
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")


def _hours(value: str) -> str:
    remedy = "write a beginning and an end in quotes, as in “08:00-18:00”; 24:00 ends a day"
    if re.fullmatch(_HOURS, value) is None:
        raise refuse("policy.validity.hours", f"{shown(value)} is no span of hours", remedy)
    begin, _, end = value.partition("-")
    if begin >= end:
        message = f"hours {value} end before they begin"
        remedy = "split a window over midnight in two, one of them from 00:00"
        raise refuse("policy.validity.hours", message, remedy)
    return value


def _time_zone(value: str) -> str:
    try:
        if _ZONE.fullmatch(value):
            zoneinfo.ZoneInfo(value)
            return value
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        pass  # a folder of zones gives OSError, a file that is none ValueError
    raise refuse(
        "policy.validity.time-zone",
        f"{shown(value)} is no time zone of the tz database",
        "write a name such as Europe/London or UTC",
    )


class IssuanceWindow(CheckedModel):
    """A time of the week in which certificates are issued."""

    days: Items[Weekday] = Field(
        WEEKDAYS, description="The days of the week. Without it, all.", examples=[["mon", "tue"]]
    )
    hours: Annotated[
        str,
        AfterValidator(_hours),
        WithJsonSchema({"type": "string", "pattern": f"^(?:{_HOURS})$"}),
    ] = Field(
        "00:00-24:00",
        description="From the first minute to before the last, on a clock of the time zone."
        " Without it, the whole day.",
        examples=["08:00-18:00"],
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        "UTC",
        description="The name of a time zone of the tz database. Without it, UTC.",
        examples=["Europe/London"],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where no day is listed."""
        if not self.days:
            message = "the window lists no day, and is never open"
            yield Contradiction("policy.validity.days", message, "list days", ("days",))


class ValidityRules(CheckedModel):
    """How long certificates are valid, and when they are issued."""

    default: Duration = Field(
        description="The validity for requests that do not give one.", examples=["30d"]
    )
    max: Duration = Field(
        description="The longest validity. It is also how far notAfter may lie beyond the moment of"
        " issuance, where a request states a notBefore in the future.",
        examples=["90d"],
    )
    min: Duration | None = Field(None, description="The shortest validity.", examples=["1d"])
    backdate: Duration = Field(
        timedelta(0),
        description="How far notBefore lies before the moment of issuance, for clocks that are"
        " slow; at most 1d. It counts towards the validity. Without it, nothing.",
        examples=["5m"],
    )
    latest_not_after: Timestamp | None = Field(
        None,
        description="The time at which every certificate has ended, whatever its validity.",
        examples=["2027-12-31T00:00:00Z"],
    )
    request_dates: Items[Literal["notBefore", "notAfter"]] = Field(
        (),
        description="Which times a request may state itself. Without it, none.",
        examples=[["notAfter"]],
    )
    windows: Items[IssuanceWindow] = Field(
        (),
        description="When certificates are issued. Outside of all windows what is due waits."
        " Without it, at any time.",
        examples=[[{"days": ["mon", "tue"], "hours": "08:00-18:00", "timeZone": "Europe/London"}]],
    )
    beyond_issuer: Literal["reject", "truncate"] = Field(
        "reject",
        description="What happens to a certificate that would outlive its CA: reject it, or"
        " truncate it to the CA's end where the CA's leafBeyondIssuer says truncate as well.",
        examples=["reject"],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong unless backdate < min <= default <= max and backdate <= 1d."""
        if self.default > self.max:
            yield self._above("default", self.default, "max", self.max)
        if self.min is not None and self.min > self.default:
            yield self._above("min", self.min, "default", self.default)
        shortest = self.default if self.min is None else self.min
        if self.backdate >= shortest:
            yield Contradiction(
                "policy.validity.backdate",
                f"backdate {duration_text(self.backdate)} is not below the shortest validity"
                f" {duration_text(shortest)}, so that certificates would be born expired",
                "shorten backdate",
                ("backdate",),
            )
        elif self.backdate > LONGEST_BACKDATE:
            yield self._above("backdate", self.backdate, "the bound of", LONGEST_BACKDATE)

    @staticmethod
    def _above(low: str, smaller: timedelta, high: str, larger: timedelta) -> Contradiction:
        message = f"{low} {duration_text(smaller)} is above {high} {duration_text(larger)}"
        remedy = f"shorten {low}" + ("" if " " in high else f" or lengthen {high}")
        return Contradiction("policy.validity.order", message, remedy, (low,))
