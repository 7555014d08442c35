"""A folder that is published into holds the old object or the new one, whichever call fails."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from file_faults import ENDED, FAULTS, TOLD
from tally import counted

MEMORY = Path("/dev/shm")  # noqa: S108 - an fsync there costs nothing
PROGRAM = Path(__file__).with_name("publish_faults.py")
CALLS = {"open", "mkdir", "fchmod", "fsync", "flock", "replace", "unlink"}


@pytest.fixture(scope="module")
def tries() -> list[dict[str, Any]]:
    memory = str(MEMORY) if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="gitca-", dir=memory) as folder:
        command = [sys.executable, str(PROGRAM), folder]
        done = subprocess.run(command, capture_output=True, check=True)
    with counted("publishing") as tally:
        told = [json.loads(line) for line in done.stdout.splitlines()]
        for item in told:
            tally[f"{item['call']}: {item['fault']}"] += 1
    return told


@pytest.mark.parametrize("before", ["nothing", "old"])
@pytest.mark.parametrize("fault", [*FAULTS, "disk full"])
def test_a_folder_holds_the_old_object_or_the_new_one_whatever_fails(
    tries: list[dict[str, Any]], before: str, fault: str
) -> None:
    about = [item for item in tries if (item["before"], item["fault"]) == (before, fault)]
    assert about, "something failed"
    for item in about:
        assert item["there"] in {before, "new"}, item
        assert item["seen"] == [], item
        if fault.startswith("killed"):
            assert item["code"] == -signal.SIGKILL, item
        elif fault == "disk full":
            assert (item["code"], item["there"]) == (TOLD, before), item
        else:
            assert item["code"] in {ENDED, TOLD}, item
            assert item["code"] == TOLD or item["there"] == "new", item
        # The next run is told of the same version, and finishes and tidies up.
        assert (item["next"], item["then"]) == (ENDED, "new"), item
        # Whoever finds the object there has nothing to write, and so leaves it at that.
        assert item["left"] == [] or item["there"] == "new", item


def test_every_call_that_publishing_makes_has_failed(tries: list[dict[str, Any]]) -> None:
    assert {item["call"] for item in tries} == CALLS | {"write"}
