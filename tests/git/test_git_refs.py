"""Names of branches and revisions, and the compare-and-swap of a local branch."""

from __future__ import annotations

import subprocess

import pytest
from git_workshop import Workshop, add, plain_git
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gitca.errors import LostRaceError, UsageError
from gitca.git.process import GitFailedError
from gitca.git.refs import branch_ref, merge_base


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text("ab/.@{}~^:?*[\\ -\x7f\x01l", min_size=0, max_size=8))
@example("a.lock")
@example("a.lock/b")
@example("a/.b")
@example("@")
@example("HEAD")
@example("-a")
@example("a..b")
@example("a@{b")
@example("release/2026.11")
@example("ünïcode")
def test_branch_names_are_those_that_git_accepts(name: str) -> None:
    judge = subprocess.run(
        ["git", "check-ref-format", f"refs/heads/{name}"], capture_output=True, check=False
    )
    misread = name.startswith("-") or name in {"@", "HEAD"}  # as an option, as what is checked out
    try:
        accepted = branch_ref(name) == f"refs/heads/{name}"
    except UsageError:
        accepted = False
    assert accepted == (judge.returncode == 0 and not misread)


def test_revisions_resolve_to_commits_or_to_nothing(workshop: Workshop) -> None:
    path = workshop.new()
    plain_git(path, "tag", "-a", "-m", "tag", "v1")
    repository = workshop.open(path)
    head = plain_git(path, "rev-parse", "HEAD")
    for rev in ("HEAD", "main", "refs/heads/main", "v1", head, head[:10], "HEAD@{0}"):
        assert repository.resolve(rev) == head
    for rev in ("", "nowhere", "--all", "-h", "--git-dir", "HEAD:README", "HEAD^{tree}", "a\0b",
                "1" * 40, "HEAD\nHEAD", "HEAD~5", "--output=x"):  # fmt: skip
        assert repository.resolve(rev) is None


def test_head_names_its_branch_born_or_not_and_none_when_detached(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    assert repository.head_branch() == "main"
    plain_git(path, "checkout", "-q", "--detach")
    assert repository.head_branch() is None
    plain_git(path, "checkout", "-q", "--orphan", "feature/new")
    assert repository.head_branch() == "feature/new"
    assert repository.local_branch("feature/new") is None
    assert repository.local_branch("main") == repository.resolve("main")


def test_advance_moves_a_branch_and_writes_its_reflog(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    head = repository.resolve("main")
    commit = add(repository, head, {"issued/b": b"b"})
    repository.advance("main", commit, head)
    assert repository.resolve("main") == commit
    assert "gitca: advance" in plain_git(path, "reflog", "show", "main")


def test_advance_loses_where_the_branch_is_elsewhere(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    head = repository.resolve("main")
    ours = add(repository, head, {"issued/b": b"b"})
    theirs = add(repository, head, {"issued/c": b"c"})
    repository.advance("main", theirs, head)
    with pytest.raises(LostRaceError, match="another was faster"):
        repository.advance("main", ours, head)
    with pytest.raises(LostRaceError):
        repository.advance("main", ours, None)
    with pytest.raises(LostRaceError, match="is at nothing"):
        repository.advance("absent", ours, head)
    assert repository.resolve("main") == theirs


def test_advance_creates_a_branch_that_does_not_exist(workshop: Workshop) -> None:
    repository = workshop.open(workshop.new())
    head = repository.resolve("main") or ""
    repository.advance("issued/production", head, None)
    assert repository.resolve("refs/heads/issued/production") == head
    with pytest.raises(GitFailedError, match="issued/production"):
        repository.advance("issued", head, None)  # a folder of references is in its place


@pytest.mark.parametrize("branch", ["-d", "--stdin", "a b", "HEAD", "../x", "a\nb", "x" * 201])
def test_no_name_of_a_branch_becomes_an_option_or_a_path(workshop: Workshop, branch: str) -> None:
    repository = workshop.open(workshop.new())
    head = repository.resolve("main") or ""
    with pytest.raises(UsageError, match="cannot name a branch"):
        repository.advance(branch, head, None)
    with pytest.raises(UsageError):
        repository.fetch(branch)
    with pytest.raises(UsageError):
        repository.push(head, branch)
    with pytest.raises(UsageError):
        repository.bring_forward(branch, None, head)


def test_ancestry_is_gits(workshop: Workshop) -> None:
    repository = workshop.open(workshop.new())
    head = repository.resolve("main") or ""
    child = add(repository, head, {"x": b"x"})
    assert repository.is_ancestor(head, child)
    assert repository.is_ancestor(head, head)
    assert not repository.is_ancestor(child, head)
    sibling = add(repository, head, {"y": b"y"})
    stranger = add(repository, None, {"z": b"z"})
    assert merge_base(repository._git, child, sibling) == head
    assert merge_base(repository._git, child, stranger) is None
    with pytest.raises(GitFailedError):
        repository.is_ancestor("1" * 40, head)
