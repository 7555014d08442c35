"""moto's own application (WSGI, PEP 3333), called with requests that the front has read."""

from __future__ import annotations

import io
import sys
from typing import Any
from urllib.parse import unquote_to_bytes

from http_message import Request, render
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

_HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "server", "date"}


class Moto:
    """Everything of AWS that is not answered by this folder: S3 and the rest."""

    def __init__(self) -> None:
        self._application = DomainDispatcherApplication(create_backend_app)

    def answer(self, request: Request, extra: dict[str, str]) -> bytes:
        """Return moto's answer with headers added. Blocks; call it in a thread."""
        started: list[Any] = []
        body = self._application(
            _environ(request), lambda status, headers, *_: started.extend((status, headers))
        )
        try:
            content = b"".join(body)
        finally:
            if hasattr(body, "close"):
                body.close()
        status, headers = started
        code = int(status.split(" ", 1)[0])
        ours = {name.lower() for name in extra}
        kept = [(name, value) for name, value in headers if name.lower() not in ours]
        if request.method == "HEAD":
            return _head(code, [*kept, *extra.items()])
        kept = [(name, value) for name, value in kept if name.lower() not in _HOP_BY_HOP]
        return render(code, [*kept, *extra.items()], content)


def _head(code: int, headers: list[tuple[str, str]]) -> bytes:
    """Return an answer to HEAD: with the length of what GET sends (RFC 9110 section 9.3.2)."""
    lengths = [value for name, value in headers if name.lower() == "content-length"] or ["0"]
    kept = [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]
    return render(code, kept, b"").replace(
        b"Content-Length: 0\r\n", f"Content-Length: {lengths[0]}\r\n".encode(), 1
    )


def _environ(request: Request) -> dict[str, Any]:
    path, _, query = request.target.partition("?")
    host, _, port = request.headers.get("host", "127.0.0.1:80").partition(":")
    return {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "QUERY_STRING": query,
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{
            f"HTTP_{name.upper().replace('-', '_')}": value
            for name, value in request.headers.items()
            if name not in {"content-type", "content-length", "transfer-encoding", "expect"}
        },
    }
