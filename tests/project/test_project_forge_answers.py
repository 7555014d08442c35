"""The programs that comment: what a contributor's archive unpacks to, and answers that are none."""

from __future__ import annotations

import importlib.util
import io
import os
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import ModuleType

import pytest

from http_service import served

TOOLS = Path(__file__).parents[2] / "tools"
MARK = b"<!-- gitca plan -->\n"
PROGRAMS = {
    "pull_request_comment.py": ((), "GitHub"),
    "merge_request_note.py": ((os.devnull,), "GitLab"),
}


@pytest.fixture(scope="module")
def program() -> ModuleType:
    name = "pull_request_comment"
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def archive(method: int, text: bytes = MARK) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as file:
        file.writestr("plan.md", text)
    return packed.getvalue()


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA],
    ids=["deflate", "bzip2", "LZMA"],
)  # fmt: skip
def test_no_archive_takes_more_memory_than_what_is_read_of_it(
    method: int, program: ModuleType
) -> None:
    content = archive(method, MARK + bytes(48 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(program.RefusedError):
            program.text_of(content)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 << 20


def deflate_that_is_none(content: bytes) -> bytes:
    start = 30 + len("plan.md")
    return content[:start] + b"\xff" * 4 + content[start + 4 :]


def name_that_is_no_text(content: bytes) -> bytes:
    directory = content.index(b"PK\x01\x02")
    flags = struct.pack("<H", 0x800)
    changed = content[: directory + 8] + flags + content[directory + 10 :]
    return changed[: directory + 46] + b"\xff" + changed[directory + 47 :]


def place_before_the_file(content: bytes) -> bytes:
    end = content.index(b"PK\x05\x06")
    offset = int.from_bytes(content[end + 16 : end + 20], "little") + 40
    return content[: end + 16] + struct.pack("<I", offset) + content[end + 20 :]


@pytest.mark.parametrize(
    "damage",
    [deflate_that_is_none, name_that_is_no_text, place_before_the_file],
    ids=lambda damage: damage.__name__,
)
def test_a_damaged_archive_is_refused_in_our_own_words(
    damage: Callable[[bytes], bytes], program: ModuleType
) -> None:
    content = archive(zipfile.ZIP_DEFLATED, MARK * 200)
    assert program.text_of(content)
    with pytest.raises(program.RefusedError, match="made no plan that could be read"):
        program.text_of(damage(content))


class Html(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send(b"<html>maintenance</html>")

    def send(self, content: bytes, length: int = 0) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length or len(content)))
        self.end_headers()
        self.wfile.write(content)


class CutOff(Html):
    def do_GET(self) -> None:
        self.send(b'{"id":', 1000)
        self.close_connection = True


class HungUp(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.close_connection = True


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("answers", [Html, CutOff, HungUp])
def test_an_answer_that_is_none_of_the_forges_is_told_in_a_line(
    answers: type[BaseHTTPRequestHandler], name: str
) -> None:
    arguments, forge = PROGRAMS[name]
    with served(answers) as url:
        environment = {
            "GITHUB_TOKEN": "t0ken",
            "GITHUB_REPOSITORY": "example/pki",
            "RUN_ID": "7",
            "GITHUB_API_URL": url,
            "CI_API_V4_URL": url,
            "GITCA_NOTE_TOKEN": "t0ken",
            "CI_MERGE_REQUEST_PROJECT_ID": "1",
            "CI_MERGE_REQUEST_IID": "3",
        }
        answer = subprocess.run(
            [sys.executable, "-I", str(TOOLS / name), *arguments],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"{forge}'s API does not answer as it should: ")
    assert answer.stderr.count("\n") == 1
    assert "t0ken" not in answer.stderr
    assert url not in answer.stderr
