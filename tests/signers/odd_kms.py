"""A server that describes a key of the KMS of the tests as its own, and answers Sign oddly."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aws.aws_server import AwsServer

REQUEST_ID = "11111111-2222-3333-4444-555555555555"
ANSWER = b'{"Signature": "AAEC"}'  # three bytes: 0, 1, 2


@dataclass
class OddKms:
    """What the server answers, and what it was sent; `hung_up` is set when a connection ends."""

    arn: str
    answers: dict[str, bytes]
    statuses: dict[str, int] = field(default_factory=dict)
    hangs_up: bool = False
    port: int = 0
    scheme: str = "http"
    sent: list[dict[str, str]] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> str:
        return f"{self.scheme}://localhost:{self.port}"

    @property
    def uri(self) -> str:
        return f"awskms:///{self.arn}?endpoint={self.endpoint}"


class _Server(ThreadingHTTPServer):
    odd: OddKms
    context: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.context is None:
            super().finish_request(request, client_address)
            return
        try:
            with self.context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        except ssl.SSLError:
            return  # the client did not like the certificate

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.odd.hung_up.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        odd = self.server.odd
        self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        odd.sent.append({**self.headers, "target": self.path})
        self.send_response(odd.statuses.get(operation, 200))
        self.send_header("x-amzn-RequestId", REQUEST_ID)
        self.send_header("Content-Length", str(len(odd.answers[operation])))
        self.end_headers()
        self.wfile.write(odd.answers[operation])
        self.close_connection = odd.hangs_up

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def odd_kms(
    kms: AwsServer,
    arn: str,
    body: bytes = ANSWER,
    *,
    status: int = 200,
    context: ssl.SSLContext | None = None,
) -> Iterator[OddKms]:
    """Give a server with a key like the one at KMS, whose Sign is answered with a body."""
    client = kms.kms()
    key = client.describe_key(KeyId=arn)["KeyMetadata"]
    public = client.get_public_key(KeyId=arn)["PublicKey"]
    described = {"KeyMetadata": {**key, "CreationDate": key["CreationDate"].timestamp()}}
    answers = {
        "DescribeKey": json.dumps(described).encode(),
        "GetPublicKey": json.dumps({"PublicKey": base64.b64encode(public).decode()}).encode(),
        "Sign": body,
    }
    server = _Server(("127.0.0.1", 0), _Handler)
    server.context = context
    server.odd = OddKms(arn, answers, {"Sign": status}, port=server.server_port)
    server.odd.scheme = "https" if context else "http"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.odd
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
