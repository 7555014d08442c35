"""The AWS of the tests, a new world for each layout, and one that stands and must not be moved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aws.aws_server import AwsServer
from pipeline.attacks import Standing
from pipeline.pipeline_world import World
from pipeline.pipeline_world import world as new_world


@pytest.fixture(params=["together", "parted"])
def world(request: pytest.FixtureRequest, tmp_path: Path, aws_once: AwsServer) -> Iterator[World]:
    """A world in which nothing has run yet."""
    with new_world(tmp_path, aws_once, parted=request.param == "parted") as made:
        yield made


@pytest.fixture(scope="session")
def standing_once(tmp_path_factory: pytest.TempPathFactory, aws_once: AwsServer) -> Iterator[World]:
    """A world with CAs, CRLs and no certificate of a request."""
    with new_world(tmp_path_factory.mktemp("standing"), aws_once, parted=False) as made:
        run = made.reconcile()
        assert run.conclusion == "success", run.log
        made.forge.events.clear()
        yield made


@pytest.fixture
def standing(standing_once: World) -> Iterator[World]:
    """The world for one attack, after which all that counts is what it was."""
    before = Standing.of(standing_once)
    yield standing_once
    standing_once.forge.events.clear()
    assert Standing.of(standing_once) == before
