"""What a pull request may change: nothing of gitca's, not its own judge (DESIGN 3.6)."""

from __future__ import annotations

import pytest

from gitca.documents.load import TreeEntry
from gitca.plan.change import changed_paths, governed_by, judge_change

BASE = {
    "ca/root.yaml": "1",
    "policies/server.yaml": "2",
    "requests/api.yaml": "3",
    "issued/root/ca.pem": "4",
    "README.md": "5",
}


def tree(files: dict[str, str], mode: str = "100644") -> tuple[TreeEntry, ...]:
    return tuple(TreeEntry(path, mode, blob) for path, blob in sorted(files.items()))


def rules(after: dict[str, str]) -> list[tuple[str, str]]:
    findings = judge_change(tree(BASE), tree(after))
    assert all(finding.is_error for finding in findings)
    return [(finding.rule, finding.location.file) for finding in findings]


def without(path: str) -> dict[str, str]:
    return {key: value for key, value in BASE.items() if key != path}


@pytest.mark.parametrize(
    "after",
    [
        BASE,
        BASE | {"requests/api.yaml": "30", "requests/web.yaml": "31"},
        without("requests/api.yaml"),
        BASE | {"policies/server.yaml": "20", "ca/root.yaml": "10"},
        BASE | {"README.md": "50", "requests/api.yaml": "30"},
    ],
    ids=["nothing", "requests", "deleted request", "governing", "others"],
)
def test_requests_alone_or_policies_alone_may_change(after: dict[str, str]) -> None:
    assert rules(after) == []


@pytest.mark.parametrize(
    "after",
    [
        BASE | {"issued/root/ca.pem": "40"},
        without("issued/root/ca.pem"),
        BASE | {"issued/ledger/00000001.jsonl": "40"},
        BASE | {"issued/x": "41"},
    ],
    ids=["changed", "deleted", "ledger", "added"],
)
def test_a_change_below_issued_is_a_finding(after: dict[str, str]) -> None:
    assert {rule for rule, _ in rules(after)} == {"change.issued"}


def test_a_changed_mode_is_a_change() -> None:
    before, after = tree(BASE), tree(BASE, "120000")
    assert changed_paths(before, after) == tuple(sorted(BASE))
    assert {finding.rule for finding in judge_change(before, after)} == {
        "change.issued",
        "change.policy-with-request",
    }


@pytest.mark.parametrize(
    "governing", ["ca/root.yaml", "policies/server.yaml", "policies/new.yaml", "ca/repository.yaml"]
)
@pytest.mark.parametrize("request_change", ["requests/api.yaml", "requests/new.yaml"])
def test_policies_and_requests_in_one_change_are_a_finding(
    governing: str, request_change: str
) -> None:
    after = BASE | {governing: "x", request_change: "y"}
    assert rules(after) == [("change.policy-with-request", governing)]


def test_a_pull_requests_requests_are_judged_under_the_bases_cas_and_policies() -> None:
    head = {**BASE, "ca/root.yaml": "x", "policies/mine.yaml": "x", "requests/api.yaml": "x"}
    judged = {entry.path: entry.blob for entry in governed_by(tree(BASE), tree(head))}
    assert judged == {
        "ca/root.yaml": "1",
        "policies/server.yaml": "2",
        "requests/api.yaml": "x",
    }
