"""Fixtures of ca_world, for all tests that drive whole repositories (tests/conftest.py).

A test that `both_layouts` marks runs twice: with documents and `issued/` on one branch, and with a
branch for each. All others run with one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from ca_documents import request as ca_request
from ca_world import MAIN, PARTED, Clone, KeyRing
from gitca.git.store import Branches

MadeIn = Callable[[Branches], Clone]

both_layouts = pytest.mark.parametrize(
    "layout", [MAIN, PARTED], ids=["together", "parted"], indirect=True
)


@pytest.fixture(scope="session")
def key_ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """The CAs' keys, made once."""
    return KeyRing.create(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def layout(request: pytest.FixtureRequest) -> Branches:
    """The branches of documents and of `issued/`."""
    branches = getattr(request, "param", MAIN)
    assert isinstance(branches, Branches)
    return branches


@pytest.fixture(scope="session")
def made_in(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing) -> MadeIn:
    """Return, by layout, a repository whose CAs and CRLs are made, an hour later; copy it."""

    @functools.cache
    def make(branches: Branches) -> Clone:
        folder = tmp_path_factory.mktemp("made") / "clone"
        clone = Clone.create(folder, key_ring, branches=branches)
        assert clone.reconcile().exit_code == 0
        clone.clock.forward(hours=1)
        return clone

    return make


@pytest.fixture(scope="session")
def issued_in(tmp_path_factory: pytest.TempPathFactory, made_in: MadeIn) -> MadeIn:
    """The same with a certificate for the request `payments/api` on the key `api`; copy it."""

    @functools.cache
    def make(branches: Branches) -> Clone:
        clone = made_in(branches).copy(tmp_path_factory.mktemp("issued") / "clone")
        clone.save({"requests/payments/api.yaml": ca_request("api", "api.example.internal")})
        assert clone.reconcile().exit_code == 0
        clone.clock.forward(hours=1)
        return clone

    return make


@pytest.fixture(scope="session")
def made_once(made_in: MadeIn) -> Clone:
    """A repository on one branch whose CAs and CRLs are made, an hour later; copy it."""
    return made_in(MAIN)


@pytest.fixture(scope="session")
def issued_once(issued_in: MadeIn) -> Clone:
    """A repository on one branch with a certificate for `payments/api`; copy it."""
    return issued_in(MAIN)


@pytest.fixture
def made(tmp_path: Path, made_in: MadeIn, layout: Branches) -> Clone:
    """A repository without a remote whose CAs and CRLs are made."""
    return made_in(layout).copy(tmp_path / "clone")


@pytest.fixture
def shared(tmp_path: Path, made_in: MadeIn, layout: Branches) -> Clone:
    """A clone, of a bare origin, whose CAs and CRLs are made."""
    return made_in(layout).copy(tmp_path / "clone").with_origin(tmp_path / "origin.git")


@pytest.fixture
def issued(tmp_path: Path, issued_in: MadeIn, layout: Branches) -> Clone:
    """A repository without a remote in which the request payments/api has its certificate."""
    return issued_in(layout).copy(tmp_path / "clone")
