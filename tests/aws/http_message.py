"""HTTP/1.1 requests and answers: what AWS clients send, no more (RFC 9112)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

LARGEST_HEAD = 64 * 1024
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def keeps_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"


def parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Return method, target and headers. Raises: ValueError."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return method, target, headers


def dechunk(data: bytes | bytearray) -> tuple[bytes, int] | None:
    """Return a chunked body and where it ends; None while it is incomplete. Raises: ValueError."""
    parts, at = [], 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        size = int(bytes(data[at:end]).split(b";")[0], 16)
        start = end + 2
        if len(data) < start + size + 2:
            return None
        if size == 0:
            close = data.find(b"\r\n\r\n", end)
            return (b"".join(parts), close + 4) if close >= 0 else None
        parts.append(bytes(data[start : start + size]))
        at = start + size + 2


def render(status: int, headers: Mapping[str, str] | list[tuple[str, str]], body: bytes) -> bytes:
    """Return the bytes of an answer; Content-Length is added."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    reason = _REASONS.get(status, "Unknown")
    head = f"HTTP/1.1 {status} {reason}\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body
