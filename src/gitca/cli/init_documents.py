"""What `gitca init` is about to write, held against the documents' own rules."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gitca.documents.load import REPOSITORY_PATH
from gitca.documents.parse import parse_document
from gitca.documents.source import parse_source
from gitca.errors import UsageError
from gitca.findings import Finding, Location

# Which option fills in a line of ca/repository.yaml, by its key.
_OPTIONS = {
    "issuedBranch": "--issued-branch",
    "to": "--publish",
    "publish": "--publish",
    "url": "--domain",
    "email": "--domain",
}
_KEY = re.compile(r"[ -]*(\w+):")


def check_repository(files: Mapping[str, bytes]) -> None:
    """Raise UsageError, naming the option, where ca/repository.yaml would have a finding.

    `files` is the content of each file by its path.
    """
    content = files[REPOSITORY_PATH]
    source, findings = parse_source(REPOSITORY_PATH, content)
    if source is not None and not findings:
        kinds = ("Repository",)
        _, findings = parse_document(source, name="repository", kinds=kinds)
    if findings:
        raise UsageError(_told(findings[0], content), remedy=findings[0].remedy)


def _told(finding: Finding, content: bytes) -> str:
    option = _option(content, finding.location)
    return f"{option}: {finding.message}" if option else f"{finding.location}: {finding.message}"


def _option(content: bytes, place: Location) -> str | None:
    line = content.decode().splitlines()[place.line - 1]
    found = _KEY.match(line)
    return _OPTIONS.get(found[1]) if found else None
