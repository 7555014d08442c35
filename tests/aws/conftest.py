"""The server that this folder brings, started once a worker, and a key of each spec in it."""

from __future__ import annotations

import pytest
from kms_cases import Keys

from aws.aws_server import AwsServer

__all__ = ["keys"]


@pytest.fixture(scope="session")
def keys(aws_once: AwsServer) -> Keys:
    """Signing keys by their spec; tests do not change them."""
    return Keys(aws_once, {})
