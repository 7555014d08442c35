"""The web server of docs/publishing-directory.md, as it stands there, serves a published folder."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from test_publishers_layout import items_of

from ca_world import Clone
from components import require
from gitca.publishers import Item, open_publisher
from judges.nginx import running

PAGE = Path(__file__).parents[2] / "docs" / "publishing-directory.md"
AROUND = """
daemon off;
master_process off;
pid nginx.pid;
error_log error.log info;
events {{ worker_connections 16; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
{server}
}}
"""


class OverSocket(http.client.HTTPConnection):
    """HTTP over a Unix socket: there is no port to race for."""

    def __init__(self, path: Path) -> None:
        super().__init__("pki.example.internal", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self._path))


def fetch(at: Path, path: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    with closing(OverSocket(at)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


@pytest.fixture(scope="module")
def published(issued_once: Clone, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Item]:
    return items_of(issued_once)


@pytest.fixture
def server(folder: Path, published: dict[str, Item]) -> Iterator[Path]:
    """The socket of an nginx that serves what was published into a folder."""
    require("nginx")
    publisher = open_publisher("directory:public", base=folder)
    for item in published.values():
        publisher.write(item, None)
    publisher.write(Item("manifest.json", b"{}", "application/json", "no-cache"), None)
    found = re.search(r"^```nginx\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    at = folder / "socket"
    text = found[1].replace("listen 80;", f"listen unix:{at};")
    text = text.replace("root /srv/pki/prod;", f"root {folder}/public;")
    with running(folder, AROUND.format(server=text)):
        yield at


def test_every_object_is_served_as_what_it_is_and_kept_no_longer_than_it_may(
    server: Path, published: dict[str, Item]
) -> None:
    for path, item in published.items():
        status, headers, content = fetch(server, f"/{path}")
        assert (status, content) == (200, item.content), path
        assert headers["Content-Type"] == item.media_type, path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["ETag"]
        allowed, told = item.cache_control, headers["Cache-Control"]
        if item.media_type == "application/pkix-crl" or path.endswith(".crl.pem"):
            assert age_of(told) <= age_of(allowed), path
        else:
            assert told == allowed, path
    status, headers, _ = fetch(server, "/manifest.json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert headers["Cache-Control"] == "no-cache"


def age_of(cache_control: str) -> int:
    found = re.search(r"max-age=(\d+)", cache_control)
    assert found is not None
    return int(found[1])


def test_what_is_the_targets_own_is_not_served(server: Path) -> None:
    assert fetch(server, "/.gitca-publish/lock")[0] == 404
    assert fetch(server, "/../nginx.conf")[0] == 400
