"""Many orders, judged by as many processes as there are processors.

Each process opens the clone and folds the ledger for itself: that costs less than to send it, and
memory grows by one state for each. Where processes cannot be had, one does all.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from gitca.git.repository import GitRepository, Identity
from gitca.git.store import Branches, Store
from gitca.verify.judge import Judgement, OrderJudge, Task

POOLED = 1000
"""Orders from which on processes are worth their start."""
CHUNK = 250
_MOST = 8


@dataclass(frozen=True, slots=True)
class Place:
    """What a process needs to open the clone for itself, and the ledger's commit."""

    root: Path
    branches: Branches
    commit: str


_judges: list[OrderJudge] = []  # the one of a worker process; empty in any other


def processors() -> int:
    """Return how many processors this process may use, eight at the most."""
    usable = getattr(os, "sched_getaffinity", None)
    return max(1, min(_MOST, len(usable(0)) if usable else os.cpu_count() or 1))


def judged(
    judge: OrderJudge, tasks: Sequence[Task], place: Place, *, count: int, pooled: int = POOLED
) -> Iterator[Judgement]:
    """Yield what came of each task, in any order, by `count` processes from `pooled` orders on."""
    if count < 2 or sum(len(task.orders) for task in tasks) < pooled:
        yield from map(judge.judge, tasks)
        return
    done: set[Task] = set()
    try:
        for task, judgement in _by_processes(tasks, place, count):
            done.add(task)
            yield judgement
    except (BrokenProcessPool, OSError):
        # Killed for want of memory, or not allowed to be: what is left is judged here.
        yield from map(judge.judge, [task for task in tasks if task not in done])


def _by_processes(
    tasks: Sequence[Task], place: Place, count: int
) -> Iterator[tuple[Task, Judgement]]:
    context = multiprocessing.get_context("forkserver")
    executor = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(place,))
    waiting: dict[Future[Judgement], Task] = {}
    try:
        for task in tasks:
            waiting[executor.submit(_judge, task)] = task
            if len(waiting) >= 4 * count:
                yield from _finished(waiting)
        while waiting:
            yield from _finished(waiting)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _finished(waiting: dict[Future[Judgement], Task]) -> Iterator[tuple[Task, Judgement]]:
    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
        yield waiting.pop(future), future.result()


def _begin(place: Place) -> None:
    """Open the clone in a worker process, once."""
    repository = GitRepository.open(place.root)
    store = Store(repository, place.branches, Identity("", ""))
    _judges.append(OrderJudge(store, store.at(place.commit, place.commit).state))
    gc.freeze()  # the state stays: it need not be looked through again and again


def _judge(task: Task) -> Judgement:
    return _judges[0].judge(task)
