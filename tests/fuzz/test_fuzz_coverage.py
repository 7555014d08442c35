"""Every parser is fuzzed for some seconds, each run by other inputs; `make fuzz` does so for long.

An input that broke one belongs into found/, where `test_fuzz_mutations.py` tries it for ever.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.targets import TARGETS, samples

TESTS = Path(__file__).parents[1]
SOURCES = TESTS.parent / "src"
SECONDS, LONG_SECONDS = 3, 120


@pytest.fixture
def seconds(request: pytest.FixtureRequest) -> int:
    """How long each parser is fuzzed."""
    usual = LONG_SECONDS if request.config.getoption("--long") else SECONDS
    return int(os.environ.get("FUZZ_SECONDS", usual))


@pytest.mark.timeout(0)  # the bounds are the fuzzer's own
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks(name: str, tmp_path: Path, seconds: int) -> None:
    done = fuzz(name, tmp_path, f"-max_total_time={seconds}")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    last = re.findall(r"DONE +cov: ([0-9]+) ft: [0-9]+ corp: ([0-9]+)/", done.stderr)
    assert last, done.stderr[-1000:]
    # Without coverage it would be chance alone, and no sample would have been read.
    assert int(last[0][0]) > 10
    assert int(last[0][1]) > 1
    sys.stdout.write(done.stderr[-600:])


def test_a_parser_that_breaks_is_caught(tmp_path: Path) -> None:
    broken = (
        'import fuzz.targets as t\nt.TARGETS["pem"] = t.Target(lambda d: 1 // len(d), (), tuple)\n'
    )
    done = fuzz("pem", tmp_path, "-max_total_time=5", before=broken)
    assert done.returncode != 0
    assert "ZeroDivisionError" in done.stdout


def test_a_parser_that_writes_is_caught(tmp_path: Path) -> None:
    place = tmp_path / "written"
    broken = f"t.TARGETS['pem'] = t.Target(lambda d: open({str(place)!r}, 'w'), (), tuple)"
    done = fuzz("pem", tmp_path, "-max_total_time=5", before=broken)
    assert done.returncode != 0
    assert "a parser does open" in done.stdout
    assert not place.exists()


def fuzz(
    name: str, folder: Path, *options: str, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the fuzzer of a target upon its samples; `before` changes the target first."""
    files = []
    for number, sample in enumerate(samples(name)):
        files.append(folder / f"seed-{number}")
        files[-1].write_bytes(sample)
    seeds = folder / "seeds"
    seeds.write_text(",".join(map(str, files)))
    program = f"""
import sys
sys.argv = ["by_coverage.py", *sys.argv[1:]]
import fuzz.by_coverage as f  # instruments what it imports, so that it comes first
import fuzz.targets as t
{before}
f.main()
"""
    return subprocess.run(
        [sys.executable, "-c", program, name, *options],
        env=os.environ | {"PYTHONPATH": f"{TESTS}:{SOURCES}", "FUZZ_SEEDS": str(seeds)},
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
