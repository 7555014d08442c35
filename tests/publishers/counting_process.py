"""Count up a number at a target, one of several processes that do: `URI BASE TIMES`.

Prints a line when it is ready, begins when it is given one, and prints how often it was too late.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

from gitca.publishers import ConflictError, Item, open_publisher


def main() -> None:
    uri, base, times = sys.argv[1:]
    late = 0
    with closing(open_publisher(uri, base=Path(base))) as publisher:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        for _ in range(int(times)):
            while True:
                there = publisher.read("number")
                number = (0 if there is None else int(there.content.split()[0])) + 1
                # Who counted is in it: the same content is taken for written, whoever wrote it.
                content = f"{number} {os.getpid()}".encode()
                item = Item("number", content, "text/plain", "no-cache")
                try:
                    publisher.write(item, None if there is None else there.version)
                except ConflictError:
                    late += 1
                else:
                    break
    sys.stdout.write(f"{late}\n")


if __name__ == "__main__":
    main()
