"""The connections: HTTP/1.1 with keep-alive on asyncio, without a framework.

A Sign passes through here and `service.py` alone. moto's dispatch costs milliseconds a request, and
the benchmarks ask for more than a thousand signatures a second beside a client on the other core.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from http_message import LARGEST_HEAD, Request, dechunk, parse_head, render

Reply = Callable[[bytes | None], None]
"""Sends an answer; None closes the connection without one."""
Handler = Callable[[Request, Reply], None]

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(asyncio.Protocol):
    """One client: requests in, answers out in the same order, one at a time."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._buffer = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._busy = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._busy:
            self._advance()

    def _advance(self) -> None:
        try:
            request = self._next_request()
        except ValueError:
            self._send(render(400, {"Connection": "close"}, b"malformed request\n"), close=True)
            return
        if request is not None:
            self._busy = True
            self._handler(request, lambda answer: self._reply(request, answer))

    def _next_request(self) -> Request | None:
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > LARGEST_HEAD:
                    raise ValueError("head too large")
                return None
            self._head = parse_head(bytes(self._buffer[:end]))
            del self._buffer[: end + 4]
            if self._head[2].get("expect", "").lower() == "100-continue":
                self._send(_CONTINUE, close=False)
        method, target, headers = self._head
        body = self._take_body(headers)
        if body is None:
            return None
        self._head = None
        return Request(method, target, headers, body)

    def _take_body(self, headers: dict[str, str]) -> bytes | None:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            found = dechunk(self._buffer)
            if found is None:
                return None
            body, length = found
        else:
            length = int(headers.get("content-length", "0"))
            if len(self._buffer) < length:
                return None
            body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _reply(self, request: Request, answer: bytes | None) -> None:
        self._send(answer or b"", close=answer is None or not request.keeps_alive)
        self._busy = False
        if self._transport is not None and self._buffer:
            self._advance()

    def _send(self, data: bytes, *, close: bool) -> None:
        if self._transport is None:  # the client has gone
            return
        if data:
            self._transport.write(data)
        if close:
            self._transport.close()
            self._transport = None
