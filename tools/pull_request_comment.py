"""Put the plan that a run of plan.yml made into the one comment of its pull request.

    GITHUB_TOKEN=… GITHUB_REPOSITORY=owner/name RUN_ID=… python3 -I tools/pull_request_comment.py

For comment.yml, which may write to pull requests. Whoever opens a pull request decides what the run
does that is read here, so nothing of it is believed:

- which pull request it is, GitHub says: the open one of the run's head repository and branch, which
  is at the run's commit. One that has gone on meanwhile gets the plan of its own run, and where
  there was another one to another branch, nobody gets any;
- the run must be plan.yml's, and the pull request must not have changed plan.yml: its words would
  be the contributor's own. Then the comment says that, and repeats none of them;
- the archive is of bounded size, and one file of it is read, of bounded size, as text. It is stored
  or deflated, as forges pack: other methods are unpacked without any bound in memory.

What this cannot tell: a pull request that was for another branch of the repository itself, prepared
by whoever may push there, until its author changed that. plan.yml runs again then, and the plan
decides on nothing: reconcile judges again what is merged.

It needs Python alone, and writes for each run one comment at the most: its own, which it knows by
author and mark.
"""

from __future__ import annotations

import io
import json
import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

WORKFLOW = ".github/workflows/plan.yml"
ARTIFACT, MEMBER = "plan", "plan.md"
MARK = "<!-- gitca plan -->"
AUTHOR = "github-actions[bot]"
LARGEST_ARCHIVE = 8 << 20  # bytes
LARGEST_ANSWER = 16 << 20  # bytes
LARGEST_PLAN = 1 << 20  # bytes
LONGEST_COMMENT = 65_000  # characters; GitHub refuses more than 65,536
_PATIENCE = 30  # seconds for an answer
# Of these alone zipfile unpacks no more than it is asked for: of a thousand bytes in bzip2 or LZMA
# it makes gigabytes first.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile raises for an archive that is damaged, or made to be.
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, KeyError, EOFError, NotImplementedError),
    *(RuntimeError, ValueError, OverflowError),
)

Json = Any


class RefusedError(Exception):
    """No plan can be repeated; the message is for the comment, and is in our own words."""


class Forge:
    """GitHub's REST API, for one repository."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.repository = environment["GITHUB_REPOSITORY"]
        self.server = environment.get("GITHUB_SERVER_URL", "https://github.com")
        self._base = environment.get("GITHUB_API_URL", "https://api.github.com")
        self._token = environment["GITHUB_TOKEN"]

    def get(self, path: str, **query: str | int) -> Json:
        """Return what the API says at a path below the repository's; None for 404."""
        return self._json("GET", f"{path}?{urlencode(query)}" if query else path)

    def send(self, method: str, path: str, body: Mapping[str, str]) -> Json:
        """Send a body to a path below the repository's, and return the answer."""
        return self._json(method, path, json.dumps(body).encode())

    def archive(self, path: str) -> bytes:
        """Return a file of bounded size. Raises: RefusedError for a larger one."""
        with self._open("GET", path, None) as answer:
            content: bytes = answer.read(LARGEST_ARCHIVE + 1)
        if len(content) > LARGEST_ARCHIVE:
            raise RefusedError(f"The plan's archive is larger than {LARGEST_ARCHIVE} bytes.")
        return content

    def pages(self, path: str, **query: str | int) -> Iterator[Json]:
        """Yield the entries of a list, of 50 pages at the most."""
        for page in range(1, 51):
            entries = self.get(path, per_page=100, page=page, **query)
            yield from entries or ()
            if not entries or len(entries) < 100:
                return

    def _json(self, method: str, path: str, body: bytes | None = None) -> Json:
        try:
            with self._open(method, path, body) as answer:
                return json.loads(answer.read(LARGEST_ANSWER) or b"null")
        except HTTPError as error:
            with error:
                if error.code == 404 and method == "GET":
                    return None
                raise

    def _open(self, method: str, path: str, body: bytes | None) -> Any:
        url = f"{self._base}/repos/{self.repository}/{path}"
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        request = Request(url, body, headers, method=method)  # noqa: S310 - GitHub's own address
        # Not sent on where GitHub redirects to, which for archives is the store that holds them.
        request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        return urlopen(request, timeout=_PATIENCE)  # noqa: S310 - as above


def pull_request_of(forge: Forge, run: Json) -> Json | None:
    """Return the open pull request that the run was for; None where that is not certain."""
    head = run["head_repository"] or {}
    owner = (head.get("owner") or {}).get("login", "")
    query = {"state": "all", "head": f"{owner}:{run['head_branch']}"}
    found = [
        request
        for request in forge.pages("pulls", **query)
        if request["head"]["sha"] == run["head_sha"]
        and (request["head"]["repo"] or {}).get("id") == head.get("id")
        and request["head"]["ref"] == run["head_branch"]
    ]
    still = [request for request in found if request["state"] == "open"]
    # A run does not say which branch its pull request was for: of two, even if one is closed by
    # now, the other may be for a branch with a plan.yml of somebody's own.
    bases = {request["base"]["ref"] for request in found}
    return still[0] if len(still) == 1 and len(bases) == 1 else None


def check_workflow(forge: Forge, run: Json, request: Json) -> None:
    """Raise RefusedError where the pull request changes how its plan is made."""
    base, head = request["base"]["sha"], run["head_sha"]
    compared = forge.get(f"compare/{quote(base)}...{quote(head)}", per_page=1)
    fork = ((compared or {}).get("merge_base_commit") or {}).get("sha")
    if fork is None or _blob(forge, fork) is None or _blob(forge, fork) != _blob(forge, head):
        raise RefusedError(
            f"This pull request changes `{WORKFLOW}`. What its plan says is then its author's to"
            " decide, so it is not repeated here. Review that change first, and by itself."
        )


def _blob(forge: Forge, commit: str) -> str | None:
    entry = forge.get(f"contents/{WORKFLOW}", ref=commit)
    is_file = isinstance(entry, dict) and entry.get("type") == "file"
    return str(entry["sha"]) if is_file else None


def plan_of(forge: Forge, run: Json) -> str:
    """Return the text of a run's plan. Raises: RefusedError where there is none to be read."""
    listed = forge.get(f"actions/runs/{run['id']}/artifacts", name=ARTIFACT) or {}
    kept = [item for item in listed.get("artifacts", ()) if not item["expired"]]
    if not kept:
        raise RefusedError("`gitca plan` made no plan.")
    newest = max(kept, key=lambda item: item["id"])
    if newest["size_in_bytes"] > LARGEST_ARCHIVE:
        raise RefusedError(f"The plan's archive is larger than {LARGEST_ARCHIVE} bytes.")
    return text_of(forge.archive(f"actions/artifacts/{newest['id']}/zip"))


def text_of(archive: bytes) -> str:
    """Return the text of the one file that counts. Raises: RefusedError."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            found = opened.getinfo(MEMBER)
            if found.compress_type not in _METHODS:
                raise RefusedError("The plan's archive is neither stored nor deflated.")
            with opened.open(found) as member:
                content = member.read(LARGEST_PLAN + 1)
    except _UNREADABLE as error:
        raise RefusedError("`gitca plan` made no plan that could be read.") from error
    if len(content) > LARGEST_PLAN:
        raise RefusedError(f"The plan is larger than {LARGEST_PLAN} bytes.")
    text = content.decode("utf-8", "replace")
    if not text.startswith(MARK):
        raise RefusedError("The plan is not one that `gitca plan` writes.")
    return text


def comment_text(plan: str, run: Json, forge: Forge) -> str:
    """Return the comment: the plan, as much of it as fits, and which run made it."""
    link = f"{forge.server}/{forge.repository}/actions/runs/{int(run['id'])}"
    foot = f"\n\n<sub>Commit {run['head_sha'][:12]}, [run {int(run['id'])}]({link})</sub>\n"
    room = LONGEST_COMMENT - len(foot) - 100
    if len(plan) > room:
        kept = plan[:room].rpartition("\n")[0]
        plan = f"{kept}\n\n…\n\nThe rest does not fit here: it is in the run's summary."
    return plan.rstrip("\n") + foot


def put(forge: Forge, number: int, text: str) -> str:
    """Write the comment, in the place of the last one, and return its address."""
    for comment in forge.pages(f"issues/{number}/comments"):
        author = comment["user"] or {}
        is_ours = author.get("login") == AUTHOR and author.get("type") == "Bot"
        if is_ours and (comment["body"] or "").startswith(MARK):
            path = f"issues/comments/{int(comment['id'])}"
            return str(forge.send("PATCH", path, {"body": text})["html_url"])
    return str(forge.send("POST", f"issues/{number}/comments", {"body": text})["html_url"])


def main(environment: Mapping[str, str]) -> str:
    """Comment, and return what was done in words."""
    forge = Forge(environment)
    run = forge.get(f"actions/runs/{int(environment['RUN_ID'])}")
    if run is None or run["event"] != "pull_request" or run["path"].partition("@")[0] != WORKFLOW:
        return (
            f"run {environment['RUN_ID']} is none of {WORKFLOW} for a pull request: nothing to say"
        )
    request = pull_request_of(forge, run)
    if request is None:
        return f"no one open pull request is at commit {run['head_sha'][:12]}: nothing to say"
    try:
        check_workflow(forge, run, request)
        plan = plan_of(forge, run)
    except RefusedError as error:
        plan = f"{MARK}\n### gitca plan\n\n{error}"
    return put(forge, int(request["number"]), comment_text(plan, run, forge))


def told(failure: Exception) -> str:
    """Return what a failure is. No address is told: that of an archive is a key to it."""
    if isinstance(failure, HTTPError):
        return str(failure.code)
    return str(failure) if isinstance(failure, URLError) else type(failure).__name__


if __name__ == "__main__":
    try:
        done = main(os.environ)
    # ValueError: what answers is not JSON.
    except (OSError, HTTPException, ValueError) as failure:
        sys.exit(f"GitHub's API does not answer as it should: {told(failure)}")
    sys.stdout.write(f"{done}\n")
