"""An endpoint that answers, and is no S3: a proxy's login page, a length that is not true."""

from __future__ import annotations

import http.server
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from published_targets import item

from aws.aws_server import AwsServer
from gitca.errors import BackendUnavailableError, UsageError
from gitca.publishers import Publisher, open_publisher
from http_service import served

LOGIN = b"<html><body>Sign in to the network</body></html>"


@dataclass
class Answer:
    """What is answered to everything, with status 200."""

    body: bytes = LOGIN
    headers: dict[str, str] = field(default_factory=dict)
    is_chunked: bool = False


@pytest.fixture
def answer() -> Answer:
    return Answer()


@pytest.fixture
def publisher(s3: AwsServer, answer: Answer) -> Iterator[Publisher]:
    """The publisher of a bucket at an endpoint that gives that answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Connection", "close")
            for name, value in answer.headers.items():
                self.send_header(name, value)
            body = answer.body
            if answer.is_chunked:
                self.send_header("Transfer-Encoding", "chunked")
                body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            else:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        do_PUT = do_GET  # noqa: N815 - as the base class has it

    with served(Handler) as url:
        uri = f"s3://some-bucket/p?region=eu-west-1&endpoint={url}"
        with closing(open_publisher(uri, base=Path("/nonexistent"))) as opened:
            yield opened


@pytest.mark.parametrize("body", [LOGIN, b"<html><br>", b"", b"\0\xff{"])
@pytest.mark.usefixtures("no_waiting")
def test_an_answer_that_is_none_of_s3s_is_an_outage(
    publisher: Publisher, answer: Answer, body: bytes
) -> None:
    answer.body = body
    with pytest.raises(BackendUnavailableError, match="none of S3's"):
        publisher.read("a.crl")
    with pytest.raises(BackendUnavailableError):
        publisher.write(item("a.crl", b"1"), None)
    with pytest.raises(BackendUnavailableError):
        publisher.listing()


@pytest.mark.usefixtures("no_waiting")
def test_an_object_of_no_stated_length_is_not_read(publisher: Publisher, answer: Answer) -> None:
    answer.headers, answer.is_chunked = {"ETag": '"1"'}, True
    with pytest.raises(BackendUnavailableError, match="without ContentLength"):
        publisher.read("a.crl")


@pytest.mark.usefixtures("no_waiting")
def test_an_object_whose_stated_length_is_not_true_fills_no_memory(
    publisher: Publisher, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitca.publishers.paths.LARGEST_OBJECT", 2**20)
    answer.headers, answer.is_chunked = {"ETag": '"1"', "Content-Length": "5"}, True
    answer.body = bytes(5 * 2**20)
    with pytest.raises(UsageError, match=r"a\.crl at the target has 2097152 bytes"):
        publisher.read("a.crl")


@pytest.mark.usefixtures("no_waiting")
def test_what_the_sdk_stumbles_over_is_an_outage(publisher: Publisher, answer: Answer) -> None:
    answer.headers = {"ETag": '"1"', "Last-Modified": "never", "x-amz-missing-meta": "many"}
    with pytest.raises(BackendUnavailableError, match="none of S3's"):
        publisher.read("a.crl")
