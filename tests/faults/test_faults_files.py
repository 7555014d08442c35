"""A new file is there whole or not at all, whichever call of the system fails, and how."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from file_faults import ENDED, FAULTS, TOLD, WRITERS
from tally import counted

PROGRAM = Path(__file__).with_name("file_faults.py")


@pytest.fixture(scope="module")
def tries(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path_factory.mktemp("files"))],
        capture_output=True,
        check=True,
    )
    with counted("files") as tally:
        told = [json.loads(line) for line in done.stdout.splitlines()]
        for item in told:
            tally[f"{item['call']}: {item['fault']}"] += 1
    return told


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("fault", [*FAULTS, "disk full"])
def test_a_new_file_is_whole_or_absent_whatever_fails(
    tries: list[dict[str, Any]], kind: str, fault: str
) -> None:
    about = [item for item in tries if (item["kind"], item["fault"]) == (kind, fault)]
    assert about, "something failed"
    for item in about:
        assert item["there"] in {"absent", "whole"}, item
        # What is there already is told, and never written over, but a report by the next one.
        expected = ENDED if item["there"] == "absent" or kind == "report" else TOLD
        assert (item["next"], item["then"]) == (expected, "whole"), item
        if fault.startswith("killed"):
            assert item["code"] == -signal.SIGKILL, item
        else:
            assert item["code"] in {ENDED, TOLD}, item
            hidden = [path for path in item["litter"] if path.rpartition("/")[2][:1] != "."]
            assert hidden == [] or kind == "scaffold", item
