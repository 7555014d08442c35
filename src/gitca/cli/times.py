"""The clock, and times and durations as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import typer


def clock() -> datetime:
    """Now, in UTC, to the second that certificates have. All else in gitca is told the time."""
    return datetime.now(UTC).replace(microsecond=0)


def parse_time(text: str) -> datetime:
    """The aware UTC time that an RFC 3339 text names, such as `2026-12-01T09:00:00Z`.

    Raises: typer.BadParameter.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None or "T" not in text.upper():
        raise typer.BadParameter(
            f"{text!r} is not a time; write one as RFC 3339 has it, 2026-12-01T09:00:00Z"
        )
    try:
        return time.astimezone(UTC).replace(microsecond=0)
    except OverflowError as error:
        raise typer.BadParameter(f"{text!r} is out of range in UTC") from error


def format_time(time: datetime) -> str:
    """The time in RFC 3339, in UTC, to the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def distance(until: datetime, now: datetime) -> str:
    """How far a time is, in the largest unit that says enough: `in 29 days`, `2 hours ago`."""
    span = until - now
    amount = _amount(abs(span))
    return f"in {amount}" if span >= timedelta() else f"{amount} ago"


def _amount(span: timedelta) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        number = int(span.total_seconds() // size)
        if number >= 2 or (number == 1 and unit != "day"):
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return "less than a minute"
