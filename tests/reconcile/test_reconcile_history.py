"""What people do to the branch's history: merges, and commits that take the ledger back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ca_documents import request
from ca_signers import failing_after
from ca_world import Clone, git
from gitca.errors import BackendUnavailableError, ContradictionError
from gitca.git.growth import check_growth
from gitca.git.lineage import Past
from gitca.ledger.segment import render_segment

API = {"requests/payments/api.yaml": request("api", "api.example.internal")}
WEB = {"requests/web.yaml": request("web", "web.example.internal")}


def commit_file(clone: Clone, path: str, text: str, date: str = "") -> None:
    """Commit one file on the branch that is checked out, with a date of its own."""
    (clone.folder / path).parent.mkdir(exist_ok=True)
    (clone.folder / path).write_text(text)
    git(clone.folder, "add", path)
    before = dict(os.environ)
    if date:
        os.environ |= {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    try:
        git(clone.folder, "commit", "-q", "-m", "change")
    finally:
        os.environ.clear()
        os.environ.update(before)


def feature(clone: Clone, *, date: str = "") -> None:
    """Begin a branch with one request, where main is two gitca commits older."""
    git(clone.folder, "switch", "-q", "-c", "feature", "main")
    commit_file(clone, "requests/web.yaml", WEB["requests/web.yaml"], date)
    git(clone.folder, "switch", "-q", "main")


@pytest.mark.parametrize("date", ["", "2001-01-01T00:00:00Z", "2037-01-01T00:00:00Z"])
@pytest.mark.parametrize("how", ["merge", "fast-forward over a merge", "rebase"])
def test_a_merge_of_an_older_branch_takes_nothing_back(made: Clone, how: str, date: str) -> None:
    feature(made, date=date)
    made.save(API)
    assert made.reconcile().exit_code == 0
    folder = made.folder
    if how == "merge":
        git(folder, "merge", "-q", "--no-ff", "-m", "merge", "feature")
    elif how == "rebase":
        git(folder, "rebase", "-q", "main", "feature")
        git(folder, "switch", "-q", "main")
        git(folder, "merge", "-q", "--ff-only", "feature")
    else:
        git(folder, "switch", "-q", "feature")
        git(folder, "merge", "-q", "-m", "main into feature", "main")
        git(folder, "switch", "-q", "main")
        git(folder, "merge", "-q", "--ff-only", "feature")
    assert made.reconcile().exit_code == 0
    assert made.openssl_verify("web") == "OK"
    assert made.openssl_verify("payments/api") == "OK"
    assert made.verify().contradictions == []


def revert(clone: Clone) -> None:
    git(clone.folder, "revert", "--no-edit", "HEAD")


def revert_two(clone: Clone) -> None:
    git(clone.folder, "revert", "--no-edit", "--no-commit", "HEAD~1..HEAD")
    git(clone.folder, "commit", "-q", "-m", "out with it")


def merge_with_the_wrong_side(clone: Clone) -> None:
    git(clone.folder, "switch", "-q", "feature")
    git(clone.folder, "merge", "-q", "-s", "ours", "-m", "mine wins", "main")
    git(clone.folder, "switch", "-q", "main")
    git(clone.folder, "merge", "-q", "--ff-only", "feature")


def remove_the_last_segment(clone: Clone) -> None:
    git(clone.folder, "rm", "-q", clone.paths("issued/ledger")[-1])
    git(clone.folder, "commit", "-q", "-m", "out with it")


def rewrite_the_last_segment(clone: Clone) -> None:
    last = clone.folder / clone.paths("issued/ledger")[-1]
    lines = last.read_bytes().splitlines(keepends=True)
    last.write_bytes(b"".join(lines[:-1]))
    git(clone.folder, "commit", "-q", "-a", "-m", "out with it")


def commit_from_an_old_index(clone: Clone) -> None:
    """What happens when files were left behind the branch, and somebody commits everything."""
    git(clone.folder, "read-tree", "-m", "-u", "HEAD", "HEAD~2")
    commit_file(clone, "README.md", "hello\n")


@pytest.mark.parametrize(
    "take_back",
    [
        revert,
        revert_two,
        merge_with_the_wrong_side,
        remove_the_last_segment,
        rewrite_the_last_segment,
        commit_from_an_old_index,
    ],
    ids=lambda function: function.__name__,
)
def test_a_commit_that_takes_the_ledgers_end_back_is_a_contradiction(
    made: Clone, take_back: Callable[[Clone], None]
) -> None:
    """The chain of what is left is whole: the history alone tells that a certificate is missing."""
    feature(made)
    made.save(API)
    assert made.reconcile().exit_code == 0
    good = made.tip
    take_back(made)
    bad = made.tip
    with pytest.raises(ContradictionError, match=r"issued/ledger/0000000\d\.jsonl: ") as refusal:
        made.reconcile()
    assert refusal.value.exit_code == 5
    assert made.tip == bad
    assert made.verify().exit_code == 5
    git(made.folder, "restore", f"--source={good}", "--staged", "--worktree", "issued")
    git(made.folder, "commit", "-q", "-m", "restore what gitca wrote")
    assert made.reconcile().exit_code == 0, "the remedy that the message gives"
    assert made.verify().contradictions == []
    assert made.openssl_verify("payments/api") == "OK"


def another_end(clone: Clone, date: str) -> None:
    """Commit, on a branch from before the last two commits of main, a segment of one's own."""
    path = clone.paths("issued/ledger")[-2]
    git(clone.folder, "switch", "-q", "-c", "other", "main~2")
    head = clone.snapshot(git(clone.folder, "rev-parse", "main~2")).state.head
    made, data = render_segment(head, ())
    assert made == path
    commit_file(clone, path, data.decode(), date)
    git(clone.folder, "switch", "-q", "main")


@pytest.mark.parametrize("date", ["2001-01-01T00:00:00Z", "2037-01-01T00:00:00Z"])
@pytest.mark.parametrize("known", [False, True], ids=["fresh", "checked before"])
def test_a_merge_that_takes_another_end_of_the_ledger_is_a_contradiction(
    made: Clone, date: str, known: bool
) -> None:
    """Each branch went on from the same segment; the merge kept the one that no gitca wrote."""
    made.save(API)
    assert made.reconcile().exit_code == 0
    if known:
        assert made.reconcile().exit_code == 0
    else:
        git(made.folder, "update-ref", "-d", "refs/gitca/checked/main")
    another_end(made, date)
    git(made.folder, "switch", "-q", "other")
    git(made.folder, "merge", "-q", "-s", "ours", "-m", "mine wins", "main")
    git(made.folder, "switch", "-q", "main")
    git(made.folder, "merge", "-q", "--ff-only", "other")
    with pytest.raises(ContradictionError, match=r"issued/ledger/0000000\d\.jsonl: ") as refusal:
        made.reconcile()
    assert refusal.value.exit_code == 5
    assert made.verify().exit_code == 5


def test_a_history_is_read_without_listing_the_ledger_in_each_commit(made: Clone) -> None:
    """Else what a fresh clone costs grows with the square of the segments' number."""
    made.save(API)
    assert made.reconcile().exit_code == 0
    listed: list[str] = []
    changes_of = Past.changes_of

    def watching(past: Past, commits: Sequence[str], below: str = "") -> Iterator[object]:
        listed.extend(commits)
        return changes_of(past, commits, below)

    before = git(made.folder, "log", "--format=%H", "--diff-filter=A", "--", "issued/ledger")
    assert len(before.split()) > 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Past, "changes_of", watching)
        with made.store() as store:
            segments = {
                entry.path: entry.blob for entry in store.entries(made.tip, "issued/ledger")
            }
            check_growth(store.repository, made.tip, segments)
    assert not set(before.split()) & set(listed)


def shallow(clone: Clone, depth: int) -> Clone:
    """Return a clone as CI makes it."""
    folder = clone.folder.parent / "shallow"
    url = Path(clone.origin).as_uri()
    git(folder.parent, "clone", "-q", "--depth", str(depth), url, str(folder))
    return replace(clone, folder=folder)


def test_a_shallow_clone_issues(shared: Clone) -> None:
    shared.save(API)
    ci = shallow(shared, 1)
    assert ci.reconcile().exit_code == 0
    assert ci.openssl_verify("payments/api") == "OK"
    assert ci.reconcile().signed == []
    report = ci.verify()
    assert report.contradictions == []
    assert report.unchecked


def test_a_shallow_clone_that_cannot_see_an_orders_documents_says_so(shared: Clone) -> None:
    shared.save(API)
    dead = failing_after(shared.keys.named("issuing"), 0)
    assert shared.reconcile(opener=shared.keys.but(issuing=dead)).exit_code == 4
    ci = shallow(shared, 1)
    with pytest.raises(BackendUnavailableError, match="shallow") as refusal:
        ci.reconcile(take_over=True)
    assert "git fetch --unshallow" in refusal.value.remedy
    git(ci.folder, "fetch", "-q", "--unshallow")
    assert ci.reconcile(take_over=True).exit_code == 0
    assert ci.openssl_verify("payments/api") == "OK"
