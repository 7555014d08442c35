"""Cron lines as forges read them: the longest time that passes between two runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NAMES: tuple[Mapping[str, int], ...] = (
    {},
    {},
    {},
    {name: place for place, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )},
    {name: place for place, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))},
)  # fmt: skip
_PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/([0-9]{1,2}))?", re.ASCII)
_DAYS = 4 * 366  # a leap day is in it
_START = date(2024, 1, 1)


def longest_gap(line: str) -> timedelta | None:
    """Return the longest time between two runs of a cron line (crontab(5), five fields, UTC).

    None for what is no such line, or runs at most once in four years.
    """
    fields = line.split()
    if len(fields) != len(_RANGES):
        return None
    try:
        minutes, hours, days, months, weekdays = (
            frozenset(_values(field.lower(), place)) for place, field in enumerate(fields)
        )
    except (ValueError, KeyError):
        return None
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    times = [
        timedelta(hours=hour, minutes=minute)
        for hour in sorted(hours)
        for minute in sorted(minutes)
    ]
    runs: list[datetime] = []
    for offset in range(_DAYS):
        day = _START + timedelta(days=offset)
        by_day, by_week = day.day in days, day.isoweekday() % 7 in {value % 7 for value in weekdays}
        if day.month in months and (by_day or by_week if either else by_day and by_week):
            start = datetime(day.year, day.month, day.day, tzinfo=UTC)
            runs += (start + times[0], start + times[-1])
    gaps = [after - before for before, after in pairwise(runs)]
    inner = [after - before for before, after in pairwise(times)]
    outer = [gap for place, gap in enumerate(gaps) if place % 2]
    return max([*outer, *inner], default=None) if outer else None


def _values(field: str, place: int) -> Iterator[int]:
    low, high = _RANGES[place]
    for part in field.split(","):
        found = _PART.fullmatch(part)
        if found is None:
            raise ValueError(part)
        star, first, last, step = found.groups()
        start = low if star else _number(first, place)
        end = high if star or (step and not last) else _number(last or first, place)
        if not low <= start <= end <= high or step == "0":
            raise ValueError(part)
        yield from range(start, end + 1, int(step or 1))


def _number(text: str, place: int) -> int:
    return int(text) if text.isdigit() else _NAMES[place][text]
