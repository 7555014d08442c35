"""A user of the KMS of the tests: the variables that reach it, and keys there."""

from __future__ import annotations

import time
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from aws.aws_server import AwsServer
from gitca.signers import KeyOptions, Signer, create_key, open_signer

SIGNING = "arn:aws:iam::123456789012:role/gitca"
ADMIN = "arn:aws:iam::123456789012:role/pki/administrators"
ROOT = "arn:aws:iam::123456789012:root"
STRANGER = "arn:aws:iam::123456789012:role/stranger"
OPTIONS = KeyOptions(signing_roles=(SIGNING,))
APART = KeyOptions(signing_roles=(SIGNING,), admin_roles=(ADMIN,))
NOWHERE = Path("/nonexistent")
VARIABLES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "GITCA_AWS_ENDPOINTS", "GITCA_AWS_PROFILES")

_numbers = count()


@pytest.fixture
def kms(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    """The server in good health, with credentials for it in the environment."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    return aws


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pauses between repeated calls take no time."""
    monkeypatch.setattr(time, "sleep", lambda _: None)


def never(_purpose: str) -> bytes:
    raise AssertionError("a secret was asked for")


def opened(uri: str) -> Signer:
    return open_signer(uri, base=NOWHERE, passphrase=never)


def created(uri: str, spec: str = "P-256", options: KeyOptions = OPTIONS) -> bytes:
    return create_key(uri, spec, base=NOWHERE, passphrase=never, options=options)


def arn_of(uri: str) -> str:
    with closing(opened(uri)) as signer:
        return signer.describe()["arn"]


def new_alias() -> str:
    """Return the name of an alias that no other test has."""
    return f"alias/test/{next(_numbers)}"
