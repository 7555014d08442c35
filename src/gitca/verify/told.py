"""Contradictions in the order in which they came to be, each with its commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gitca.git.store import Store
from gitca.verify.report import Contradiction, VerifyReport
from gitca.verify.writers import Writers

LOOKED_UP = 20  # contradictions whose commit is looked for in the history; each costs one walk
_LAST = 10**9


def in_order(report: VerifyReport, store: Store, tip: str, writers: Writers) -> VerifyReport:
    """Return the report with its contradictions oldest first, and their commits named."""
    strays = {stray.path: stray.ancestor.commit for stray in reversed(writers.strays)}
    found = list(_named(dict.fromkeys(report.contradictions), store, tip, writers, strays))
    made = {stray.ancestor.commit for stray in writers.strays}

    def age(item: Contradiction) -> int:
        # What a stray made of older segments is its consequence: these have no step any more.
        known = item.commit in made or item.segment in writers.steps
        return item.segment or _LAST if known else _LAST

    report.contradictions = sorted(found, key=age)
    return report


def _named(
    found: Iterable[Contradiction],
    store: Store,
    tip: str,
    writers: Writers,
    strays: dict[str, str],
) -> Iterator[Contradiction]:
    left = LOOKED_UP
    for item in found:
        step = writers.steps.get(item.segment or 0)
        commit = item.commit or strays.get(item.place, "") or (step.ancestor.commit if step else "")
        if not commit and item.place.startswith("issued/") and left:
            commit, left = store.repository.past.last_change(tip, item.place) or "", left - 1
        yield replace(item, commit=commit)
