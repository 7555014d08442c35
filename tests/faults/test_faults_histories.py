"""The whole system under random histories (hypothesis), and the histories that once failed."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from fault_histories import Histories, Stage, replay
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tally import counted

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))
FEW, STEPS = 30, 25
MANY = int(os.environ.get("RELIABILITY_HISTORIES", "2000"))
LONG_STEPS = 50


def machine(stage: Stage, place: Path, tally: Counter[str]) -> type[Histories]:
    return type("Run", (Histories,), {"stage": stage, "place": place, "tally": tally})


@pytest.mark.timeout(4 * 3600)
def test_whatever_happens_nothing_is_lost_and_nothing_is_doubled(
    stage: Stage, quick_folder: Path, long: bool
) -> None:
    bounds = settings(
        max_examples=MANY if long else FEW,
        stateful_step_count=LONG_STEPS if long else STEPS,
        phases=[Phase.reuse, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        deadline=None,
        derandomize=bool(os.environ.get("CI")) and not long,
        database=None,
    )
    with counted("histories") as tally:
        run = machine(stage, quick_folder, tally)
        try:
            run_state_machine_as_test(run, settings=bounds)
        except BaseException as error:
            kept = Path("failed-history.json")
            kept.write_bytes((quick_folder / "history.json").read_bytes())
            error.add_note(f"{kept} has the history: give it a name in tests/faults/histories/")
            raise


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_history_that_once_failed_goes_well(stage: Stage, quick_folder: Path, path: Path) -> None:
    run = machine(stage, quick_folder, Counter())()
    replay(run, json.loads(path.read_text()))
