"""What a pipeline installs: what gitca needs at run time, checked by hash, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]
DEVELOPMENT = {"pytest", "moto", "mypy", "ruff", "zizmor", "check-jsonschema", "atheris", "flask"}


def pinned(*words: str) -> dict[str, str]:
    """Return the pins that `tools/pins.py` prints, by the name of the package."""
    command = [sys.executable, "-I", "tools/pins.py", str(PROJECT), *words]
    answer = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    blocks = re.split(r"^(?=\S)", answer.stdout, flags=re.MULTILINE)
    return {re.split("==", block)[0]: block for block in blocks if block.strip()}


def needed(names: set[str], extra: str = "") -> set[str]:
    """Return the packages that these ones need, as the installed ones say themselves."""
    found: set[str] = set()
    waiting = {(canonicalize_name(name), extra) for name in names}
    while waiting:
        name, wanted = waiting.pop()
        found.add(name)
        for line in distribution(name).requires or ():
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or marker.evaluate({"extra": wanted}):
                other = canonicalize_name(requirement.name)
                if other not in found:
                    waiting.add((other, ",".join(requirement.extras)))
    return found


def direct(section: list[str]) -> set[str]:
    return {Requirement(line).name for line in section}


@pytest.mark.parametrize("extras", [(), ("pkcs11",)], ids=["plain", "pkcs11"])
def test_the_pins_are_what_gitca_needs_at_run_time_and_no_more(extras: tuple[str, ...]) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = direct(project["dependencies"])
    for extra in extras:
        wanted |= direct(project["optional-dependencies"][extra])
    pins = pinned(*extras)
    assert set(pins) == needed(wanted)
    assert not DEVELOPMENT & set(pins)
    for name, block in pins.items():
        assert re.match(rf"{re.escape(name)}==\S+ \\\n    --hash=sha256:[0-9a-f]{{64}}", block)


def test_what_builds_gitca_is_pinned_too() -> None:
    assert set(pinned("--build")) >= needed({"hatchling"}) - {"tomli"}


def test_an_extra_that_is_none_is_refused() -> None:
    command = [sys.executable, "-I", "tools/pins.py", str(PROJECT), "pkcs12"]
    answer = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (answer.returncode, "no extra 'pkcs12'" in answer.stderr) == (1, True)


def test_the_installation_runs_no_packages_code_and_takes_no_file_without_its_hash() -> None:
    text = (PROJECT / "tools/install").read_text()
    installs = re.findall(r"-m pip (?:install|wheel)(?:.*\\\n)*.*", text)
    assert len(installs) == 3
    for line in installs:
        from_index = "--no-index" not in line
        assert from_index == ("--require-hashes" in line and "--only-binary=:all:" in line), line
    answer = subprocess.run(["sh", "-n", "tools/install"], cwd=PROJECT, check=False)
    assert answer.returncode == 0
