"""Connections to AWS KMS: one for each region, endpoint and profile that are in use in a process.

Credentials come from the AWS SDK's own chain (environment, profiles, SSO, web identity in CI, the
machine's role); gitca passes them from the SDK to the SDK and reads none.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config

from gitca.errors import UsageError
from gitca.signers.aws_kms_errors import wrapped
from gitca.signers.aws_kms_place import Place

# 30 % of calls throttled leave 6 of a million that fail ten times over.
ATTEMPTS = 10
POOL = 64
CONNECT_SECONDS = 5
READ_SECONDS = 20  # a signature takes KMS milliseconds; giving up early makes it sign twice


@dataclass(frozen=True, slots=True)
class Target:
    """Where the SDK sends requests to KMS, and the name that it gives itself."""

    url: str
    user_agent: str


class Connection:
    """A client of KMS that several signers share; safe to be used by many threads at once."""

    def __init__(self, place: Place) -> None:
        self.core = botocore.session.Session(profile=place.profile)
        self._session = boto3.session.Session(botocore_session=self.core)
        self._options = {"region_name": place.region, "endpoint_url": place.endpoint}
        self.client = self._client(ATTEMPTS)
        self.target: Target | None = None
        self.client.meta.events.register("before-send.kms", self._remember)
        self.users = 0

    def _client(self, attempts: int) -> Any:
        return self._session.client("kms", config=_config(attempts), **self._options)

    def _remember(self, request: AWSPreparedRequest, **_: object) -> None:
        agent = request.headers["User-Agent"]
        text = agent.decode() if isinstance(agent, bytes) else str(agent)
        self.target = Target(request.url, text)

    @property
    def region(self) -> str:
        """The region that is asked."""
        return str(self.client.meta.region_name)

    @contextmanager
    def without_retries(self) -> Iterator[Any]:
        """Give a client that asks once: for what would be done twice if an answer were lost."""
        client = self._client(1)
        try:
            yield client
        finally:
            client.close()


def _config(attempts: int) -> Config:
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=POOL,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
    )


_lock = threading.Lock()
_open: dict[Place, Connection] = {}


def acquire(place: Place, subject: str) -> Connection:
    """Return the connection to a place, made if there is none; `release` gives it back.

    Raises: UsageError when the machine's AWS configuration does not allow one.
    """
    with _lock, wrapped("connecting", subject):
        if place not in _open:
            _open[place] = _connection(place, subject)
        _open[place].users += 1
        return _open[place]


def _connection(place: Place, subject: str) -> Connection:
    try:
        return Connection(place)
    except ValueError as error:  # an endpoint that is no URL, such as AWS_ENDPOINT_URL's
        # Its words repeat the URL, in which someone may have put a password.
        raise UsageError(
            f"{subject}: the AWS SDK refuses an endpoint or region as malformed",
            remedy="correct it, in the URI or in the environment (AWS_ENDPOINT_URL_KMS, "
            "AWS_ENDPOINT_URL, AWS_DEFAULT_REGION)",
        ) from error


def release(place: Place) -> None:
    """Give a connection back; it is closed when nobody uses it."""
    with _lock:
        connection = _open[place]
        connection.users -= 1
        if connection.users:
            return
        del _open[place]
    connection.client.close()
