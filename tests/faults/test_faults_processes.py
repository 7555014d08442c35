"""Reconcilers and people as real processes against one bare remote, and SIGKILL at random moments.

Real clocks, keys, Git and commands. A judge that shares no code with gitca looks at the remote all
along; at the end one run takes over what the dead have left.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from outside_judge import OutsideJudge
from tally import counted

import gitca_process
from ca_documents import GOVERNING, csr_pem, request, revocation
from ca_world import Clock, Clone, KeyRing, git, serials_of

PUSHES_AT_ONCE = 5
PATIENCE_SECONDS = 5.0
REVOKED = 7
"""Of so many requests of a person one is revoked again."""


@dataclass(frozen=True)
class Size:
    """How many take part; `kills` are spread over the whole run."""

    reconcilers: int
    people: int
    certificates: int
    kills: int
    seconds: float


DEFAULT = Size(reconcilers=3, people=2, certificates=60, kills=15, seconds=240)
LONG = Size(reconcilers=8, people=4, certificates=500, kills=200, seconds=3000)


@dataclass
class Arena:
    """One bare remote and all who push to it."""

    first: Clone
    size: Size
    judge: OutsideJudge
    tally: Counter[str]
    over: threading.Event = field(default_factory=threading.Event)
    failures: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    living: dict[int, gitca_process.Running] = field(default_factory=dict)
    life_seconds: float = 1.0

    def reconcile_all_along(self, number: int) -> None:
        """Run `gitca reconcile` in one clone again and again, until all is over."""
        folder = self.first.folder.parent / f"reconciler{number}"
        while not self.over.is_set():
            with self.lock:
                running = gitca_process.start(folder, "--quiet", "reconcile")
                self.living[number] = running
            started = time.monotonic()
            code = self._end_of(running)
            with self.lock:
                del self.living[number]
                if code >= 0:
                    self.life_seconds = time.monotonic() - started
                self.tally[f"exit code {code}"] += 1
            if code not in {0, 1, 3, 4, -signal.SIGKILL}:
                self.failures.append(f"exit code {code}: {running.words}")
            running.output.unlink(missing_ok=True)

    def push_all_along(self, number: int) -> None:
        """Ask for certificates and revoke some, a few a commit, as a person does."""
        clone = replace(self.first, folder=self.first.folder.parent / f"person{number}")
        share = self.size.certificates // self.size.people
        names = [f"p{number}/r{index}" for index in range(share)]
        for start in range(0, share, PUSHES_AT_ONCE):
            if self.over.is_set():
                return
            batch = names[start : start + PUSHES_AT_ONCE]
            files = {f"requests/{name}.yaml": self._request(name) for name in batch}
            # Only what has its certificate can be revoked.
            for name in names[:start:REVOKED]:
                place = clone.folder / f"issued/issuing/certificates/{name}.pem"
                if place.exists():
                    files[f"requests/{name}-revoked.yaml"] = revocation(certificate=name)
            self._push(clone, files)
            self._wait_for(batch)

    def kill_now_and_then(self) -> None:
        """SIGKILL one reconciler after another, at random moments of their lives.

        About every second one lives to its end, however slow the machine is.
        """
        draw = random.Random(7)  # noqa: S311 - which moments does not matter, that they vary does
        kills = 0
        while kills < self.size.kills and not self.over.is_set():
            pause = draw.uniform(0.1, 1.9) * 2 * self.life_seconds / self.size.reconcilers
            self.over.wait(pause)
            with self.lock:
                if not self.living:
                    continue
                running = draw.choice(list(self.living.values()))
                if running.process.exitcode is None and running.process.pid:
                    os.kill(running.process.pid, signal.SIGKILL)
                    kills += 1
                    self.life_seconds *= 1.1
                    self.tally["SIGKILLs"] += 1

    def watch(self) -> None:
        """Hold the remote against every invariant until each request has its certificate."""
        end = time.monotonic() + self.size.seconds
        while time.monotonic() < end and not self.failures:
            self.judge.look()
            self.tally["looks"] += 1
            # What a dead run has ordered is for the run that takes over in the end.
            ordered = {order.get("request") for order in self.judge.orders.values()} - {None}
            is_done = len(ordered) >= self.size.certificates
            if is_done and self.tally["SIGKILLs"] >= self.size.kills:
                return
            time.sleep(0.3)

    def _end_of(self, running: gitca_process.Running) -> int:
        code = None
        while code is None:
            # Asked under the lock: of two threads that ask at once one is told nonsense.
            with self.lock:
                code = running.process.exitcode
            time.sleep(0.02)
        # One that was killed early has not opened its output yet.
        words = running.words if running.output.exists() else ""
        if "Traceback" in words or "defect" in words:
            self.failures.append(words)
        return code

    def _wait_for(self, names: list[str]) -> None:
        """A person looks at what became of it, and does not wait for ever."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end and not self.over.is_set():
            known = tuple(self.judge.answers)
            if any(name in known for name in names):
                return
            time.sleep(0.05)

    def _push(self, clone: Clone, files: dict[str, str]) -> None:
        for path, text in files.items():
            (clone.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (clone.folder / path).write_text(text)
        git(clone.folder, "add", "requests")
        git(clone.folder, "commit", "-q", "--allow-empty", "-m", "requests")
        while not self.over.is_set():
            git(clone.folder, "pull", "-q", "--rebase", "origin", "main")
            done = subprocess.run(
                ["git", "push", "-q", "origin", "main"],
                cwd=clone.folder, capture_output=True, check=False,
            )  # fmt: skip
            if done.returncode == 0:
                self.tally["pushes of people"] += 1
                return
            self.tally["lost races of people"] += 1

    def _request(self, name: str) -> str:
        dns = f"{name.replace('/', '-')}.example.internal"
        return request(dns, dns)


@contextmanager
def threads(arena: Arena) -> Iterator[None]:
    """Let everybody do their work at once; what fails in one of them fails the test."""

    def guarded(work: object, *arguments: int) -> None:
        try:
            work(*arguments)
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            arena.failures.append(f"{type(error).__name__}: {error}")

    size = arena.size
    jobs = [
        *((arena.reconcile_all_along, number) for number in range(size.reconcilers)),
        *((arena.push_all_along, number) for number in range(size.people)),
        (arena.kill_now_and_then,),
    ]
    running = [threading.Thread(target=guarded, args=job) for job in jobs]
    for thread in running:
        thread.start()
    try:
        yield
    finally:
        arena.over.set()
        for thread in running:
            thread.join()


@pytest.fixture
def arena(quick_folder: Path, key_ring: KeyRing, long: bool) -> Iterator[Arena]:
    size = LONG if long else DEFAULT
    first = Clone.create(quick_folder / "first", key_ring, GOVERNING)
    first.clock = Clock(datetime.now(UTC).replace(microsecond=0))
    first.with_origin(quick_folder / "origin.git")
    assert first.reconcile().exit_code == 0
    for name in (
        *(f"reconciler{number}" for number in range(size.reconcilers)),
        *(f"person{number}" for number in range(size.people)),
    ):
        shutil.copytree(key_ring.folder / ".gitca", first.beside(name).folder / ".gitca")
    with counted("real processes") as tally:
        judge = OutsideJudge(quick_folder / "origin.git", quick_folder / "no-log")
        yield Arena(first, size, judge, tally)


@pytest.mark.timeout(4000)
def test_many_reconcilers_and_people_and_sigkill_lose_and_double_nothing(arena: Arena) -> None:
    csr_pem("warm")
    started = time.monotonic()
    with threads(arena):
        arena.watch()
    assert arena.failures == []
    arena.tally["seconds"] += round(time.monotonic() - started)
    clone = arena.first
    shutil.copytree(clone.keys.folder / ".gitca", clone.folder / ".gitca")
    running = gitca_process.run(clone.folder, "reconcile", "--take-over")
    assert running.wait() == 0, running.words
    arena.judge.look()
    check(arena)


def check(arena: Arena) -> None:
    clone, size, tally = arena.first, arena.size, arena.tally
    clone.clock.now = datetime.now(UTC).replace(microsecond=0)
    state, report = clone.state, clone.verify()
    assert report.contradictions == []
    assert not state.pending
    assert len(state.requests) == size.certificates
    assert all(record.current for record in state.requests.values())
    signed = [
        sum(1 for order in record.orders if order.signed) for record in state.requests.values()
    ]
    assert signed == [1] * size.certificates, "no request was answered twice"
    serials = serials_of(state)
    assert len(serials) == len(set(serials))
    assert clone.plan().actions == ()
    assert clone.status == ""
    tally["certificates"] += size.certificates
    tally["revocations"] += len(state.revoked)
    tally["segments"] += len(arena.judge.segments)
    tally["abandoned orders"] += len(arena.judge.abandoned)
    tally["spent signatures"] += sum(record.spent for record in state.orders.values())
