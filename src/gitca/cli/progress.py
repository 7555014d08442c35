"""A progress bar for long work, on a terminal only."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TypeVar

ItemT = TypeVar("ItemT")
Progress = Callable[[str, int, int], None]
"""What is being done, how many are done, and of how many."""

_PATIENCE = 0.8  # seconds; what is over sooner needs no bar


def tracked(items: Collection[ItemT], what: str, *, quiet: bool = False) -> Iterator[ItemT]:
    """Yield the items; on a terminal a bar shows how far they are, once it takes a while."""
    if quiet or not sys.stderr.isatty():
        yield from items
        return
    begun = time.monotonic()
    waiting = iter(items)
    done = 0
    for item in waiting:
        yield item
        done += 1
        if time.monotonic() - begun > _PATIENCE:
            break
    if done < len(items):
        yield from _with_bar(waiting, what, done, len(items))


def _with_bar(items: Iterator[ItemT], what: str, done: int, total: int) -> Iterator[ItemT]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, completed=done, total=total)
        for item in items:
            yield item
            progress.advance(task)


@contextmanager
def shown_progress(*, quiet: bool) -> Iterator[Progress]:
    """Give a function that shows progress: a bar on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    bar = Bar(console=Console(stderr=True), transient=True)
    tasks: dict[str, TaskID] = {}

    def show(what: str, done: int, total: int) -> None:
        # Not before there is something to show: a passphrase may have to be asked for first.
        if what not in tasks:
            bar.start()
            tasks[what] = bar.add_task(what, total=total)
        bar.update(tasks[what], completed=done, total=total)

    try:
        yield show
    finally:
        bar.stop()
