"""Targets to publish into, and what can go wrong with each."""

from __future__ import annotations

import errno
import os
import resource
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aws.aws_server import AwsServer
from gitca.errors import BackendUnavailableError
from gitca.publishers import Item, Publisher, open_publisher

Trouble = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Target:
    """A place that is published into; `troubles` are what befalls the next write, by name."""

    uri: str
    base: Path
    troubles: Mapping[str, Trouble] = field(default_factory=dict)

    def open(self) -> Publisher:
        return open_publisher(self.uri, base=self.base)


TROUBLES = {
    "directory": ("not done", "done and told as failed", "not durable", "disk full"),
    "s3": (
        "not done", "done and told as failed", "dropped", "done and dropped", "throttled",
        "collided", "out of order", "done while out of order",
    ),
}  # fmt: skip


def item(path: str, content: bytes, **others: Any) -> Item:
    given = {"media_type": "application/pkix-crl", "cache_control": "max-age=60", **others}
    return Item(path, content, **given)


def insist(publisher: Publisher, what: Item, replaces: str | None) -> str:
    """Write under the same condition until the target has answered."""
    for _ in range(4):
        try:
            return publisher.write(what, replaces)
        except BackendUnavailableError as error:
            last = error
    raise last


def directory_target(base: Path) -> Target:
    return Target("directory:public", base, {name: _faults(name) for name in TROUBLES["directory"]})


def s3_target(aws: AwsServer, base: Path, *, public: bool = False) -> Target:
    bucket = f"published-{uuid.uuid4().hex}"
    aws.create_bucket(bucket, public=public)
    aws.clear_s3_log()
    uri = f"{aws.target(f'{bucket}/some/prefix')}&expectedBucketOwner=123456789012"
    return Target(uri, base, {name: _moods(aws, name) for name in TROUBLES["s3"]})


def _moods(aws: AwsServer, name: str) -> Trouble:
    settings: dict[str, Any] = {
        "not done": {"before": "error", "calls": 1},
        "done and told as failed": {"after": "error", "calls": 1},
        "dropped": {"before": "drop", "calls": 1},
        "done and dropped": {"after": "drop", "calls": 1},
        "throttled": {"throttle": 0.5, "seed": 3},
        "collided": {"before": "conflict", "calls": 2},
        # More often than the SDK asks.
        "out of order": {"before": "drop", "calls": 10},
        "done while out of order": {"after": "error"},
    }[name]

    @contextmanager
    def mood() -> Iterator[None]:
        aws.switch_s3(operation="PutObject", **settings)
        yield
        aws.reset()

    return mood


def _faults(name: str) -> Trouble:
    call = {"not done": "replace", "done and told as failed": "replace", "not durable": "fsync"}

    @contextmanager
    def once() -> Iterator[None]:
        real, failed = getattr(os, call[name]), []

        def broken(*arguments: Any, **named: Any) -> object:
            if failed:
                return real(*arguments, **named)
            failed.append(True)
            if name.startswith("done"):
                real(*arguments, **named)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, call[name], broken)
            yield
        assert failed

    return full_disk_once if name == "disk full" else once


@contextmanager
def full_disk_once() -> Iterator[None]:
    """Let the first write find no room."""
    real = os.open
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    seen: list[str] = []

    def counting(path: Any, *arguments: Any, **named: Any) -> int:
        if str(path).endswith(".tmp"):
            seen.append(path)
            full = len(seen) == 1
            resource.setrlimit(resource.RLIMIT_FSIZE, (2, limits[1]) if full else limits)
        return real(path, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", counting)
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert seen
