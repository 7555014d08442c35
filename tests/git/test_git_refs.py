"""Names of branches and revisions, and the compare-and-swap of a local branch."""

from __future__ import annotations

import subprocess
from pathlib import Path

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


def _told(path: Path, *commands: str) -> None:
    for command in commands:
        plain_git(path, *command.split())


@pytest.mark.parametrize("name", ["origin/main", "origin/main~0", "origin/main^{commit}"])
def test_a_short_name_that_a_tag_has_too_is_refused_with_the_full_names(
    workshop: Workshop, name: str
) -> None:
    path = workshop.new()
    _told(path, "update-ref refs/remotes/origin/main HEAD", "update-ref refs/remotes/origin/x HEAD")
    repository = workshop.open(path)
    assert repository.resolve(name) == plain_git(path, "rev-parse", "HEAD")
    plain_git(path, "commit", "-q", "--allow-empty", "-m", "evil")
    _told(path, "tag origin/main", "branch origin/x")
    head = plain_git(path, "rev-parse", "HEAD")
    assert plain_git(path, "rev-parse", "-q", "--verify", name) == head, "Git takes the tag"
    with pytest.raises(UsageError, match=r"refs/remotes/origin/main, refs/tags/origin/main"):
        repository.resolve(name)
    with pytest.raises(UsageError, match=r"refs/heads/origin/x, refs/remotes/origin/x"):
        repository.resolve("origin/x")
    before = plain_git(path, "rev-parse", "HEAD~1")
    assert repository.resolve("refs/remotes/origin/main") == before
    assert repository.resolve("refs/tags/origin/main") == head


def test_a_full_name_is_that_reference_and_no_other(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    for name in ("refs/remotes/origin/HEAD", "refs/heads/issued", "refs/gitca/seen/main"):
        _told(path, f"update-ref refs/tags/{name} HEAD", f"update-ref refs/heads/{name} HEAD")
        assert plain_git(path, "rev-parse", "-q", "--verify", name), "Git takes the tag"
        assert repository.resolve(name) is None
        assert repository.resolve(f"{name}~0") is None
    assert repository.local_branch("issued") is None
    plain_git(path, "update-ref", "refs/tags/HEAD", "HEAD")
    assert repository.resolve("HEAD") == plain_git(path, "rev-parse", "main")
    plain_git(path, "symbolic-ref", "HEAD", "refs/heads/unborn")
    assert repository.resolve("HEAD") is None


def test_an_id_cut_short_that_is_a_name_too_is_refused(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    head = plain_git(path, "rev-parse", "HEAD")
    plain_git(path, "commit", "-q", "--allow-empty", "-m", "evil")
    _told(path, f"tag {head[:10]}", "tag FETCH_HEAD", f"update-ref refs/tags/{head} HEAD")
    with pytest.raises(UsageError, match=f"refs/tags/{head[:10]}, .*{head}"):
        repository.resolve(head[:10])
    with pytest.raises(UsageError, match="ambiguous"):
        repository.resolve("FETCH_HEAD")
    assert repository.resolve(head) == head, "a whole id is itself"


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
    with pytest.raises(UsageError, match="no branch issued beside issued/production"):
        repository.advance("issued", head, None)  # a folder of references is in its place
    with pytest.raises(UsageError, match="no branch main/x/y beside main"):
        repository.advance("main/x/y", head, None)


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
