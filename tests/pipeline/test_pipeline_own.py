"""This project's own pipelines, whose tool is the repository itself: never as a head has it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import forge_http
from pipeline.forge import Forge, git
from pipeline.pipeline_world import PROJECT
from pipeline.runner import Runner
from pipeline.runner_job import Setting
from pipeline.runner_programs import Programs

FILES = (
    *("action.yml", "pyproject.toml", "constraints.txt", "README.md", "tools", ".github"),
    *("ca", "policies", "requests", "issued"),
)


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """The runners of a repository with this project's files."""
    seed = tmp_path / "seed"
    seed.mkdir()
    for name in FILES:
        source = PROJECT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, seed / name)
    git(tmp_path, "init", "-q", "-b", "main", str(seed))
    git(seed, "add", "--all", ".")
    git(seed, "commit", "-q", "-m", "gitca")
    with forge_http.serving(Forge.create(tmp_path / "forge", seed, {"main": ()})) as forge:
        yield Runner(forge, Setting(Programs(), {}, lambda role, token: {}), tmp_path / "jobs")


def test_a_pull_request_that_changes_the_tool_is_planned_and_told_by_the_bases_tool(
    runner: Runner, tmp_path: Path
) -> None:
    forge, mark, clone = runner.forge, tmp_path / "mark", tmp_path / "mallory"
    source = forge.fork("mallory")
    address = forge.url.replace("//", f"//x:{forge.token('mallory').text}@")
    git(tmp_path, "clone", "-q", f"{address}/{source}.git", str(clone))
    for path in clone.glob("tools/*"):
        text = f"open({str(mark)!r}, 'w')" if path.suffix == ".py" else f"touch {mark}"
        path.write_text(f"{text}\n")
    (clone / "action.yml").write_text(
        f"runs: {{using: composite, steps: [{{run: touch {mark}, shell: bash}}]}}\n"
    )
    git(clone, "commit", "-q", "--all", "-m", "a better tool")
    git(clone, "push", "-q", "origin", "HEAD:refs/heads/tool")
    pull = forge.pull(source, "tool", "mallory")
    plan, comment = runner.settle()
    assert plan.conclusion == "success", plan.log
    assert comment.conclusion == "success", comment.log
    [told] = forge.comments[pull.number].values()
    assert "Plan `sha256:" in told["body"]
    assert not mark.exists()
