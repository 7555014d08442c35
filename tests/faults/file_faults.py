"""Write new files while every call of the system fails in turn; a program that forks for each try.

`python file_faults.py FOLDER` prints one JSON object a try: what was written, which call failed and
how, how the writer ended, what there was afterwards, and what the next try made of it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from gitca.cli.fresh import fresh_folder
from gitca.cli.new_file import write_new
from gitca.cli.output_files import replace_file
from gitca.errors import GitcaError
from gitca.signers.secret_file import create_secret_file

CALLS = (
    *((os, call) for call in ("open", "fchmod", "fsync", "link", "unlink", "mkdir", "rename")),
    *((os, call) for call in ("replace", "rmdir")),
    (fcntl, "flock"),
)
FAULTS = ("not done", "done and told as failed", "killed before", "killed after")
CONTENT = b"whole\n" * 100
ENDED, TOLD = 0, 1


def secret(folder: Path) -> None:
    create_secret_file(folder / "keys" / "new.pem", CONTENT)


def document(folder: Path) -> None:
    write_new(folder, "requests/team/new.yaml", CONTENT)


def scaffold(folder: Path) -> None:
    with fresh_folder(folder / "made") as built:
        (built / "new").write_bytes(CONTENT)


def report(folder: Path) -> None:
    replace_file(folder / "report.md", CONTENT)


WRITERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "secret": (secret, "keys/new.pem"),
    "document": (document, "requests/team/new.yaml"),
    "scaffold": (scaffold, "made/new"),
    "report": (report, "report.md"),
}


def arm(fault: str, at: int, hit: Path) -> None:
    """Let the call with this number fail in this process."""
    count = 0

    def around(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count != at:
                return call(*arguments, **named)
            descriptor = open_file(hit, os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(descriptor, name.encode())
            os.close(descriptor)
            if fault == "killed before":
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                if fault != "not done":
                    done = call(*arguments, **named)
                    if name == "open":
                        os.close(done)
            finally:
                if fault == "killed after":
                    os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        return counted

    open_file = os.open
    for module, name in CALLS:
        setattr(module, name, around(name, getattr(module, name)))


def attempt(write: Callable[[Path], None], folder: Path, prepare: Callable[[], object]) -> int:
    """Write in a child; return its exit status, minus the signal of one that was killed."""
    pid = os.fork()
    if pid == 0:
        _child(write, folder, prepare)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _child(write: Callable[[Path], None], folder: Path, prepare: Callable[[], object]) -> NoReturn:
    leave = os._exit
    try:
        prepare()
        write(folder)
    except (OSError, GitcaError):
        leave(TOLD)
    except BaseException:  # noqa: BLE001 - whatever it is, the test shows it
        leave(70)
    leave(ENDED)


def standing(folder: Path, target: str) -> str:
    path = folder / target
    if not path.exists():
        return "absent"
    return "whole" if path.read_bytes() == CONTENT else "partial"


def litter(folder: Path, target: str) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return [str(path.relative_to(folder)) for path in files if path != folder / target]


def full_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))


def tries(top: Path) -> Iterator[dict[str, object]]:
    for kind, (write, target) in WRITERS.items():
        folder = top / f"{kind}-full"
        folder.mkdir()
        code = attempt(write, folder, full_disk)
        yield _told(kind, "write", "disk full", code, write, folder, target)
        for fault in FAULTS:
            for at in range(1, 100):
                folder, hit = top / f"{kind}-{fault}-{at}", top / "hit"
                folder.mkdir()
                hit.unlink(missing_ok=True)
                code = attempt(write, folder, lambda f=fault, n=at, h=hit: arm(f, n, h))
                if not hit.exists():
                    break
                yield _told(kind, hit.read_text(), fault, code, write, folder, target)


def _told(
    kind: str,
    call: str,
    fault: str,
    code: int,
    write: Callable[[Path], None],
    folder: Path,
    target: str,
) -> dict[str, object]:
    there, left = standing(folder, target), litter(folder, target)
    return {
        "kind": kind, "call": call, "fault": fault, "code": code, "there": there, "litter": left,
        "next": attempt(write, folder, lambda: None), "then": standing(folder, target),
    }  # fmt: skip


if __name__ == "__main__":
    for told in tries(Path(sys.argv[1])):
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
