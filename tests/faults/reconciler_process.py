"""A nursery of reconcilers: one process that has imported and opened everything, and forks.

Run as a program, with the folder of the keys as its argument and a Unix socket as its standard
input. For each start that it is told it forks a child, which reconciles one clone with the recipe
of `gitca reconcile`, real Git and real keys. At the place that it was told the child stops, says
so, and waits for the word to go on; or for SIGKILL. Each use of a key is written down before it is
made, with the commit that the remote's branch was at: the log that a KMS would have.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from ca_signers import Around
from ca_world import KEY_NAMES, Clock, Clone, KeyRing
from gitca.errors import BackendUnavailableError, GitcaError
from gitca.reconcile.keys import Keys
from gitca.reconcile.recipe import World, reconcile
from gitca.signers import Signature, Signer, UnansweredError, Use

PLACES = ("build", "record", "sign", "signed", "commit")
"""Where a child can stop: before a serial number is drawn, before the orders are pushed, before a
signature, after one, and before what was signed is committed."""
FAILURES = ("throttle", "forget", "repeat", "garble")
"""What a signer can do instead of its work: nothing; sign and lose the answer; the same, and sign
once more; give the signature of another key."""


@dataclass
class Wire:
    """What a child says and is told; `stop` is the next place to stop at."""

    stream: socket.socket
    orders: dict[str, Any]
    signed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.lines = self.stream.makefile("rw", encoding="utf-8")

    def say(self, **what: object) -> None:
        self.lines.write(json.dumps(what) + "\n")
        self.lines.flush()

    def reach(self, place: str) -> None:
        """Stop here if this is the place, until told to go on."""
        if self.orders.get("stop") == place:
            self.say(at=place)
            self.orders |= json.loads(self.lines.readline())

    def clock(self) -> datetime:
        if self.signed:
            self.reach("commit")
        return datetime.fromtimestamp(self.orders["now"], UTC)

    def serial(self) -> int:
        self.reach("build")
        return 1 << 158 | secrets.randbits(158)

    def progress(self, what: str, _done: int, _of: int) -> None:
        if what == "record":
            self.reach("record")

    def sleep(self, seconds: float) -> None:
        self.orders["now"] += seconds


@dataclass
class Logged(Around):
    """A signer that writes each use of its key down, and fails as it was told."""

    name: str
    wire: Wire
    other: Signer

    def sign(self, message: bytes, signature_algorithm: str) -> Signature:
        with self.wire.lock:
            self.wire.reach("sign")
            signature = self._sign(message, signature_algorithm)
            self.wire.signed += 1
            self.wire.reach("signed")
            return signature

    def _sign(self, message: bytes, signature_algorithm: str) -> Signature:
        failure = self.wire.orders.get("fail")
        if self.wire.signed >= self.wire.orders.get("fail_after", 0):
            match failure:
                case "throttle":
                    raise BackendUnavailableError("the signer throttles")
                case "garble":
                    return self.other.sign(message, signature_algorithm)
                case "forget":
                    _, use = self._use(message, signature_algorithm)
                    raise UnansweredError("no answer", uses=(use,))
                case "repeat":
                    _, lost = self._use(message, signature_algorithm)
                    value, use = self._use(message, signature_algorithm)
                    return Signature(value, use.key, use.request_id, (lost,))
        value, use = self._use(message, signature_algorithm)
        return Signature(value, use.key, use.request_id)

    def _use(self, message: bytes, signature_algorithm: str) -> tuple[bytes, Use]:
        orders, request = self.wire.orders, secrets.token_hex(8)
        entry = {
            "run": orders["run"],
            "key": self.name,
            "digest": hashlib.sha256(message).hexdigest(),
            "request": request,
            "tip": tip_of(Path(orders["origin"])),
        }
        line = json.dumps(entry) + "\n"
        descriptor = os.open(orders["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(descriptor, line.encode())
        os.close(descriptor)
        signature = self.inner.sign(message, signature_algorithm)
        return signature.value, Use(signature.key, request)


def tip_of(bare: Path) -> str:
    """Return the commit of main in a bare repository, without a process."""
    loose = bare / "refs" / "heads" / "main"
    if loose.exists():
        return loose.read_text().strip()
    packed = (bare / "packed-refs").read_text().splitlines()
    return next(line.split()[0] for line in packed if line.endswith(" refs/heads/main"))


def live(keys: KeyRing, wire: Wire) -> None:
    """Reconcile once and say how it ended."""
    orders = wire.orders
    signers = {
        name: Logged(keys.named(name), name, wire, keys.named("spare")) for name in KEY_NAMES
    }

    def opener(uri: str) -> Signer:
        return signers[uri.rpartition("/")[2].removesuffix(".pem")]

    clone = Clone(Path(orders["folder"]), keys, Clock())
    world = World(wire.clock, wire.serial, orders["run"], wire.sleep)
    with clone.store() as store:
        report = reconcile(
            store,
            Keys(opener),
            world,
            take_over=orders.get("take_over", False),
            progress=wire.progress,
        )
    wire.say(code=report.exit_code, words=report.working_tree, lost_races=report.lost_races)


def child(keys: KeyRing, stream: socket.socket, orders: dict[str, Any]) -> None:
    """Live and end, without a word to whoever shares this process's memory."""
    wire = Wire(stream, orders)
    os.environ.update(orders.get("environment", {}))
    try:
        live(keys, wire)
    except GitcaError as error:
        wire.say(code=error.exit_code, words=str(error), error=type(error).__name__)
    except BaseException:  # noqa: BLE001 - the parent fails the test with it
        wire.say(code=70, words=traceback.format_exc(), error="defect")
    os._exit(0)


def warm(keys: KeyRing) -> None:
    """Do all once that a process does once: imports, the linter's tables, the opening of keys."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Clone.create(Path(folder) / "clone", keys)
        assert clone.reconcile().exit_code == 0
        assert clone.verify().contradictions == []
    for name in KEY_NAMES:
        keys.named(name)
    gc.collect()
    gc.freeze()


def main() -> None:
    """Fork a child for each start, until nobody is there to ask for one."""
    keys = KeyRing(Path(sys.argv[1]))
    with socket.socket(fileno=0) as control:
        warm(keys)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        control.send(b"ready")
        while True:
            data, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
            if not data:
                return
            (descriptor,) = descriptors
            os.set_inheritable(descriptor, False)
            stream = socket.socket(fileno=descriptor)
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                control.detach()
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                child(keys, stream, json.loads(data))
            stream.close()
            control.send(str(pid).encode())


if __name__ == "__main__":
    main()
