"""gitca in a process of its own, forked from one that has imported it already."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from ca_world import PASSPHRASE

TIMEOUT_SECONDS = 120.0
_NUMBERS = itertools.count()
PRELOADED = ["gitca.cli.app", "gitca.reconcile.recipe", "gitca.signers.file", "gitca.x509.lint"]


@dataclass
class Running:
    """A started process and the file that takes what it says."""

    process: ForkServerProcess
    output: Path

    def wait(self) -> int:
        """Return the exit code; minus the signal's number for a process that was killed."""
        self.process.join(TIMEOUT_SECONDS)
        code = self.process.exitcode
        assert code is not None, f"still running:\n{self.words}"
        assert "Traceback" not in self.words, self.words
        return code

    @property
    def words(self) -> str:
        return self.output.read_text(errors="replace")


def start(folder: Path, *arguments: str, **environment: str) -> Running:
    """Start `gitca ARGUMENTS` in a repository, with variables added to the environment."""
    output = folder.parent / f"{folder.name}-{next(_NUMBERS)}.output"
    secret = {"GITCA_KEY_PASSPHRASE": PASSPHRASE.decode(), "NO_COLOR": "1"}
    # The server was started with the environment of then; the process takes today's.
    variables = {**os.environ, **secret, **environment}
    process = _context().Process(target=_child, args=(folder, arguments, variables, output))
    process.start()
    return Running(process, output)


def run(folder: Path, *arguments: str, **environment: str) -> Running:
    """Run `gitca ARGUMENTS` in a repository to its end."""
    running = start(folder, *arguments, **environment)
    running.wait()
    return running


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _child(
    folder: Path, arguments: Sequence[str], variables: Mapping[str, str], output: Path
) -> None:
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    with output.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    from gitca.cli.boundary import run as run_command

    sys.exit(run_command(arguments))
