"""The AWS of the tests as a fixture, for the conftest.py of each folder that uses it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aws.aws_server import AwsServer


@pytest.fixture(scope="session")
def aws_once() -> Iterator[AwsServer]:
    """One server for each worker; its keys and buckets are there for the whole session."""
    with AwsServer() as server:
        yield server


@pytest.fixture
def aws(aws_once: AwsServer) -> Iterator[AwsServer]:
    """The server in good health, with an empty log."""
    aws_once.reset()
    yield aws_once
    aws_once.reset()
