"""What `gitca doctor` says of the schedule: how often pipelines run, and what CRLs need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from gitca.cli.cron import longest_gap
from gitca.cli.doctor_check import Check, Outcome, read_small
from gitca.documents.load import REPOSITORY_PATH, Governing

WORKFLOWS = ".github/workflows"
_CRON = re.compile(r"^\s*-\s*cron:\s*(['\"]?)([^'\"#\n]+)\1", re.MULTILINE)


def schedule_checks(root: Path, governing: Governing) -> Iterator[Check]:
    """Hold crl.refreshBefore against reconcileEvery, and that against the pipelines' cron lines."""
    every = governing.repository.spec.reconcile_every
    yield from _pipelines(root, every)
    if every is None:
        return
    short = [
        f"{name} ({words(document.spec.crl.refresh_before)})"
        for name, document in sorted(governing.authorities.items())
        if document.spec.state != "retired" and document.spec.crl.refresh_before < every
    ]
    seen = f"reconcileEvery is {words(every)}"
    if short:
        told = f"{seen}, and these CAs' crl.refreshBefore is shorter: {', '.join(short)}"
        remedy = "let CRLs be refreshed earlier, or let the schedule run more often: a run that is"
        remedy += " missed would let one lapse"
        yield Check("schedule", Outcome.WARNING, told, remedy)
    else:
        told = f"{seen}; each CRL is refreshed in time, even by the last run before it is late"
        yield Check("schedule", Outcome.OK, told)


def _pipelines(root: Path, every: timedelta | None) -> Iterator[Check]:
    for path in sorted((root / WORKFLOWS).glob("*.y*ml")):
        text = read_small(path)
        lines = [line.strip() for _, line in _CRON.findall(text)]
        if "gitca" not in text or "reconcile" not in text or not lines:
            continue
        name = f"{WORKFLOWS}/{path.name}"
        gaps = [gap for gap in map(longest_gap, lines) if gap is not None]
        if not gaps:
            seen = f"{name} has a cron line that is none: {lines[0]}"
            yield Check("schedule", Outcome.WARNING, seen, "write five fields, as in 17 */6 * * *")
            continue
        yield _against(name, min(gaps), every)


def _against(name: str, gap: timedelta, every: timedelta | None) -> Check:
    seen = f"{name} runs every {words(gap)} at the longest"
    if every is None:
        remedy = (
            f"add reconcileEvery: {words(gap)} to {REPOSITORY_PATH}, so that plans warn in time"
        )
        return Check("schedule", Outcome.NOTE, f"{seen}, and reconcileEvery is not stated", remedy)
    if gap > every:
        told = f"{seen}, and reconcileEvery is {words(every)}"
        remedy = f"let it run as often as {REPOSITORY_PATH} says, or state {words(gap)} there"
        return Check("schedule", Outcome.WARNING, told, remedy)
    return Check("schedule", Outcome.OK, f"{seen}, within reconcileEvery ({words(every)})")


def words(duration: timedelta) -> str:
    """Return a duration as documents write it: `6h`, `90m`, `7d`."""
    minutes = int(duration.total_seconds()) // 60
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes % size == 0 and minutes:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"
