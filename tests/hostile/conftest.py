"""One repository that has been lived in, made once, and what every command says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_world import READING, WRITING, Hostile, Said, live_in


@pytest.fixture(scope="session")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    """Copy it."""
    return live_in(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="session")
def usual(lived_in: Hostile, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Said]:
    """What every command says where nobody planted anything."""
    world = lived_in.copy(tmp_path_factory.mktemp("usual"))
    return {" ".join(command): world.gitca(*command) for command in (*READING, *WRITING)}


@pytest.fixture
def world(lived_in: Hostile, tmp_path: Path) -> Hostile:
    """A copy to plant things in."""
    return lived_in.copy(tmp_path / "world")
