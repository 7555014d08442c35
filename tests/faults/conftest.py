"""Keys made once, a nursery of reconcilers, and repositories to copy; in memory where it can be."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_histories import Stage
from nursery import Nursery

from ca_world import KeyRing

MEMORY = Path("/dev/shm")  # noqa: S108 - thousands of repositories, of which nothing is to stay


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose fsync costs nothing, where the system has one."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="gitca-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def nursery(key_ring: KeyRing) -> Iterator[Nursery]:
    with Nursery(key_ring) as nursery:
        yield nursery


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing, nursery: Nursery) -> Stage:
    return Stage.create(tmp_path_factory.mktemp("stage"), key_ring, nursery)


@pytest.fixture
def long(pytestconfig: pytest.Config) -> bool:
    """Whether the suite is to go deeper than `make test` has time for."""
    return bool(pytestconfig.getoption("--long"))
