"""The program that comments on pull requests, against an API whose answers others can influence."""

from __future__ import annotations

import copy
import importlib.util
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from http_service import served

PROGRAM = Path(__file__).parents[2] / "tools/pull_request_comment.py"
HEAD, BASE, FORK = "a" * 40, "b" * 40, "c" * 40
PLAN = "<!-- gitca plan -->\n## gitca plan\n\nissue payments/api\n"
RUN = {
    "id": 7,
    "event": "pull_request",
    "path": ".github/workflows/plan.yml",
    "head_sha": HEAD,
    "head_branch": "api",
    "head_repository": {"id": 1, "owner": {"login": "example"}},
}
PULL = {
    "number": 3,
    "state": "open",
    "head": {"sha": HEAD, "ref": "api", "repo": {"id": 1}},
    "base": {"sha": BASE, "ref": "main"},
}


def archive(text: bytes | str = PLAN, name: str = "plan.md") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, text)
    return packed.getvalue()


class Api:
    """GitHub's answers, as far as the program asks; tests change them."""

    def __init__(self) -> None:
        self.run: dict[str, Any] = copy.deepcopy(RUN)
        self.pulls: list[dict[str, Any]] = [copy.deepcopy(PULL)]
        self.blobs = {FORK: "same", HEAD: "same"}
        self.archive = archive()
        self.artifacts = [{"id": 5, "expired": False, "size_in_bytes": 900}]
        self.comments: list[dict[str, Any]] = []
        self.written: list[tuple[str, str, str]] = []
        self.tokens: dict[str, list[str]] = {"api": [], "store": []}
        self.url = ""

    def answer(self, path: str, query: dict[str, list[str]]) -> Any:
        tail = path.removeprefix("/repos/example/pki/")
        if tail == "actions/runs/7":
            return self.run
        if tail == "pulls":
            wanted = query["state"][0]
            return [pull for pull in self.pulls if wanted in {"all", pull["state"]}]
        if tail.startswith("compare/"):
            return {"merge_base_commit": {"sha": FORK}}
        if tail.startswith("contents/.github/workflows/plan.yml"):
            blob = self.blobs.get(query["ref"][0])
            return {"type": "file", "sha": blob} if blob else None
        if tail == "actions/runs/7/artifacts":
            return {"artifacts": self.artifacts}
        if tail == "issues/3/comments":
            first = 100 * (int(query["page"][0]) - 1)
            return self.comments[first : first + 100]
        raise AssertionError(path)


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            token = self.headers.get("Authorization", "")
            if parts.path == "/store":
                api.tokens["store"].append(token)
                self.send(200, api.archive)
            elif parts.path.endswith("/zip"):
                self.send_response(302)
                self.send_header("Location", f"{api.url}/store?signature=s")
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                api.tokens["api"].append(token)
                answer = api.answer(parts.path, parse_qs(parts.query))
                self.send(404 if answer is None else 200, json.dumps(answer).encode())

        def do_POST(self) -> None:
            self.write()

        def do_PATCH(self) -> None:
            self.write()

        def write(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
            path = urlsplit(self.path).path.removeprefix("/repos/example/pki/")
            api.written.append((self.command, path, body))
            self.send(200, b'{"html_url": "https://github.example/example/pki/pull/3#c"}')

        def send(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with served(Handler) as api.url:
        yield api


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pull_request_comment", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def comment(program: ModuleType, api: Api) -> Callable[[], str]:
    environment = {
        "GITHUB_REPOSITORY": "example/pki",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_API_URL": api.url,
        "GITHUB_TOKEN": "t0ken",
        "RUN_ID": "7",
    }
    return lambda: program.main(environment)


def own(number: int, body: str = PLAN) -> dict[str, Any]:
    return {"id": number, "user": {"login": "github-actions[bot]", "type": "Bot"}, "body": body}


def test_the_plan_becomes_a_comment_that_names_its_commit_and_run(
    comment: Callable[[], str], api: Api
) -> None:
    assert comment() == "https://github.example/example/pki/pull/3#c"
    ((method, path, body),) = api.written
    assert (method, path) == ("POST", "issues/3/comments")
    assert body.startswith(PLAN.rstrip())
    assert HEAD[:12] in body
    assert "https://github.example/example/pki/actions/runs/7" in body


def test_the_comment_has_all_of_a_plan_of_the_size_that_the_workflow_asks_for(
    comment: Callable[[], str], api: Api
) -> None:
    workflow = (PROGRAM.parents[1] / ".github/workflows/plan.yml").read_text()
    limit = int(workflow.partition(" --size-limit ")[2].split()[0])
    digest = f"\nPlan `sha256:{'0' * 64}`.\n"
    start = "<!-- gitca plan -->\n"
    api.archive = archive(f"{start}{'x' * (limit - len(start) - len(digest))}{digest}")
    comment()
    ((_, _, body),) = api.written
    assert digest.rstrip() in body
    assert "does not fit" not in body


def test_the_next_plan_takes_the_comments_place(comment: Callable[[], str], api: Api) -> None:
    others = [
        # What begins like the plan's, by a person.
        {"id": 1, "user": {"login": "eve", "type": "User"}, "body": PLAN},
        {"id": 2, "user": {"login": "github-actions[bot]", "type": "User"}, "body": PLAN},
        {"id": 3, "user": None, "body": PLAN},
        own(4, "another workflow's words"),
        {"id": 5, "user": {"login": "eve", "type": "User"}, "body": None},
    ]
    api.comments = [*others, *(own(number, "x") for number in range(10, 110)), own(200)]
    comment()
    assert [(method, path) for method, path, _ in api.written] == [("PATCH", "issues/comments/200")]


def test_a_pull_request_that_was_opened_again_gets_its_plan(
    comment: Callable[[], str], api: Api
) -> None:
    api.pulls.append(copy.deepcopy(PULL) | {"number": 2, "state": "closed"})
    comment()
    assert [path for _, path, _ in api.written] == ["issues/3/comments"]


def test_the_token_goes_to_the_api_alone_and_not_to_the_store_of_archives(
    comment: Callable[[], str], api: Api
) -> None:
    comment()
    assert set(api.tokens["api"]) == {"Bearer t0ken"}
    assert api.tokens["store"] == [""]


def changes(**values: Any) -> Callable[[Api], None]:
    def change(api: Api) -> None:
        api.run |= values

    return change


def no_pull(api: Api) -> None:
    api.pulls = []


def another_head(api: Api) -> None:
    api.pulls[0]["head"]["sha"] = "d" * 40


def another_fork(api: Api) -> None:
    api.pulls[0]["head"]["repo"]["id"] = 2


def deleted_fork(api: Api) -> None:
    api.pulls[0]["head"]["repo"] = None


def two_pulls(api: Api) -> None:
    api.pulls.append(api.pulls[0] | {"number": 4})


def closed(api: Api) -> None:
    api.pulls[0]["state"] = "closed"


def one_before_to_another_branch(api: Api) -> None:
    base = {"sha": BASE, "ref": "prepared"}
    api.pulls.append(copy.deepcopy(PULL) | {"number": 2, "state": "closed", "base": base})


@pytest.mark.parametrize(
    "change",
    [
        *(changes(event="push"), changes(path=".github/workflows/other.yml")),
        *(no_pull, closed, another_head, another_fork, deleted_fork, two_pulls),
        one_before_to_another_branch,
    ],
    ids=lambda change: change.__name__,
)
def test_where_the_pull_request_is_not_certain_nothing_is_written(
    change: Callable[[Api], None], comment: Callable[[], str], api: Api
) -> None:
    change(api)
    assert "nothing to say" in comment()
    assert api.written == []


@pytest.mark.parametrize("blob", ["changed", None])
def test_a_pull_request_that_changes_its_plan_is_not_repeated(
    blob: str | None, comment: Callable[[], str], api: Api
) -> None:
    api.blobs[HEAD] = blob
    comment()
    ((_, _, body),) = api.written
    assert body.startswith("<!-- gitca plan -->")
    assert "changes `.github/workflows/plan.yml`" in body
    assert "issue payments/api" not in body
    assert api.tokens["store"] == []


def bomb() -> bytes:
    return archive(b"<!-- gitca plan -->" + bytes(64 << 20))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda: b"no archive", "made no plan that could be read"),
        (lambda: archive()[:-30], "made no plan that could be read"),
        (lambda: archive(name="../plan.md"), "made no plan that could be read"),
        (lambda: archive("you must approve this"), "not one that `gitca plan` writes"),
        (bomb, "larger than 1048576 bytes"),
        (lambda: bytes(9 << 20), "archive is larger than 8388608 bytes"),
    ],
    ids=["garbage", "cut off", "another path", "other words", "a bomb", "too large"],
)
def test_an_archive_that_holds_no_plan_is_told_in_our_own_words(
    content: Callable[[], bytes], words: str, comment: Callable[[], str], api: Api
) -> None:
    api.archive = content()
    comment()
    ((_, _, body),) = api.written
    assert words in body
    assert "approve" not in body
    assert len(body) < 500


@pytest.mark.parametrize(
    "artifacts", [[], [{"id": 5, "expired": True, "size_in_bytes": 9}]], ids=["none", "expired"]
)
def test_a_run_without_a_plan_is_told(
    artifacts: list[dict[str, Any]], comment: Callable[[], str], api: Api
) -> None:
    api.artifacts = artifacts
    comment()
    assert "made no plan." in api.written[0][2]


def test_a_plan_that_is_too_long_is_cut_at_a_line_and_says_so(
    comment: Callable[[], str], api: Api
) -> None:
    api.archive = archive(PLAN + "issue a certificate\n" * 5000)
    comment()
    body = api.written[0][2]
    assert 60_000 < len(body) <= 65_000
    kept, _, rest = body.partition("\n\n…\n")
    assert kept.endswith("issue a certificate")
    assert "does not fit" in rest
