"""Two working trees of one repository: what a run in one does to the other's branch and index."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cli_command import Command


@pytest.fixture
def beside(lived_in: Command, tmp_path: Path) -> Command:
    """A second working tree, on a branch of its own, of a repository that has no origin."""
    lived_in.git("worktree", "add", "--quiet", "-b", "feature", str(tmp_path / "beside"))
    shutil.copytree(lived_in.folder / ".gitca", tmp_path / "beside" / ".gitca")
    return lived_in.at(tmp_path / "beside")


def staged(command: Command) -> str:
    return command.git("status", "--porcelain")


def test_a_run_beside_the_branchs_own_working_tree_orders_nothing(
    lived_in: Command, beside: Command
) -> None:
    before = lived_in.git("rev-parse", "main")
    answer = beside("reconcile")
    assert (answer.code, answer.out) == (2, "")
    assert f"branch main is checked out in the working tree {lived_in.folder}" in answer.err
    assert "would delete what was added below issued/" in answer.err
    assert answer.err.count("\n") == 1
    assert lived_in.git("rev-parse", "main") == before
    assert staged(lived_in) == ""
    # The tree that has the branch goes on as if nothing had been.
    assert "signed  shop/web" in lived_in.runs("reconcile")
    assert staged(lived_in) == ""
    # With nothing to do there is nothing to refuse.
    assert "Nothing to do" in beside.runs("reconcile")
    assert staged(lived_in) == ""
    lived_in.runs("verify")


def test_where_no_working_tree_has_the_branch_a_run_in_any_of_them_moves_it(
    lived_in: Command, beside: Command
) -> None:
    lived_in.runs("revoke", "payments/api", "--reason", "superseded")
    lived_in.commit("one more revocation")
    lived_in.git("switch", "--quiet", "--detach")
    assert "signed  shop/web" in beside.runs("reconcile")
    assert staged(lived_in) == staged(beside) == ""
    lived_in.git("switch", "--quiet", "main")
    lived_in.runs("revoke", "shop/web", "--reason", "superseded")
    lived_in.commit("and another")
    lived_in.runs("reconcile")
    assert staged(lived_in) == ""
    lived_in.runs("verify")
