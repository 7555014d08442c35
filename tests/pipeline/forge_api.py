"""The few endpoints of GitHub's REST API that the pipelines call, and the OIDC endpoint of jobs.

GitHub Docs, "REST API": pulls, issues/comments, commits/pulls, actions/runs, actions/artifacts.
Whoever calls needs the permission that is documented for the endpoint.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline.forge import REPOSITORY, Forge, Token, git

Answer = tuple[int, Any]
LONGEST_BODY = 65_536  # characters of a comment's body
_BASE = rf"/api/v3/repos/{REPOSITORY}"


@dataclass(frozen=True)
class Call:
    """One call: who, what is asked for in the path, the query and the body."""

    forge: Forge
    token: Token
    found: re.Match[str]
    query: dict[str, list[str]]
    body: dict[str, Any]

    @property
    def number(self) -> int:
        return int(self.found["number"])


def answer(forge: Forge, token: Token | None, method: str, target: str, body: bytes) -> Answer:
    """Answer a call."""
    address = urlsplit(target)
    if token is None:
        return 401, {"message": "Bad credentials"}
    if address.path == "/oidc":
        return _identity(forge, token, parse_qs(address.query))
    for verb, pattern, needed, action in _ENDPOINTS:
        found = re.fullmatch(_BASE + pattern, address.path)
        if found is None or verb != method:
            continue
        if not any(token.allows(*each.split(":")) for each in needed):
            return 403, {"message": "Resource not accessible by integration"}
        read = json.loads(body) if body else {}
        with forge.lock:
            return action(Call(forge, token, found, parse_qs(address.query), read))
    return 404, {"message": f"Not Found: {method} {address.path}"}


def _identity(forge: Forge, token: Token, query: dict[str, list[str]]) -> Answer:
    """Give the OIDC token of a job ("About security hardening with OpenID Connect")."""
    if not token.allows("id-token", "write") or "subject" not in token.may:
        return 403, {"message": "no id-token for this job"}
    text = f"oidc.{secrets.token_hex(16)}"
    audience = query.get("audience", ["https://github.com/example"])[0]
    forge.identities[text] = {"sub": token.may["subject"], "aud": audience}
    return 200, {"value": text}


def _pull(call: Call) -> Answer:
    pull = call.forge.pulls.get(call.number)
    return (200, call.forge.describe(pull)) if pull else (404, {"message": "Not Found"})


def _pulls(call: Call) -> Answer:
    """List pull requests by state and `head=OWNER:BRANCH`."""
    state = call.query.get("state", ["open"])[0]
    head = call.query.get("head", [""])[0]
    listed = [call.forge.describe(pull) for pull in call.forge.pulls.values()]
    return 200, [
        each
        for each in listed
        if state in ("all", each["state"])
        and (not head or head == f"{each['head']['repo']['owner']['login']}:{each['head']['ref']}")
    ]


def _pulls_of_commit(call: Call) -> Answer:
    """List pull requests whose head is a commit; of a fork's commit GitHub lists none here."""
    described = [call.forge.describe(pull) for pull in call.forge.pulls.values()]
    return 200, [
        each
        for each in described
        if each["head"]["sha"] == call.found["sha"]
        and each["head"]["repo"]["full_name"] == REPOSITORY
    ]


def _comments(call: Call) -> Answer:
    page = int(call.query.get("page", ["1"])[0])
    size = int(call.query.get("per_page", ["30"])[0])
    listed = list(call.forge.comments.get(call.number, {}).values())
    return 200, listed[(page - 1) * size : page * size]


def _comment(call: Call) -> Answer:
    if call.number not in call.forge.comments:
        return 404, {"message": "Not Found"}
    if len(call.body["body"]) > LONGEST_BODY:
        return 422, {"message": "Body is too long (maximum is 65536 characters)"}
    number = 1 + sum(map(len, call.forge.comments.values()))
    login = call.token.identity
    made = {
        "id": number,
        "body": call.body["body"],
        "user": {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"},
        "html_url": f"{call.forge.url}/{REPOSITORY}/pull/{call.number}#issuecomment-{number}",
        "performed_via_github_app": {"slug": "github-actions"} if login.endswith("[bot]") else None,
    }
    call.forge.comments[call.number][number] = made
    return 201, made


def _edit(call: Call) -> Answer:
    for comments in call.forge.comments.values():
        if call.number in comments:
            if len(call.body["body"]) > LONGEST_BODY:
                return 422, {"message": "Body is too long (maximum is 65536 characters)"}
            comments[call.number]["body"] = call.body["body"]
            return 200, comments[call.number]
    return 404, {"message": "Not Found"}


def _run(call: Call) -> Answer:
    run = call.forge.runs.get(call.number)
    return (200, run.described) if run else (404, {"message": "Not Found"})


def _compare(call: Call) -> Answer:
    try:
        merged = git(call.forge.origin, "merge-base", call.found["base"], call.found["head"])
    except AssertionError:
        return 404, {"message": "Not Found"}
    return 200, {"merge_base_commit": {"sha": merged}}


def _contents(call: Call) -> Answer:
    """Describe a file of a commit; those of forks are to be had as well, as on GitHub."""
    blob = call.forge.tree(call.query["ref"][0]).get(call.found["path"])
    found = {"type": "file", "sha": blob, "path": call.found["path"]}
    return (200, found) if blob else (404, {"message": "Not Found"})


def _artifacts(call: Call) -> Answer:
    run = call.forge.runs.get(call.number)
    if run is None:
        return 404, {"message": "Not Found"}
    listed = [
        {
            "id": call.number * 1000 + index,
            "name": name,
            "size_in_bytes": len(content),
            "expired": False,
        }
        for index, (name, content) in enumerate(run.artifacts.items())
    ]
    return 200, {"total_count": len(listed), "artifacts": listed}


def _artifact(call: Call) -> Answer:
    run = call.forge.runs.get(call.number // 1000)
    contents = list(run.artifacts.values()) if run else []
    index = call.number % 1000
    return (200, contents[index]) if index < len(contents) else (404, {"message": "Not Found"})


_READ_COMMENTS = ("issues:read", "pull-requests:read")
_WRITE_COMMENTS = ("issues:write", "pull-requests:write")
_ENDPOINTS: tuple[tuple[str, str, tuple[str, ...], Callable[[Call], Answer]], ...] = (
    ("GET", r"/pulls", ("pull-requests:read",), _pulls),
    ("GET", r"/pulls/(?P<number>\d+)", ("pull-requests:read",), _pull),
    (
        *("GET", r"/commits/(?P<sha>[0-9a-f]{40})/pulls"),
        *(("pull-requests:read", "contents:read"), _pulls_of_commit),
    ),
    ("GET", r"/issues/(?P<number>\d+)/comments", _READ_COMMENTS, _comments),
    ("POST", r"/issues/(?P<number>\d+)/comments", _WRITE_COMMENTS, _comment),
    ("PATCH", r"/issues/comments/(?P<number>\d+)", _WRITE_COMMENTS, _edit),
    (
        *("GET", r"/compare/(?P<base>[0-9a-f]{40})\.\.\.(?P<head>[0-9a-f]{40})"),
        *(("contents:read",), _compare),
    ),
    ("GET", r"/contents/(?P<path>.+)", ("contents:read",), _contents),
    ("GET", r"/actions/runs/(?P<number>\d+)", ("actions:read",), _run),
    ("GET", r"/actions/runs/(?P<number>\d+)/artifacts", ("actions:read",), _artifacts),
    ("GET", r"/actions/artifacts/(?P<number>\d+)/zip", ("actions:read",), _artifact),
)
