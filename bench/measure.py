"""Seconds, and what has to stand beside them: where they were measured, and what else ran there."""

from __future__ import annotations

import functools
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

Json = dict[str, object]
Argument = TypeVar("Argument")
Result = TypeVar("Result")


def timed_process(
    command: Sequence[str], *, folder: Path | None = None, extra: Mapping[str, str] | None = None
) -> float:
    """Return the seconds of a whole process, start and end included.

    `extra` are variables for its environment. What it printed is shown where it fails. Raises:
    SystemExit then.
    """
    environment = {**os.environ, "LC_ALL": "C", **(extra or {})}
    begun = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    seconds = time.perf_counter() - begun
    if done.returncode != 0:
        words = done.stdout.decode(errors="replace")
        raise SystemExit(f"{' '.join(command)[:500]}\nended with {done.returncode}:\n{words}")
    return seconds


def in_new_process(function: Callable[[Argument], Result], argument: Argument) -> Result:
    """Return what a function gives in a Python process of its own.

    What it imports on the way counts where it imports it, as for a user.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, argument).result()


def several(measure: Callable[[], float], runs: int) -> Json:
    """Return the least, median and greatest seconds of so many runs."""
    seconds = [measure() for _ in range(runs)]
    return {
        "min": rounded(min(seconds)),
        "median": rounded(statistics.median(seconds)),
        "max": rounded(max(seconds)),
        "runs": runs,
    }


def least(summary: Json) -> float:
    """Return the least of what `several` gave: the run that was disturbed least."""
    value = summary["min"]
    if not isinstance(value, float):
        raise TypeError(f"{value!r} is not a number of seconds")
    return value


def rounded(seconds: float) -> float:
    """Return seconds to a tenth of a millisecond: finer is noise."""
    return round(seconds, 4)


@dataclass
class Steps:
    """Where the time of one run goes: seconds by step, each less the steps within it."""

    seconds: defaultdict[str, float] = field(default_factory=partial(defaultdict, float))
    _running: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what runs inside under a name, and not under the step around it."""
        self._stop()
        self._running.append((name, time.perf_counter()))
        try:
            yield
        finally:
            self._stop()
            self._running.pop()
            if self._running:
                self._running[-1] = (self._running[-1][0], time.perf_counter())

    def _stop(self) -> None:
        if self._running:
            name, since = self._running[-1]
            self.seconds[name] += time.perf_counter() - since

    @contextmanager
    def watching(self, functions: Sequence[tuple[str, object, str]]) -> Iterator[None]:
        """Count each call of the functions (step, owner, attribute) while inside."""
        kept = [(owner, name, getattr(owner, name)) for _, owner, name in functions]
        try:
            for (step, owner, name), (_, _, function) in zip(functions, kept, strict=True):
                setattr(owner, name, self._watched(step, function))
            yield
        finally:
            for owner, name, function in kept:
                setattr(owner, name, function)

    def _watched(self, step: str, function: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(function)
        def watched(*arguments: object, **options: object) -> object:
            with self.step(step):
                return function(*arguments, **options)

        return watched

    def as_json(self) -> Json:
        """Return the steps, and their sum."""
        steps: Json = {name: rounded(value) for name, value in self.seconds.items()}
        return {**steps, "sum": rounded(sum(self.seconds.values()))}


def machine() -> Json:
    """Return what the figures depend on besides gitca."""
    return {
        "cpus": os.cpu_count(),
        "processor": _processor(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
        "openssl": _first_line("openssl", "version"),
        "git": _first_line("git", "--version"),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    models = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def _first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def tell(words: str) -> None:
    """Tell on standard error what is going on: standard output is for the result alone."""
    print(f"bench: {words}", file=sys.stderr, flush=True)


def show(result: Json) -> None:
    """Print the result."""
    print(json.dumps(result, indent=2))
