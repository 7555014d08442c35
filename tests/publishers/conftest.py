from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from published_targets import Target, directory_target, s3_target

from aws.aws_server import AwsServer

MEMORY = Path("/dev/shm")  # noqa: S108 - an fsync there costs nothing


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder, in memory where the system has that."""
    made = Path(tempfile.mkdtemp(prefix="gitca-", dir=MEMORY if MEMORY.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def s3(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    """The server in good health, with credentials for it in the environment."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "GITCA_AWS_ENDPOINTS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    return aws


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pauses between repeated calls take no time."""
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.fixture(params=["directory", "s3"])
def target(request: pytest.FixtureRequest, folder: Path) -> Target:
    """An empty target of each scheme."""
    if request.param == "directory":
        return directory_target(folder)
    return s3_target(request.getfixturevalue("s3"), folder)
