from collections.abc import Callable, Iterator

import pytest
from kms_user import kms, no_waiting

from aws.aws_server import AwsServer
from token_world import token

__all__ = ["awskms_uris", "file_uris", "kms", "no_waiting", "pkcs11_uris"]

Uris = Callable[[str], str]
"""The name of a key to the URI under which a backend may have or make it."""


@pytest.fixture(scope="session")
def file_uris() -> Uris:
    return lambda name: f"file:.gitca/keys/{name}.pem"


@pytest.fixture(scope="session")
def awskms_uris(aws_once: AwsServer) -> Iterator[Uris]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws_once.environment().items():
            patch.setenv(name, value)
        yield lambda name: aws_once.uri(f"alias/{name}")


@pytest.fixture(scope="session")
def pkcs11_uris() -> Uris:
    return token("contract").uri
