"""What long runs count, one line a test; as a program it adds the lines up.

`python tests/faults/tally.py FILE` prints the sums that docs/reliability.md has.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "RELIABILITY_TALLY"
"""The environment variable that names the file."""


@contextmanager
def counted(suite: str) -> Iterator[Counter[str]]:
    """Give a counter, and write it down where someone asks for it."""
    counter: Counter[str] = Counter()
    try:
        yield counter
    finally:
        place = os.environ.get(VARIABLE)
        if place:
            with Path(place).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"suite": suite, **counter}) + "\n")


def main() -> None:
    """Print the sums, a suite at a time."""
    suites: dict[str, Counter[str]] = {}
    for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        suites.setdefault(record.pop("suite"), Counter()).update(record)
    for suite, counter in sorted(suites.items()):
        sys.stdout.write(f"{suite}\n")
        for name, count in sorted(counter.items()):
            sys.stdout.write(f"  {name}: {count}\n")


if __name__ == "__main__":
    main()
