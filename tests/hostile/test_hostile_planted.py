"""A repository is data: no program that it names runs, whichever command reads it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hostile_world import READING, WRITING, Hostile, Said
from traps import PROGRAMS, TRAPS, Trap, cloned_attributes, plant, plant_everything


@pytest.fixture(scope="session")
def brought_by_a_clone(lived_in: Hostile, tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    """The repository with hostile content committed, and nothing in .git/config."""
    world = lived_in.copy(tmp_path_factory.mktemp("cloned"))
    cloned_attributes(world)
    return world


@pytest.fixture(scope="session")
def run_in(
    brought_by_a_clone: Hostile, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Hostile, Path, dict[str, Said]]:
    """A clone with every trap in its own configuration, after every command was run in it."""
    top = tmp_path_factory.mktemp("planted")
    world, mark = brought_by_a_clone.copy(top / "world"), top / "ran"
    plant_everything(world, mark)
    touch_what_is_tracked(world)
    said = {}
    for command in (*READING, *WRITING):
        said[" ".join(command)] = world.gitca(*command)
    return world, mark, said


def touch_what_is_tracked(world: Hostile) -> None:
    """Give files new dates, so that Git has to look inside of them, by way of the filters."""
    for file in sorted((world.clone / "issued").rglob("*")):
        if file.is_file():
            file.touch()


def test_nothing_that_is_planted_runs(run_in: tuple[Hostile, Path, dict[str, Said]]) -> None:
    _, mark, _ = run_in
    assert {path.name for path in mark.iterdir()} == set(PROGRAMS)


def test_every_command_says_what_it_says_elsewhere(
    run_in: tuple[Hostile, Path, dict[str, Said]], usual: dict[str, Said]
) -> None:
    _, _, said = run_in
    assert {**said, "doctor": None} == {**usual, "doctor": None}
    assert verdicts(said["doctor"]) == verdicts(usual["doctor"])


def verdicts(doctor: Said) -> list[str]:
    """Return what is well by doctor's account; the rest of a line has ages in it, and is folded."""
    return re.findall(r"^ok +(.{20})", doctor.words, re.MULTILINE)


def test_doctor_names_what_is_not_obeyed(
    run_in: tuple[Hostile, Path, dict[str, Said]],
) -> None:
    _, _, said = run_in
    (note,) = re.findall(r"^note .*?(?=^\S)", said["doctor"].words, re.MULTILINE | re.DOTALL)
    for key in ("core.sshcommand", "core.gitproxy", "remote.origin.uploadpack"):
        assert key in note


def test_the_commits_of_a_reconcile_arrive(
    run_in: tuple[Hostile, Path, dict[str, Said]],
) -> None:
    world, _, _ = run_in
    tree = world.git("ls-tree", "-r", "--name-only", "main", where=world.origin)
    assert "issued/issuing/certificates/shop/web.pem" in tree


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_each_trap_catches_a_git_that_obeys(
    brought_by_a_clone: Hostile, tmp_path: Path, trap: Trap
) -> None:
    world, mark = brought_by_a_clone.copy(tmp_path / "world"), tmp_path / "ran"
    plant(world, mark, [trap])
    trap.spring(world)
    assert (mark / trap.name).exists()
