"""Issuance windows, and ends that have passed: nothing is wrong then, and nothing is issued."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gitca.documents.validity_rules import WEEKDAYS, IssuanceWindow
from gitca.findings import Finding, Severity
from gitca.policy.case import Case
from gitca.policy.proposal import Proposal


def hold(case: Case, proposal: Proposal) -> Finding | None:
    """Return why nothing is issued for a case now although nothing may be wrong, or None.

    `validity.windows` (a note): no window is open. `validity.notAfter` (a warning): the time that
    the request states as its end has passed.
    """
    end, windows = proposal.period.not_after, case.policy.spec.validity.windows
    if end is not None and end <= case.now:
        message = f"notAfter {end:%Y-%m-%dT%H:%M:%SZ} has passed, and nothing more is issued"
        remedy = "state a later notAfter, or delete the request"
        at = case.request.at("spec", "notAfter")
        return Finding("validity.notAfter", Severity.WARNING, message, at, remedy)
    if not windows or is_open(windows, case.now):
        return None
    return Finding(
        rule="validity.windows",
        severity=Severity.NOTE,
        message=f"the issuance waits for a window: {_words(windows)}"
        f"; the next opens {next_opening(windows, case.now):%Y-%m-%dT%H:%MZ}",
        location=case.request.at("spec", "policy"),
        remedy="reconcile again then",
        policy=case.policy.name,
    )


def is_open(windows: Iterable[IssuanceWindow], at: datetime) -> bool:
    """Whether one of the windows is open at a moment; its last minute is not in it."""
    return any(_is_open(window, at) for window in windows)


def was_open(windows: Iterable[IssuanceWindow], at: datetime) -> bool:
    """Whether one of the windows was open at a moment in the past, or within two hours of it.

    Countries change their time with little notice, and the machine of that day may not have known.
    """
    listed = tuple(windows)
    return any(is_open(listed, at + timedelta(hours=hours)) for hours in range(-2, 3))


def next_opening(windows: Iterable[IssuanceWindow], now: datetime) -> datetime:
    """Return the moment, in UTC, at which the next of the windows opens. Raises: ValueError."""
    return min(moment for window in windows for moment in _openings(window, now) if moment > now)


def _is_open(window: IssuanceWindow, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(window.time_zone))
    begin, end = _minutes(window)
    minute = local.hour * 60 + local.minute
    return WEEKDAYS[local.weekday()] in window.days and begin <= minute < end


def _openings(window: IssuanceWindow, now: datetime) -> Iterator[datetime]:
    """Yield the window's beginnings from yesterday to in eight days."""
    zone = ZoneInfo(window.time_zone)
    today = now.astimezone(zone).date()
    for offset in range(-1, 9):
        day: date = today + timedelta(days=offset)
        if WEEKDAYS[day.weekday()] in window.days:
            hour, minute = divmod(_minutes(window)[0], 60)
            yield datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


def _minutes(window: IssuanceWindow) -> tuple[int, int]:
    """Return the beginning and the end in minutes of the day."""
    begin, end = (
        int(hour) * 60 + int(minute)
        for hour, _, minute in (part.partition(":") for part in window.hours.split("-"))
    )
    return begin, end


def _words(windows: Iterable[IssuanceWindow]) -> str:
    return " or ".join(
        f"{', '.join(window.days)} {window.hours} {window.time_zone}" for window in windows
    )
