"""Runs one foreign program and gives back what it said; every judge is such a program."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

# A verifier answers in milliseconds; a key generator on a busy machine may take seconds.
TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said: its exit status, standard output, and both streams as text."""

    status: int
    output: bytes
    words: str


def ask(*arguments: str | Path, cwd: Path | None = None, stdin: bytes = b"") -> Answer:
    """Run a program in the C locale and return its answer, whatever the exit status."""
    done = subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
        env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
    )
    words = (done.stdout + done.stderr).decode(errors="replace").strip()
    return Answer(done.returncode, done.stdout, words)


def must(*arguments: str | Path, cwd: Path | None = None, stdin: bytes = b"") -> bytes:
    """Run a program that has to succeed and return its standard output.

    Raises: RuntimeError with the program's own words when it exits with another status than 0.
    """
    answer = ask(*arguments, cwd=cwd, stdin=stdin)
    if answer.status != 0:
        command = " ".join(str(argument) for argument in arguments)
        raise RuntimeError(f"{command}: exit {answer.status}: {answer.words}")
    return answer.output
