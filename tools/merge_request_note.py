"""Put a plan into the one note of its merge request on GitLab, and keep that note up to date.

    GITCA_NOTE_TOKEN=… python3 -I tools/merge_request_note.py plan/plan.md

Run by the job `note` of .gitlab-ci.yml, within a merge request's own pipeline: whoever may change
that pipeline can read the token (docs/pipelines.md). The text is cut to what GitLab takes.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

MARK = "<!-- gitca plan -->"
LARGEST_PLAN = 1 << 20  # bytes
LONGEST_NOTE = 900_000  # characters; GitLab takes a million
_PATIENCE = 30  # seconds for an answer
_PAGES = 50

Json = Any


def call(environment: Mapping[str, str], method: str, path: str, text: str | None = None) -> Json:
    """Return what GitLab's API answers."""
    body = None if text is None else json.dumps({"body": text}).encode()
    headers = {"Content-Type": "application/json"}
    url = f"{environment['CI_API_V4_URL']}/{path}"
    request = Request(url, body, headers, method=method)  # noqa: S310 - GitLab's own address
    # Not sent on where GitLab may redirect to.
    request.add_unredirected_header("PRIVATE-TOKEN", environment["GITCA_NOTE_TOKEN"])
    with urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310 - as above
        return json.loads(answer.read())


def own_note(environment: Mapping[str, str], notes: str) -> int | None:
    """Return the number of the note that this token's user wrote before, None for none."""
    user = call(environment, "GET", "user")["id"]
    for page in range(1, _PAGES + 1):
        entries = call(environment, "GET", f"{notes}?sort=asc&per_page=100&page={page}")
        for note in entries:
            if note["author"]["id"] == user and note["body"].startswith(MARK):
                return int(note["id"])
        if len(entries) < 100:
            break
    return None


def text_of(path: Path) -> str:
    """Return the plan's text, or why there is none."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_PLAN).decode("utf-8", "replace")
    except OSError:
        # None, or what the merge request's own job has put there: a folder, for one.
        text = ""
    if not text.startswith(MARK):
        return f"{MARK}\n### gitca plan\n\n`gitca plan` made no plan."
    if len(text) <= LONGEST_NOTE:
        return text
    return (
        f"{text[:LONGEST_NOTE].rpartition(chr(10))[0]}\n\n…\n\nThe rest is in the job's artifacts."
    )


def main(path: Path, environment: Mapping[str, str]) -> str:
    """Write the note, and return what was done in words."""
    project = int(environment["CI_MERGE_REQUEST_PROJECT_ID"])
    number = int(environment["CI_MERGE_REQUEST_IID"])
    notes = f"projects/{project}/merge_requests/{number}/notes"
    own, text = own_note(environment, notes), text_of(path)
    if own is None:
        call(environment, "POST", notes, text)
        return f"wrote a note of merge request {number}"
    call(environment, "PUT", f"{notes}/{own}", text)
    return f"brought note {own} of merge request {number} up to date"


def told(failure: Exception) -> str:
    """Return what a failure is, without the address that was asked."""
    if isinstance(failure, HTTPError):
        return str(failure.code)
    return str(failure) if isinstance(failure, URLError) else type(failure).__name__


if __name__ == "__main__":
    try:
        done = main(Path(sys.argv[1]), os.environ)
    # ValueError: what answers is not JSON.
    except (OSError, HTTPException, ValueError) as failure:
        sys.exit(f"GitLab's API does not answer as it should: {told(failure)}")
    sys.stdout.write(f"{done}\n")
