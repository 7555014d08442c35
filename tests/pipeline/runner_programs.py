"""The programs of a runner's machine: Git and Python that write down how they were called.

Packages are not fetched: where a pipeline makes an environment and has pip install into it, the
environment gets a `gitca` that is the one under test, and pip writes down what it was asked for.
Of every call its arguments and its whole environment are kept, to be searched for credentials.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import gitca

_NOTE = """\
#!/bin/sh
{{ printf '%s\\0' '{name}' "$@"; printf '\\0'; env -0; }} > '{observed}'/{name}.$$
"""
_GIT = "exec '{real}' \"$@\"\n"
_SLEEP = "exit 0\n"  # written down, and not waited for
_GITCA = "{variables}exec '{python}' -P -m gitca \"$@\"\n"
# venv makes an environment with these programs, pip does nothing, anything else is run.
_PYTHON = """\
for word; do last=$word; done
case " $* " in
*" -m venv "*)
    mkdir -p "$last/bin"
    cp '{bin}/python3' "$last/bin/python"
    cp '{bin}/.gitca' "$last/bin/gitca"
    ;;
*" -m pip wheel "*)
    while [ "$1" != --wheel-dir ]; do shift; done
    mkdir -p "$2"
    : > "$2/gitca-0-py3-none-any.whl"
    ;;
*" -m pip install "* | *" -m pip check "*) ;;
*" -m "*) echo "the runner of the tests: python $*" >&2; exit 97 ;;
*) exec '{python}' "$@" ;;
esac
"""


@dataclass(frozen=True)
class Call:
    """How a program was called."""

    program: str
    arguments: tuple[str, ...]
    environment: tuple[str, ...]


class Programs:
    """What every machine of the runner has."""

    def install(self, folder: Path, observed: Path) -> None:
        """Write the programs into a folder, which write their calls into another."""
        folder.mkdir(parents=True)
        observed.mkdir(parents=True)
        source = Path(gitca.__file__).parents[1]
        measured = [name for name in os.environ if name.startswith(("COVERAGE_", "COV_CORE_"))]
        exported = {"PYTHONPATH": str(source), **{name: os.environ[name] for name in measured}}
        values = {
            "python": sys.executable,
            "bin": folder,
            "real": shutil.which("git"),
            "observed": observed,
            "variables": "".join(f"export {name}='{value}'\n" for name, value in exported.items()),
        }
        texts = {"git": _GIT, "sleep": _SLEEP, ".gitca": _GITCA, "python3": _PYTHON}
        for name, text in texts.items():
            path = folder / name
            path.write_text((_NOTE + text).format(name=name.lstrip("."), **values))
            path.chmod(0o755)


def calls(observed: Path) -> list[Call]:
    """Return every call that was written down."""
    found = []
    for path in observed.iterdir():
        head, _, rest = path.read_bytes().decode(errors="surrogateescape").partition("\0\0")
        name, *arguments = head.split("\0")
        found.append(Call(name, tuple(arguments), tuple(rest.split("\0"))))
    return found
