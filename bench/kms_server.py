"""The KMS of the tests, as the benchmarks use it: a process of its own, over HTTP."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from aws.aws_server import AwsServer  # type: ignore[import-not-found]

__all__ = ["ROLE", "AwsServer", "Sign", "kms", "span"]

ROLE = "arn:aws:iam::123456789012:role/gitca"
Sign = dict[str, Any]
"""One signature that the server made: its request id, its key, and when."""


@contextmanager
def kms() -> Iterator[AwsServer]:
    """Give a running server, and this process and those it starts what it takes to ask it."""
    with AwsServer() as server:
        os.environ.update(server.environment())
        yield server


def span(signs: list[Sign]) -> float:
    """Return the seconds from the first request's arrival to the last answer, by the server."""
    return float(max(each["answered"] for each in signs) - min(each["arrived"] for each in signs))
