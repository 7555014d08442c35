"""The forge over HTTP: Git by `git http-backend`, its API and the OIDC tokens of jobs."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from pipeline import forge_api
from pipeline.forge import REPOSITORY, Forge, Token, to_json

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM")


@contextmanager
def serving(forge: Forge) -> Iterator[Forge]:
    """Serve the forge at a port of this machine for the length of the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.forge = forge
    forge.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    forge: Forge


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *arguments: object) -> None:
        """Say nothing; what was called is in `Forge.calls`."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self._body()
        token = self._token()
        path = urlsplit(self.path).path
        self.server.forge.calls.append((token.identity if token else "", self.command, self.path))
        if path.startswith(("/api/v3/", "/oidc")):
            status, answer = forge_api.answer(
                self.server.forge, token, self.command, self.path, body
            )
            if isinstance(answer, bytes):
                self._send(status, "application/zip", answer)
            else:
                self._send(status, "application/json", to_json(answer))
        else:
            self._git(path, token, body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _token(self) -> Token | None:
        kind, _, words = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "basic":
            words = base64.b64decode(words).decode().partition(":")[2]
        return self.server.forge.tokens.get(words.strip())

    def _send(self, status: int, media_type: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _git(self, path: str, token: Token | None, body: bytes) -> None:
        forge = self.server.forge
        repository = path.lstrip("/").partition(".git/")[0]
        writes = "git-receive-pack" in self.path
        is_public = repository in forge.public and not writes
        if token is None and not is_public:
            self._send(401, "text/plain", b"", WWW_Authenticate='Basic realm="forge"')
            return
        if not (is_public or _may(repository, token, "write" if writes else "read")):
            self._send(403, "text/plain", b"forge: this credential may not do that\n")
            return
        self._backend(path, token, body, forge)

    def _backend(self, path: str, token: Token | None, body: bytes, forge: Forge) -> None:
        query, who = urlsplit(self.path).query, token or Token("nobody", {})
        environment = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            **forge.hook_environment(who),
            "GIT_PROJECT_ROOT": str(forge.folder / "repositories"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": who.identity,
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
        )
        forge.take_pushes()  # before the client hears of it
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        status = int(fields.pop("Status", "200").split()[0])
        media_type = fields.pop("Content-Type", "text/plain")
        self._send(
            status, media_type, content, **{k.replace("-", "_"): v for k, v in fields.items()}
        )


def _may(repository: str, token: Token | None, access: str) -> bool:
    """Say whether a credential reads or writes a repository: its owner's does, of a fork."""
    if token is None:
        return False
    is_theirs = repository.partition("/")[0] == token.identity
    return is_theirs or (repository == REPOSITORY and token.allows("contents", access))
