"""Reconcilers that a test starts, stops at a place, lets go on, and kills with SIGKILL."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ca_world import KeyRing

PROGRAM = Path(__file__).with_name("reconciler_process.py")
TIMEOUT_SECONDS = 60.0


@dataclass
class Reconciler:
    """A process that reconciles one clone. `at` is the place where it stands, while it does.

    `code` is the exit code that `gitca reconcile` would have, once it has ended by itself.
    """

    run: str
    folder: Path
    pid: int
    stream: socket.socket
    told: dict[str, Any] = field(default_factory=dict)
    at: str = ""
    code: int | None = None
    was_killed: bool = False
    may_contradict: bool = False

    def __post_init__(self) -> None:
        self.stream.settimeout(TIMEOUT_SECONDS)
        self._buffer = b""

    @property
    def is_alive(self) -> bool:
        return self.code is None and not self.was_killed

    def go_on(self, **orders: object) -> None:
        """Let it leave the place where it stands; `now` and `stop` are its new orders."""
        self.at = ""
        self.stream.sendall(json.dumps({"stop": None, **orders}).encode() + b"\n")

    def wait(self, held: Callable[[], bool] = lambda: False) -> None:
        """Wait until it stands at a place, has ended, or `held` says that its push stands."""
        end = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < end:
            if held():
                self.at = "push"
                return
            self.stream.settimeout(0.02)
            try:
                data = self.stream.recv(65536)
            except TimeoutError:
                continue
            assert data, f"run {self.run} went away without a word"
            self._buffer += data
            if self._buffer.endswith(b"\n"):
                self.told, self._buffer = json.loads(self._buffer), b""
                self.at, self.code = self.told.get("at", ""), self.told.get("code")
                if self.code is not None:
                    self.stream.close()
                return
        raise AssertionError(f"run {self.run} stands still at {self.at!r}: {self.told}")

    def kill(self) -> None:
        """End it with SIGKILL, and return when it is gone."""
        if not self.is_alive:
            return
        self.was_killed = True
        os.kill(self.pid, signal.SIGKILL)
        self.stream.settimeout(TIMEOUT_SECONDS)
        while self.stream.recv(65536):
            pass
        self.stream.close()


class Nursery:
    """The process that forks reconcilers; one for a session."""

    def __init__(self, keys: KeyRing) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(PROGRAM), str(keys.folder)], stdin=theirs.fileno()
            )
        self._control = ours
        self._control.settimeout(TIMEOUT_SECONDS)
        assert self._control.recv(16) == b"ready", "the nursery does not start"

    def start(self, folder: Path, run: str, **orders: object) -> Reconciler:
        """Start a reconcile of a clone."""
        ours, theirs = socket.socketpair()
        message = json.dumps({"folder": str(folder), "run": run, **orders})
        with theirs:
            socket.send_fds(self._control, [message.encode()], [theirs.fileno()])
            pid = int(self._control.recv(16))
        return Reconciler(run, folder, pid, ours)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._control.close()
        self._process.wait(TIMEOUT_SECONDS)
