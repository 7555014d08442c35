"""One object at a target: read, compare, and swap; what is there already is not sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from gitca.errors import BackendUnavailableError, GitcaError
from gitca.publishers import ConflictError, Item, Publisher, Stored

ATTEMPTS = 6
LARGE = 4 * 1024**2
"""Octets. All threads at once may hold so much of what others put there."""
WorkT = TypeVar("WorkT")
DoneT = TypeVar("DoneT")

Judge = Callable[[Stored | None], bool]
"""Whether an object goes out in the place of what is there, which is another one."""


class AheadError(GitcaError):
    """A target has what a later commit gives."""

    exit_code = 3


class UnsettledError(BackendUnavailableError):
    """An object at a target was another one each time that it was looked at."""


def most_of(item: Item) -> int:
    """Return how many octets are worth reading of what stands in an object's place."""
    return max(LARGE, 2 * len(item.content))


def send(
    publisher: Publisher,
    item: Item,
    judge: Judge,
    *,
    is_new: bool = False,
    read_back: bool = False,
    most: int | None = None,
) -> bool:
    """Make an object stand at the target; return whether it was sent.

    `judge` is asked of what stands there instead, each time that it turns out to be another; what
    it refuses is not sent. `is_new` spares the first look, where nothing is likely to be there.
    With `read_back` it is read once more, and must be there, byte for byte. Raises: TooLargeError
    for more than `most` bytes there; BackendUnavailableError, also where the target does not keep
    what it is given; UsageError; and what `judge` does.

    What is there byte for byte and is served otherwise (media type, caching, a redirect) is sent
    again, once: a target that keeps no such thing is none that fails.
    """
    written = False
    for attempt in range(ATTEMPTS):
        stored = None if is_new and attempt == 0 else publisher.read(item.path, most)
        is_there = stored is not None and stored.content == item.content
        if stored is not None and is_there and (written or stored.is_served_as(item)):
            return written
        if not (is_new and attempt == 0) and not judge(stored):
            return written
        try:
            publisher.write(item, stored.version if stored else None)
        except ConflictError:
            continue
        written = True
        if not read_back:
            return True
    raise UnsettledError(
        f"{item.path} was another object each of the {ATTEMPTS} times that it was looked at",
        remedy="run it again; if it stays so, find out who else writes there",
    )


def each(
    concurrency: int,
    work: Sequence[WorkT],
    do: Callable[[WorkT], DoneT],
    note: Callable[[DoneT], None],
) -> None:
    """Do all of the work in threads; `note` is told what came of each, in order, by this thread.

    After a first failure no more is begun. Raises: the first failure, once nothing is under way any
    more and all that was done is noted.
    """
    stopped = threading.Event()

    def attempt(item: WorkT) -> tuple[DoneT, ...]:
        if stopped.is_set():
            return ()
        try:
            return (do(item),)
        except BaseException:
            stopped.set()
            raise

    with ThreadPoolExecutor(min(concurrency, max(len(work), 1))) as pool:
        futures = [pool.submit(attempt, item) for item in work]
        try:
            failures = list(_noted(futures, note))
        except BaseException:
            # Interrupted: what is not begun yet is not waited for.
            stopped.set()
            raise
    for failure in failures:
        raise failure


def _noted(
    futures: Iterable[Future[tuple[DoneT, ...]]], note: Callable[[DoneT], None]
) -> Iterator[BaseException]:
    """Yield the failures."""
    for future in futures:
        failure = future.exception()
        if failure is not None:
            yield failure
            continue
        for result in future.result():
            note(result)
