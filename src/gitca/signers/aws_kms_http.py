"""HTTP to KMS for the Sign call: connections that stay open, one thread on each at a time.

The SDK's session spends most of a call's processor time in its layers. This is the standard
library's client with what the SDK makes sure of: TLS with its context and its certificates, its
timeouts, its exceptions, whose meaning its retries know. Through a proxy the SDK's own session
goes.
"""

from __future__ import annotations

import http.client
import os
import select
import socket
import ssl
from collections import deque
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from botocore.awsrequest import AWSRequest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.httpsession import URLLib3Session, create_urllib3_context, get_cert_path
from botocore.utils import get_environ_proxies

from gitca.signers.aws_kms_connection import CONNECT_SECONDS, POOL, READ_SECONDS


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, by the names that the SDK's retries read."""

    status_code: int
    headers: http.client.HTTPMessage
    content: bytes


class Sender(Protocol):
    """Sends a signed request, from many threads at once."""

    def send(self, request: AWSRequest) -> Reply:
        """Return the whole answer, whatever its status.

        Raises: botocore's EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError when
        nothing was sent; others of its HTTPClientError and ConnectionError when something was.
        """
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


def sender(url: str, bundle: str | None) -> Sender:
    """Return a sender to a URL; `bundle` is a file of CA certificates, None the SDK's own."""
    # As botocore chooses them for a client of its own.
    verify = bundle or os.environ.get("REQUESTS_CA_BUNDLE") or True
    proxies = get_environ_proxies(url)
    parts = urlsplit(url)
    if proxies.get(parts.scheme):
        return _Proxied(verify, proxies)
    context = tls_context(verify) if parts.scheme == "https" else None
    return Direct(url, context)


def tls_context(verify: str | bool) -> ssl.SSLContext:
    """Return the SDK's TLS context, which trusts a file of CA certificates, or the SDK's own."""
    context: ssl.SSLContext = create_urllib3_context()
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(get_cert_path(verify))
    return context


class Direct:
    """A sender without a proxy in between."""

    def __init__(
        self, url: str, context: ssl.SSLContext | None, *, read_seconds: float = READ_SECONDS
    ) -> None:
        parts = urlsplit(url)
        self._url, self._path = url, parts.path or "/"
        self._host, self._port = parts.hostname or "", parts.port
        self._context = context
        self._read_seconds = read_seconds
        self._idle: deque[http.client.HTTPConnection] = deque()
        self._closed = False

    def send(self, request: AWSRequest) -> Reply:
        """Return the whole answer."""
        connection = self._living() or self._connected()
        try:
            connection.request("POST", self._path, request.data, dict(request.headers.items()))
            response = connection.getresponse()
            content = response.read()
        except TimeoutError as error:
            connection.close()
            raise ReadTimeoutError(endpoint_url=self._url, error=error) from error
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ConnectionClosedError(endpoint_url=self._url, error=error) from error
        except BaseException:
            connection.close()
            raise
        if response.will_close or self._closed or len(self._idle) >= POOL:
            connection.close()
        else:
            self._idle.append(connection)
        return Reply(response.status, response.headers, content)

    def close(self) -> None:
        """Close the idle connections; those in use close themselves when they are done."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _living(self) -> http.client.HTTPConnection | None:
        """Return an open connection, the one used last; one that the server has closed is not."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if not _has_ended(connection):
                return connection
            connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        connection = self._new()
        try:
            connection.connect()
        except TimeoutError as error:
            connection.close()
            raise ConnectTimeoutError(endpoint_url=self._url, error=error) from error
        except OSError as error:  # TLS that fails included: no request was sent
            connection.close()
            raise EndpointConnectionError(endpoint_url=self._url, error=error) from error
        connection.sock.settimeout(self._read_seconds)
        return connection

    def _new(self) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=CONNECT_SECONDS)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=CONNECT_SECONDS, context=self._context
        )


def _has_ended(connection: http.client.HTTPConnection) -> bool:
    # Nothing is to be read between two answers, except that the server hung up.
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


class _Proxied:
    """The SDK's session, which knows proxies."""

    def __init__(self, verify: str | bool, proxies: dict[str, str]) -> None:
        self._session = URLLib3Session(
            verify=verify,
            proxies=proxies,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            max_pool_connections=POOL,
            # A request is sent in two pieces, and must not wait for the first to be acknowledged.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    def send(self, request: AWSRequest) -> Reply:
        """Return the whole answer."""
        answer = self._session.send(request.prepare())
        return Reply(answer.status_code, answer.headers, answer.content)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()
