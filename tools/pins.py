"""Print the pins of constraints.txt that gitca needs at run time, or to be built, and no others.

    python3 -I tools/pins.py SOURCE [--build | EXTRA...]

constraints.txt pins what develops gitca too: linters, test servers, fuzzers. They have no business
on a machine that can reach a CA's key. pip takes no hashes from a constraints file for packages
that it finds by itself, so they are found here, by the comments `# via` that pip-compile writes.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

_PIN = re.compile(r"(?m)^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def normal(name: str) -> str:
    """Return a package's name in the one form that it has in constraints.txt (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(requirement: str) -> str:
    """Return the name that a requirement begins with."""
    found = _NAME.match(requirement)
    return normal(found[0]) if found else ""


def pins_of(text: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Return each pin's lines, and what needs the package, by the package's name."""
    starts = [found.start() for found in _PIN.finditer(text)]
    pins = {}
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        block = text[start:end]
        lines = block.splitlines()
        comments = [line.strip() for line in lines if line.lstrip().startswith("#")]
        words = " ".join(comments).replace("#", " ").removeprefix("  via").split()
        pin = "\n".join(
            line for line in lines if line.strip() and not line.lstrip().startswith("#")
        )
        pins[name_of(block)] = (pin, frozenset(map(normal, words)) - {"via"})
    return pins


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def wanted(source: Path, words: list[str]) -> set[str]:
    """Return the names of the packages that pyproject.toml itself asks for."""
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    if words == ["--build"]:
        lines = list(project["build-system"]["requires"])
    else:
        lines = list(project["project"]["dependencies"])
        for extra in words:
            lines += project["project"]["optional-dependencies"][extra]
    return set(map(name_of, lines))


def main() -> None:
    """Print the pins; end with a message where one is missing."""
    source, words = Path(sys.argv[1]), sys.argv[2:]
    pins = pins_of((source / "constraints.txt").read_text(encoding="utf-8"))
    try:
        needed = wanted(source, words)
    except KeyError as error:
        sys.exit(f"pins: pyproject.toml has no extra {error}")
    missing = needed - pins.keys()
    if missing:
        sys.exit(f"pins: constraints.txt has no pin of {', '.join(sorted(missing))}")
    grown = True
    while grown:
        more = {name for name, (_, users) in pins.items() if users & needed} - needed
        needed, grown = needed | more, bool(more)
    sys.stdout.write("".join(f"{pins[name][0]}\n" for name in sorted(needed)))


if __name__ == "__main__":
    main()
