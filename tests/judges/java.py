"""The Java judge: the JDK's PKIX path validator, in one JVM for many paths."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components import require
from judges.chain import PURPOSE_OIDS, Chain, Verdict
from judges.process import TIMEOUT_SECONDS

_PROGRAM = Path(__file__).with_name("JudgePaths.java")
# The JVM lives for seconds: no second compiler, no parallel collector.
_JVM_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m")


@dataclass(frozen=True, slots=True)
class JavaJudge:
    """A JVM that answers one line for each path that it is given; made by `open_judge`."""

    process: subprocess.Popen[str]

    def verify(self, chain: Chain) -> Verdict:
        """Judge a path with revocation checking on; a missing CRL is a refusal.

        Raises: RuntimeError when the JVM ends or does not answer in time.
        """
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the JVM was started without pipes")
        watchdog = threading.Timer(TIMEOUT_SECONDS, self.process.kill)
        watchdog.start()
        try:
            self.process.stdin.write(_line(chain))
            self.process.stdin.flush()
            words = self.process.stdout.readline().strip()
        finally:
            watchdog.cancel()
        if not words:
            raise RuntimeError("the JVM ended without an answer")
        return Verdict(words == "accepted", words)


@contextmanager
def open_judge() -> Iterator[JavaJudge]:
    """Start the JVM, and end it on leaving."""
    require("java")
    command = ["java", *_JVM_OPTIONS, str(_PROGRAM)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, encoding="ascii") as process:
        # Leaving closes the JVM's input, at which it ends by itself.
        yield JavaJudge(process)


def _line(chain: Chain) -> str:
    path = (chain.leaf, *chain.intermediates)
    fields = (
        PURPOSE_OIDS[chain.purpose],
        *(_base64(part) for part in ((chain.anchor,), path, chain.crls)),
    )
    return "\t".join(fields) + "\n"


def _base64(ders: tuple[bytes, ...]) -> str:
    return ",".join(base64.b64encode(der).decode() for der in ders)
