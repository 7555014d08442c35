"""Fixtures of ca_world, for the conftest.py of each folder that drives whole repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from ca_documents import request
from ca_world import Clone, KeyRing


@pytest.fixture(scope="session")
def key_ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """The CAs' keys, made once."""
    return KeyRing.create(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing) -> Clone:
    """A repository whose CAs and CRLs are made, an hour later; copy it."""
    clone = Clone.create(tmp_path_factory.mktemp("made") / "clone", key_ring)
    assert clone.reconcile().exit_code == 0
    clone.clock.forward(hours=1)
    return clone


@pytest.fixture(scope="session")
def issued_once(tmp_path_factory: pytest.TempPathFactory, made_once: Clone) -> Clone:
    """The same with a certificate for the request `payments/api` on the key `api`; copy it."""
    clone = made_once.copy(tmp_path_factory.mktemp("issued") / "clone")
    clone.save({"requests/payments/api.yaml": request("api", "api.example.internal")})
    assert clone.reconcile().exit_code == 0
    clone.clock.forward(hours=1)
    return clone


@pytest.fixture
def made(tmp_path: Path, made_once: Clone) -> Clone:
    """A repository without a remote whose CAs and CRLs are made."""
    return made_once.copy(tmp_path / "clone")


@pytest.fixture
def shared(tmp_path: Path, made_once: Clone) -> Clone:
    """A clone, of a bare origin, whose CAs and CRLs are made."""
    return made_once.copy(tmp_path / "clone").with_origin(tmp_path / "origin.git")


@pytest.fixture
def issued(tmp_path: Path, issued_once: Clone) -> Clone:
    """A repository without a remote in which the request payments/api has its certificate."""
    return issued_once.copy(tmp_path / "clone")
