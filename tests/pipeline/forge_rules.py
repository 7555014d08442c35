"""What a merge needs: the rule set that `gitca init` writes for the branch, and CODEOWNERS.

GitHub Docs, "Available rules for rulesets" and "About code owners".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_APP = "APP_ID"  # stands in the file for the number of the app that may pass


class MergeRefusedError(Exception):
    """The rules of the branch do not let a pull request be merged."""


@dataclass(frozen=True)
class Rules:
    """The rules of a branch, and the text of CODEOWNERS on it."""

    review: Mapping[str, Any]
    checks: tuple[str, ...]

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Rules:
        """Take a rule set as the API does; every rule of it has to be known here."""
        kinds = {rule["type"]: rule.get("parameters", {}) for rule in written["rules"]}
        wanted = {"deletion", "non_fast_forward", "pull_request", "required_status_checks"}
        assert set(kinds) == wanted, sorted(kinds)
        assert written["enforcement"] == "active"
        checks = kinds["required_status_checks"]["required_status_checks"]
        return cls(kinds["pull_request"], tuple(check["context"] for check in checks))

    def refusals(
        self,
        changed: tuple[str, ...],
        codeowners: str,
        approvals: Mapping[str, set[str]],
        passed: set[str],
    ) -> Iterator[str]:
        """Yield why a change may not be merged; `approvals` are teams of each who approved."""
        for check in self.checks:
            if check not in passed:
                yield f"the check {check} has not passed"
        if len(approvals) < self.review["required_approving_review_count"]:
            yield "a review is missing"
        if not self.review["require_code_owner_review"]:
            return
        teams = set().union(*approvals.values())
        for path in changed:
            owners = owners_of(path, codeowners)
            if owners and not owners & teams:
                yield f"{path}: no review of {', '.join(sorted(owners))}"


def protection(written: Mapping[str, Any], app: str) -> tuple[str, tuple[str, ...]]:
    """Return the branch of a rule set, and who may pass it."""
    assert written["enforcement"] == "active"
    assert {"deletion", "non_fast_forward"} < {rule["type"] for rule in written["rules"]}
    [ref] = written["conditions"]["ref_name"]["include"]
    actors = [actor["actor_id"] for actor in written["bypass_actors"]]
    assert actors in ([], [_APP])
    return ref.removeprefix("refs/heads/"), (app,) if actors else ()


def owners_of(path: str, codeowners: str) -> set[str]:
    """Return who owns a path: the last line that matches it says."""
    found: set[str] = set()
    for line in codeowners.splitlines():
        pattern, *owners = line.partition("#")[0].split() or [""]
        if pattern and _fits(path, pattern):
            found = set(owners)
    return found


def _fits(path: str, pattern: str) -> bool:
    if pattern == "*":
        return True
    assert re.fullmatch(r"/[\w./-]+", pattern), f"a pattern that is not known here: {pattern}"
    return f"/{path}".startswith(pattern) if pattern.endswith("/") else f"/{path}" == pattern
