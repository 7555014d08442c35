"""Publish into a folder while every call of the system fails in turn; it forks for each try.

`python publish_faults.py FOLDER` prints one JSON object a try: whether something was there before,
which call failed and how, how the writer ended, what a reader finds then, and what the next one
makes of it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from file_faults import FAULTS, arm, attempt, full_disk

from gitca.publishers import Item, open_publisher

OLD, NEW = b"old\n" * 100, b"new\n" * 100
PATH = "crls/root.crl"
FILE = Path("public", PATH)


def publish(folder: Path, content: bytes, replaces: bytes | None) -> None:
    item = Item(PATH, content, "application/pkix-crl", "no-cache")
    version = None if replaces is None else hashlib.sha256(replaces).hexdigest()
    open_publisher("directory:public", base=folder).write(item, version)


def found(folder: Path) -> str:
    path = folder / FILE
    if not path.exists():
        return "nothing"
    return {OLD: "old", NEW: "new"}.get(path.read_bytes(), "half")


def left(folder: Path) -> list[str]:
    """Return the files that a web server would see, and those that writers left."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    lock = Path("public", ".gitca-publish", "lock")
    return [str(path) for path in files if path not in (FILE, lock)]


def tries(top: Path) -> Iterator[dict[str, object]]:
    for before in (None, OLD):
        name = "something" if before else "nothing"
        yield _told(top / f"{name}-full", before, full_disk, "disk full", "write")
        for fault in FAULTS:
            for at in range(1, 100):
                hit = top / "hit"
                hit.unlink(missing_ok=True)
                prepare = lambda f=fault, n=at, h=hit: arm(f, n, h)  # noqa: E731 - bound here, called later
                told = _told(top / f"{name}-{fault}-{at}", before, prepare, fault, "")
                if not hit.exists():
                    break
                yield {**told, "call": hit.read_text()}


def _told(
    folder: Path, before: bytes | None, prepare: Callable[[], object], fault: str, call: str
) -> dict[str, object]:
    folder.mkdir()
    if before is not None:
        publish(folder, before, None)
    code = attempt(lambda where: publish(where, NEW, before), folder, prepare)
    return {
        "before": found_before(before), "call": call, "fault": fault, "code": code,
        "there": found(folder), "seen": [path for path in left(folder) if "/." not in path],
        "next": attempt(lambda where: publish(where, NEW, before), folder, lambda: None),
        "then": found(folder), "left": left(folder),
    }  # fmt: skip


def found_before(before: bytes | None) -> str:
    return "nothing" if before is None else "old"


if __name__ == "__main__":
    for told in tries(Path(sys.argv[1])):
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
