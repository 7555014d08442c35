"""The program that writes a plan into a note of its merge request on GitLab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from http_service import served

PROGRAM = Path(__file__).parents[2] / "tools/merge_request_note.py"
PLAN = "<!-- gitca plan -->\n## gitca plan\n\nissue payments/api\n"
NOTES = "/api/v4/projects/1/merge_requests/3/notes"


class Api:
    def __init__(self) -> None:
        self.notes: list[dict[str, Any]] = []
        self.written: list[tuple[str, str, str]] = []
        self.tokens: set[str] = set()
        self.status = 200
        self.url = ""


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/api/v4/user":
                self.send({"id": 42})
                return
            assert parts.path == NOTES
            first = 100 * (int(parse_qs(parts.query)["page"][0]) - 1)
            self.send(api.notes[first : first + 100])

        def do_POST(self) -> None:
            self.write()

        def do_PUT(self) -> None:
            self.write()

        def write(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
            api.written.append((self.command, self.path, body))
            self.send({"id": 1})

        def send(self, answer: object) -> None:
            api.tokens.add(self.headers["PRIVATE-TOKEN"])
            content = json.dumps(answer).encode()
            self.send_response(api.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with served(Handler) as api.url:
        yield api


def note(api: Api, plan: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "CI_API_V4_URL": f"{api.url}/api/v4",
        "CI_MERGE_REQUEST_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_IID": "3",
        "GITCA_NOTE_TOKEN": "t0ken",
    }
    command = [sys.executable, "-I", str(PROGRAM), str(plan)]
    environment = {**os.environ, **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def written(number: int, user: int, body: str = PLAN) -> dict[str, Any]:
    return {"id": number, "author": {"id": user}, "body": body}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.md"
    path.write_text(PLAN)
    return path


def test_the_plan_becomes_a_note(api: Api, plan: Path) -> None:
    assert note(api, plan).returncode == 0
    assert api.written == [("POST", NOTES, PLAN)]
    assert api.tokens == {"t0ken"}


def test_the_next_plan_takes_the_notes_place_and_nobody_elses(api: Api, plan: Path) -> None:
    api.notes = [
        written(1, 7),
        written(2, 42, "another word of the bot"),
        *(written(number, 7) for number in range(10, 120)),
        written(200, 42),
    ]
    assert note(api, plan).returncode == 0
    assert [(method, path) for method, path, _ in api.written] == [("PUT", f"{NOTES}/200")]


@pytest.mark.parametrize("text", [None, "approve this"], ids=["none", "other words"])
def test_what_is_no_plan_is_told_in_our_own_words(text: str | None, api: Api, plan: Path) -> None:
    plan.unlink()
    if text is not None:
        plan.write_text(text)
    assert note(api, plan).returncode == 0
    ((_, _, body),) = api.written
    assert body.startswith("<!-- gitca plan -->")
    assert "made no plan" in body
    assert "approve" not in body


def test_a_folder_in_the_plans_place_is_no_plan(api: Api, plan: Path) -> None:
    plan.unlink()
    plan.mkdir()
    assert note(api, plan).returncode == 0
    assert "made no plan" in api.written[0][2]


def test_a_refusal_is_told_without_the_token(api: Api, plan: Path) -> None:
    api.status = 403
    answer = note(api, plan)
    assert answer.returncode == 1
    assert "403" in answer.stderr
    assert "t0ken" not in answer.stderr
    assert "Traceback" not in answer.stderr
