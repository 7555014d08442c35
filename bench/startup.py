"""Whole processes that do little: `gitca --version`, and `gitca validate` of one document.

The peer is `python -c pass` with the same interpreter, which is what no Python program goes below.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

from fixture import CaRepository, Request, gitca_command
from measure import Json, least, machine, several, show, tell, timed_process


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="gitca-bench-") as name:
        repository = CaRepository.create(Path(name) / "repository")
        request = Request.make(0)
        repository.commit({request.path: request.document}, "Ask for a certificate")
        file = str(repository.folder / request.path)
        gitca = [*gitca_command(), "--repo", str(repository.folder)]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "gitca --version": [*gitca_command(), "--version"],
            "gitca validate ONE-FILE": [*gitca, "validate", file],
        }
        tell(f"startup: {arguments.runs} runs each")
        for command in commands.values():
            timed_process(command)  # what is compiled and cached once
        measured = {
            name: several(partial(timed_process, command), arguments.runs)
            for name, command in commands.items()
        }
    peer = least(measured["python -c pass"])
    result: Json = {
        "bench": "startup",
        "commands": measured,
        "over_python": {name: round(least(m) - peer, 4) for name, m in measured.items()},
        "started_as": gitca_command(),
        "machine": machine(),
    }
    show(result)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int, nargs="?", default=20, help="runs of each (20)")
    arguments = parser.parse_args()
    if arguments.runs < 1:
        parser.error("runs are at least 1")
    return arguments


if __name__ == "__main__":
    main()
