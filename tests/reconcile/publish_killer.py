"""Publish while the process is killed (SIGKILL) before and after each write, in turn.

`python publish_killer.py REPOSITORY KEYS NOW` forks for each try and prints a JSON object a try: at
which call it was killed, whether every object that was left is an old or a new one, and whether the
next run made the target what a run that nobody killed makes it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from ca_world import Clock, Clone, KeyRing
from publish_world import files, published

LIMIT = 400


def forked(work: Callable[[], object]) -> int:
    """Do the work in a child, and return its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(number: int, told: Path) -> Callable[[str, str], None]:
    """Return what kills this process around a write; reads leave nothing behind."""
    count, lock = iter(range(1, 10**6)), threading.Lock()

    def before(what: str, path: str) -> None:
        with lock:
            if what != "read" and next(count) == number:
                told.write_text(f"{what} {path}")
                os.kill(os.getpid(), signal.SIGKILL)

    return before


def main() -> None:
    folder, keys, now = Path(sys.argv[1]), Path(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
    clone = Clone(folder, KeyRing(keys), Clock(now))
    public, before = folder / "public", folder.parent / "before"
    shutil.copytree(public, before)
    old = files(clone)
    forked(lambda: published(clone))
    new = files(clone)
    for number in range(1, LIMIT):
        shutil.rmtree(public)
        shutil.copytree(before, public)
        told = folder.parent / "told"
        told.unlink(missing_ok=True)
        code = forked(lambda n=number, t=told: published(clone, before=killed_at(n, t)))
        left = files(clone)
        whole = all(content in (old.get(path), new.get(path)) for path, content in left.items())
        follow = forked(lambda: published(clone))
        record = {
            "at": told.read_text() if told.exists() else "",
            "code": code,
            "whole": whole and old.keys() <= left.keys(),
            "next": follow,
            "equal": files(clone) == new,
        }
        sys.stdout.write(json.dumps(record) + "\n")
        if code == 0:
            return


if __name__ == "__main__":
    main()
