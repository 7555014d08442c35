"""docs/security.md claims nothing that no test shows: each test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
SHOWN_ELSEWHERE = "what stays trusted, below"


def existing_tests() -> set[str]:
    """Return the names of all test functions."""
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def rows() -> list[list[str]]:
    """Return the cells of the threat model, without its heading."""
    model = PAGE.partition("## Threat model")[2].partition("\n## ")[0]
    lines = [line for line in model.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_test_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 25
    assert named - existing_tests() == set()


def test_every_row_of_the_threat_model_names_a_test_or_says_what_stays_trusted() -> None:
    assert len(rows()) > 15
    for row in rows():
        assert len(row) == 5, row
        assert re.search(r"`test_\w+`", row[4]) or row[4] == SHOWN_ELSEWHERE, row
