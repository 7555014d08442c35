"""Whole repositories, made once a session and copied for each test."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from verify_material import Scene

from ca_documents import request, revocation
from ca_fixtures import MadeIn
from ca_signers import failing_after
from ca_world import Clone
from gitca.git.store import Branches

__all__ = ["rich", "rich_in", "scene"]


@pytest.fixture(scope="session")
def rich_in(tmp_path_factory: pytest.TempPathFactory, issued_in: MadeIn) -> MadeIn:
    """Two certificates, one of them revoked, three CRLs, and an order that waits; by layout."""

    @functools.cache
    def make(branches: Branches) -> Clone:
        clone = issued_in(branches).copy(tmp_path_factory.mktemp("rich") / "clone")
        clone.save({"requests/web.yaml": request("web", "web.example.internal")})
        assert clone.reconcile().exit_code == 0
        clone.save({"requests/stop.yaml": revocation(certificate="payments/api")})
        assert clone.reconcile().exit_code == 0
        clone.save({"requests/late.yaml": request("late", "late.example.internal")})
        dead = failing_after(clone.keys.named("issuing"), 0)
        assert clone.reconcile(opener=clone.keys.but(issuing=dead)).exit_code == 4
        return clone

    return make


@pytest.fixture
def rich(tmp_path: Path, rich_in: MadeIn, layout: Branches) -> Clone:
    return rich_in(layout).copy(tmp_path / "clone")


@pytest.fixture
def scene(rich: Clone, tmp_path: Path) -> Scene:
    rich.clock.forward(minutes=11)  # the lease of the order that waits is over
    rich.with_origin(tmp_path / "origin.git")
    return Scene(rich, tmp_path / "origin.git", rich.beside("old"))
