"""The AWS of the tests, and a world that has reconciled once, for each layout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aws.aws_server import AwsServer
from aws_fixtures import aws, aws_once
from pipeline.pipeline_world import World
from pipeline.pipeline_world import world as new_world

__all__ = ["aws", "aws_once"]


@pytest.fixture(params=["together", "parted"])
def world(request: pytest.FixtureRequest, tmp_path: Path, aws_once: AwsServer) -> Iterator[World]:
    """A world in which nothing has run yet."""
    with new_world(tmp_path, aws_once, parted=request.param == "parted") as made:
        yield made
