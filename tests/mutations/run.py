"""Break the recipe on purpose and show that the tests notice: `python tests/mutations/run.py`.

Each mutation is made in a copy of the tree. First its tests have to pass unbroken. It prints a line
a mutation; the exit code is 1 where one was not noticed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mutation_table import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 900.0
PASSED, FAILED = 0, 1  # of pytest; others mean that it could not run the tests


@dataclass(frozen=True)
class Verdict:
    """What came of a mutation: whether its tests noticed, and in which words."""

    mutation: Mutation
    noticed: bool
    words: str


def try_all(mutations: Sequence[Mutation], *, unbroken: bool = True) -> list[Verdict]:
    """Return the verdicts; `unbroken` has the tests run on the sound tree too."""
    with tempfile.TemporaryDirectory(prefix="gitca-mutations-") as folder:
        sound = Path(folder) / "sound"
        copy_tree(sound)
        return [_try(mutation, sound, unbroken=unbroken) for mutation in mutations]


def copy_tree(target: Path) -> None:
    """Copy what the tests need."""
    ignored = shutil.ignore_patterns("__pycache__", "golden", "fixtures", "mutations")
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, target / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", target)


def _try(mutation: Mutation, sound: Path, *, unbroken: bool) -> Verdict:
    broken = sound.with_name("broken")
    shutil.rmtree(broken, ignore_errors=True)
    shutil.copytree(sound, broken)
    for file, before, after in mutation.changes:
        path = broken / "src" / "gitca" / file
        text = path.read_text(encoding="utf-8")
        if text.count(before) != 1:
            return Verdict(mutation, False, f"{file} has {text.count(before)} times: {before!r}")
        path.write_text(text.replace(before, after), encoding="utf-8")
    if unbroken:
        for tests in mutation.tests:
            code, words = _test(sound, tests)
            if code != PASSED:
                return Verdict(mutation, False, f"fails unbroken: {tests}: {words}")
    for tests in mutation.tests:
        code, words = _test(broken, tests)
        if code == FAILED:
            return Verdict(mutation, True, words)
        if code != PASSED:
            return Verdict(mutation, False, f"pytest could not run {tests}: {words}")
    return Verdict(mutation, False, "every test passes all the same")


def _test(tree: Path, tests: str) -> tuple[int, str]:
    where, _, words = tests.partition(" -k ")
    chosen = ["-k", words] if words else []
    # Nobody asks which lines a broken copy ran.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", where, *chosen],
        cwd=tree,
        env={**inherited, "PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    said = done.stdout + done.stderr
    failed = [line for line in said.splitlines() if line.startswith(("FAILED", "ERROR"))]
    last = said.strip().splitlines()[-1:] or ["nothing"]
    return done.returncode, (failed or last)[0]


def main(arguments: Sequence[str]) -> int:
    """Try the mutations that are named (all, where none is), and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="words of the names of mutations")
    chosen = parser.parse_args(arguments).names
    mutations = [item for item in MUTATIONS if not chosen or any(w in item.name for w in chosen)]
    missed = 0
    for mutation in mutations:
        (verdict,) = try_all([mutation])
        missed += not verdict.noticed
        mark = "noticed" if verdict.noticed else "NOT NOTICED"
        sys.stdout.write(f"{mark}: {mutation.name}: {verdict.words}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(mutations) - missed} of {len(mutations)} mutations noticed\n")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
