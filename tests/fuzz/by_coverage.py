"""Fuzz one parser by the coverage that inputs reach: `by_coverage.py TARGET [OPTION…]`.

The options are libFuzzer's. A process of its own, with bounds: it may have 2 GiB, write to no file,
start no process and open no connection, and one input may take five seconds. The input that breaks
a rule is printed in base64; in `found/TARGET/NAME` it is tried by every test run from then on.
"""

from __future__ import annotations

import base64
import os
import resource
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gitca"]):
    from fuzz.targets import TARGETS, samples

    def warm_up(name: str) -> None:
        """Read the samples once: what is imported when used is imported now, instrumented."""
        for sample in samples(name):
            TARGETS[name](sample)


_MEMORY_BYTES = 2 * 1024**3
_FORBIDDEN = ("subprocess.Popen", "os.system", "os.exec", "socket.connect", "os.remove", "os.mkdir")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def forbid_effects() -> None:
    """Make every write, process and connection of this process an error from now on."""

    def judge(event: str, arguments: tuple[object, ...]) -> None:
        flags = arguments[2] if event == "open" else 0
        if event in _FORBIDDEN or (isinstance(flags, int) and flags & _WRITING):
            raise AssertionError(f"a parser does {event}: {arguments!r}")

    sys.addaudithook(judge)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main() -> None:
    """Run until libFuzzer's bounds are reached or an input breaks a rule."""
    name, options = sys.argv[1], sys.argv[2:]
    warm_up(name)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    target = TARGETS[name]

    def one(data: bytes) -> None:
        try:
            target(data)
        except BaseException:
            print(f"{name}: {base64.b64encode(data).decode()}", file=sys.stderr)  # noqa: T201 - for whoever started it
            raise

    seeds = Path(os.environ["FUZZ_SEEDS"])
    # CI draws the same inputs each time; longer runs by hand find the new ones.
    fixed = ["-seed=1"] if os.environ.get("CI") else []
    bounds = [
        *fixed,
        "-timeout=5",
        "-rss_limit_mb=2048",
        "-max_len=16384",
        f"-seed_inputs=@{seeds}",
    ]
    atheris.Setup([sys.argv[0], *bounds, *options], one)
    forbid_effects()
    atheris.Fuzz()


if __name__ == "__main__":
    main()
