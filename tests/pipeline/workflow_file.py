"""A workflow file, read as GitHub reads it; what is not known here is refused.

GitHub Docs, "Workflow syntax for GitHub Actions". Every scalar stays text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from pipeline.expressions import UnknownSyntaxError

_WORKFLOW = {"name", "run-name", "on", "permissions", "concurrency", "env", "defaults", "jobs"}
_JOB = {
    *("name", "runs-on", "if", "needs", "permissions", "environment", "concurrency", "env"),
    *("timeout-minutes", "outputs", "steps", "defaults"),
}
_STEP = {
    *("name", "id", "if", "uses", "with", "run", "shell", "env", "working-directory"),
    *("continue-on-error", "timeout-minutes"),
}
_FILTERS = {
    "pull_request": {"branches", "paths", "paths-ignore", "types"},
    "push": {"branches", "paths", "paths-ignore", "tags"},
    "workflow_run": {"workflows", "types", "branches"},
    "schedule": {"cron"},
    "workflow_dispatch": {"inputs"},
    "merge_group": {"types", "branches"},
}
_USUAL_TYPES = {
    "pull_request": ["opened", "synchronize", "reopened"],
    "workflow_run": ["requested", "completed"],
}
# "Permissions for the GITHUB_TOKEN": the keys of `permissions:`.
SCOPES = {
    *("actions", "attestations", "checks", "contents", "deployments", "discussions", "id-token"),
    *("issues", "packages", "pages", "pull-requests", "security-events", "statuses"),
}


@dataclass(frozen=True)
class Event:
    """Something that happened in the forge."""

    name: str
    ref: str  # refs/heads/main, refs/pull/1/merge
    sha: str
    payload: Mapping[str, Any]
    actor: str
    branch: str = ""  # what `branches:` speaks of: the target of a pull request, else the branch
    changed: tuple[str, ...] = ()  # paths, for `paths-ignore:`
    from_fork: bool = False


@dataclass(frozen=True)
class Workflow:
    """A workflow file of one commit."""

    path: str
    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.content.get("name") or self.path)

    @property
    def jobs(self) -> Mapping[str, Mapping[str, Any]]:
        jobs: Mapping[str, Mapping[str, Any]] = self.content["jobs"]
        return jobs

    def starts_on(self, event: Event) -> bool:
        """Say whether the event starts this workflow."""
        return any(
            name == event.name and _passes(event, filters or {})
            for name, filters in _triggers(self.content["on"]).items()
        )


def parse(path: str, text: str) -> Workflow:
    """Return a workflow. Raises: UnknownSyntaxError."""
    content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  (text alone, no objects)
    _check(content, _WORKFLOW, path)
    for name, filters in _triggers(content["on"]).items():
        for each in filters if isinstance(filters, list) else [filters or {}]:
            _check(each, _FILTERS.get(name, set()), f"{path}: on.{name}")
    check_permissions(content.get("permissions"))
    for name, job in content["jobs"].items():
        _check(job, _JOB, f"{path}: {name}")
        check_permissions(job.get("permissions"))
        for step in job["steps"]:
            check_step(step, f"{path}: {name}")
    return Workflow(path, content)


def check_step(step: Mapping[str, Any], where: str) -> None:
    """Refuse a step with an unknown key, or one that does nothing or two things."""
    _check(step, _STEP, where)
    if ("run" in step) == ("uses" in step):
        raise UnknownSyntaxError(f"{where}: a step has either run or uses: {step}")


def check_permissions(permissions: object) -> None:
    """Refuse anything but a mapping of known scopes; `read-all` and `write-all` say too much."""
    if permissions is None or permissions == "":
        return
    if not isinstance(permissions, Mapping) or not set(permissions) <= SCOPES:
        raise UnknownSyntaxError(f"permissions: {permissions!r}")
    if not set(permissions.values()) <= {"read", "write", "none"}:
        raise UnknownSyntaxError(f"permissions: {permissions!r}")


def _check(mapping: object, known: set[str], where: str) -> None:
    if not isinstance(mapping, Mapping):
        raise UnknownSyntaxError(f"{where}: {mapping!r} is no mapping")
    unknown = set(mapping) - known
    if unknown:
        raise UnknownSyntaxError(f"{where}: unknown keys {sorted(unknown)}")


def _triggers(written: object) -> Mapping[str, Any]:
    if isinstance(written, str):
        return {written: {}}
    if isinstance(written, Sequence):
        return {str(name): {} for name in written}
    if isinstance(written, Mapping):
        unknown = set(written) - set(_FILTERS)
        if unknown:
            raise UnknownSyntaxError(f"triggers {sorted(unknown)}")
        return written
    raise UnknownSyntaxError(f"on: {written!r}")


def _passes(event: Event, filters: Mapping[str, Any] | list[Any]) -> bool:
    if not isinstance(filters, Mapping):  # schedule: a list of times
        return True
    types = filters.get("types", _USUAL_TYPES.get(event.name))
    action = event.payload.get("action")
    if types is not None and action not in ([types] if isinstance(types, str) else types):
        return False
    if "workflows" in filters and event.payload["workflow"]["name"] not in filters["workflows"]:
        return False
    if "tags" in filters and "branches" not in filters:
        raise UnknownSyntaxError("a push of tags")
    if "branches" in filters and not matches(event.branch, filters["branches"]):
        return False
    return _paths_pass(event.changed, filters)


def _paths_pass(changed: tuple[str, ...], filters: Mapping[str, Any]) -> bool:
    """Say whether the changed paths let a workflow start; where none is known, they do."""
    if not changed:
        return True
    if "paths-ignore" in filters:
        return not all(matches(path, filters["paths-ignore"]) for path in changed)
    if "paths" in filters:
        return any(matches(path, filters["paths"]) for path in changed)
    return True


def matches(text: str, patterns: Sequence[str]) -> bool:
    """Say whether a branch or path matches; the last pattern that matches decides."""
    found = False
    for pattern in patterns:
        if re.search(r"[+?\[\]]", pattern):
            raise UnknownSyntaxError(f"the pattern {pattern!r}")
        regex = _regex(pattern.removeprefix("!"))
        if re.fullmatch(regex, text):
            found = not pattern.startswith("!")
    return found


def _regex(pattern: str) -> str:
    """Return a filter pattern as a regular expression: `*` stops at a slash, `**` does not."""
    parts = re.split(r"(\*\*|\*)", pattern)
    special = {"**": ".*", "*": "[^/]*"}
    return "".join(special.get(part, re.escape(part)) for part in parts)
