"""The tests notice when the recipe is broken: four mutations here, all of them with --long."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutation_table import MUTATIONS, Mutation
from run import ROOT, try_all


@pytest.mark.timeout(2000)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_tests_notice(mutation: Mutation, pytestconfig: pytest.Config) -> None:
    """That they pass unbroken is seen by the rest of this run, and by `run.py`."""
    if not (mutation.is_of_the_issue or pytestconfig.getoption("--long")):
        pytest.skip("with --long")
    (verdict,) = try_all([mutation], unbroken=bool(pytestconfig.getoption("--long")))
    assert verdict.noticed, verdict.words


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_text_that_a_mutation_changes_is_there(mutation: Mutation) -> None:
    for file, before, _ in mutation.changes:
        text = (Path(ROOT) / "src" / "gitca" / file).read_text(encoding="utf-8")
        assert text.count(before) == 1, file
