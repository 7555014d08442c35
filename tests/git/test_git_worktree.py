"""The user's branch and files come forward, and nothing of theirs is ever lost."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from git_workshop import Workshop, add, plain_git

from gitca.errors import UsageError
from gitca.git.repository import GitRepository, Outcome
from gitca.git.shown import ShownBranch

IGNORE = {".gitignore": "/issued/c\n"}
DONE = Outcome(True, True)


@pytest.fixture
def path(workshop: Workshop) -> Path:
    return workshop.new()


@pytest.fixture
def repository(workshop: Workshop, path: Path) -> GitRepository:
    return workshop.open(path)


@pytest.fixture
def old(repository: GitRepository) -> str:
    return repository.resolve("main") or ""


@pytest.fixture
def new(repository: GitRepository, old: str) -> str:
    """A commit that adds, changes and deletes below issued/."""
    first = add(
        repository, old, {"issued/b": b"old b\n", "issued/gone": b"x", "issued/d/e": b"e\n"}
    )
    plain_git(repository.root, "merge", "-q", "--ff-only", first)
    return add(
        repository, first, {"issued/b": b"new b\n", "issued/gone": None, "issued/c/d": b"d\n"}
    )


def shown(path: Path) -> dict[str, str]:
    """Every file of a working tree."""
    return {
        str(file.relative_to(path)): file.read_text()
        for file in path.rglob("*")
        if file.is_file() and ".git" not in file.relative_to(path).parts
    }


FORWARD = {
    "README": "readme\n", "issued/a": "a\n", "issued/b": "new b\n", "issued/c/d": "d\n",
    "issued/d/e": "e\n",
}  # fmt: skip


def test_a_clean_tree_shows_the_new_commit(repository: GitRepository, path: Path, new: str) -> None:
    before = repository.resolve("main")
    assert repository.bring_forward("main", before, new) == DONE
    assert shown(path) == FORWARD
    assert plain_git(path, "status", "--porcelain") == ""
    assert plain_git(path, "rev-parse", "main") == new
    assert "gitca: fast-forward" in plain_git(path, "reflog", "show", "main")
    assert repository.bring_forward("main", before, new) == DONE


def test_the_tree_follows_a_branch_that_was_advanced_already(
    repository: GitRepository, path: Path, new: str
) -> None:
    before = repository.resolve("main")
    repository.advance("main", new, before)
    assert repository.bring_forward("main", before, new) == DONE
    assert shown(path) == FORWARD
    assert plain_git(path, "status", "--porcelain") == ""


def test_unrelated_changes_stay_as_they_are(
    workshop: Workshop, repository: GitRepository, path: Path, new: str
) -> None:
    workshop.write(path, {"README": "edited\n", "requests/new.yaml": "staged\n", "notes": "mine\n",
                          "issued/a": "edited too\n"})  # fmt: skip
    plain_git(path, "add", "requests/new.yaml", "issued/a")
    assert repository.bring_forward("main", None, new) == DONE
    assert shown(path) == FORWARD | {
        "README": "edited\n", "requests/new.yaml": "staged\n", "notes": "mine\n",
        "issued/a": "edited too\n",
    }  # fmt: skip
    assert plain_git(path, "status", "--porcelain").splitlines() == [
        " M README", "M  issued/a", "A  requests/new.yaml", "?? notes",
    ]  # fmt: skip


@pytest.mark.parametrize("advanced", [False, True])
@pytest.mark.parametrize(
    ("files", "stage", "words"),
    [
        ({"issued/b": "mine\n"}, False, "issued/b is modified"),
        ({"issued/b": "mine\n"}, True, "issued/b is changed in the index"),
        ({"issued/gone": "mine\n"}, False, "issued/gone is modified"),
        ({"issued/c/d": "mine\n"}, False, "issued/c/d is not tracked by Git"),
        ({"issued/c": "mine\n"}, False, "issued/c is not tracked by Git"),
        ({"issued/c/d/e": "mine\n"}, False, "issued/c/d/e is not tracked by Git"),
        (IGNORE | {"issued/c/d": "ignored\n"}, False, "issued/c/d is not tracked by Git"),
        (IGNORE | {"issued/c": "ignored\n"}, False, "issued/c is not tracked by Git"),
        (IGNORE | {"issued/c/d/e": "ignored\n"}, False, "issued/c/d/e is not tracked by Git"),
    ],
)
def test_what_is_in_the_way_is_named_and_nothing_is_touched(
    workshop: Workshop, repository: GitRepository, path: Path, new: str,
    files: dict[str, str], stage: bool, words: str, advanced: bool,
) -> None:  # fmt: skip
    before = repository.resolve("main")
    workshop.write(path, files)
    if stage:
        plain_git(path, "add", *files)
    seen, staged = shown(path), plain_git(path, "ls-files", "--stage")
    if advanced:
        repository.advance("main", new, before)
    outcome = repository.bring_forward("main", before, new)
    assert (outcome.branch, outcome.tree) == (advanced, False)
    assert words in outcome.reason
    assert shown(path) == seen
    assert plain_git(path, "ls-files", "--stage") == staged
    assert repository.resolve("main") == (new if advanced else before)


@pytest.mark.parametrize("advanced", [False, True])
def test_the_command_that_a_reason_gives_does_the_rest(
    workshop: Workshop, repository: GitRepository, path: Path, new: str, advanced: bool
) -> None:
    before = repository.resolve("main")
    workshop.write(path, {"issued/b": "mine\n"})
    if advanced:
        repository.advance("main", new, before)
    reason = repository.bring_forward("main", before, new).reason
    workshop.write(path, {"issued/b": "old b\n"})
    plain_git(path, "update-index", "--refresh")
    subprocess.run(reason.split("`")[1].split(), cwd=path, check=True, capture_output=True)
    assert shown(path) == FORWARD
    assert plain_git(path, "status", "--porcelain") == ""


def test_a_file_that_was_only_touched_is_no_change(
    repository: GitRepository, path: Path, new: str
) -> None:
    os.utime(path / "issued/b", (1, 1))
    assert repository.bring_forward("main", None, new) == DONE


def test_a_branch_with_commits_of_its_own_stays(
    repository: GitRepository, path: Path, new: str
) -> None:
    for n in range(2):
        plain_git(path, "commit", "-q", "--allow-empty", "-m", f"mine {n}")
    mine = repository.resolve("main")
    outcome = repository.bring_forward("main", mine, new)
    assert (outcome.branch, outcome.tree) == (False, False)
    assert outcome.reason.startswith(f"local branch main has 2 commits that {new[:12]} lacks")
    assert repository.resolve("main") == mine


def test_a_branch_that_is_further_already_shows_it(
    repository: GitRepository, path: Path, new: str
) -> None:
    plain_git(path, "merge", "-q", "--ff-only", new)
    plain_git(path, "commit", "-q", "--allow-empty", "-m", "mine")
    assert repository.bring_forward("main", None, new) == DONE


def test_a_branch_that_is_not_there_is_not_made(repository: GitRepository, new: str) -> None:
    outcome = repository.bring_forward("production", None, new)
    reason = "there is no local branch production"
    assert outcome == Outcome(False, False, reason, is_unseen=True)
    assert repository.local_branch("production") is None


@pytest.mark.parametrize("checkout", [["--detach"], ["-b", "feature"]])
def test_a_branch_that_is_not_checked_out_moves_alone(
    repository: GitRepository, path: Path, new: str, checkout: list[str]
) -> None:
    plain_git(path, "checkout", "-q", *checkout)
    seen = shown(path)
    outcome = repository.bring_forward("main", None, new)
    assert (outcome.branch, outcome.tree) == (True, False)
    assert "not checked out" in outcome.reason
    assert repository.resolve("main") == new
    assert shown(path) == seen
    assert plain_git(path, "status", "--porcelain") == ""


def another_tree(workshop: Workshop, path: Path) -> Path:
    """Let another working tree of the clone show main, and this one a branch `feature`."""
    plain_git(path, "checkout", "-q", "-b", "feature")
    other = workshop.top / "other tree"
    plain_git(path, "worktree", "add", "-q", str(other), "main")
    return other


def test_a_branch_in_another_working_tree_stays(
    workshop: Workshop, repository: GitRepository, path: Path, new: str
) -> None:
    other = another_tree(workshop, path)
    before = repository.resolve("main")
    outcome = repository.bring_forward("main", before, new)
    assert (outcome.branch, outcome.tree) == (False, False)
    assert f"checked out in {other}" in outcome.reason
    assert repository.resolve("main") == before
    assert plain_git(other, "status", "--porcelain") == ""
    assert workshop.open(other).bring_forward("main", before, new) == DONE
    assert shown(other) == FORWARD


def test_a_branch_in_another_working_tree_is_not_moved_behind_its_index(
    workshop: Workshop, repository: GitRepository, path: Path, new: str
) -> None:
    other = another_tree(workshop, path)
    before = repository.resolve("main")
    branch = ShownBranch(repository, "main")
    with pytest.raises(UsageError, match=f"checked out in the working tree {other}") as told:
        branch.advance(new, before)
    assert repository.resolve("main") == before
    assert repository.kept("main") is None
    assert plain_git(other, "status", "--porcelain") == ""
    plain_git(other, *shlex.split(told.value.remedy.partition(": git -C ")[2])[1:])
    branch.advance(new, before)
    assert plain_git(other, "status", "--porcelain") == ""


def test_a_branch_in_this_working_tree_and_another_one_is_not_moved_either(
    workshop: Workshop, repository: GitRepository, path: Path, new: str
) -> None:
    plain_git(path, "worktree", "add", "-q", "--force", "../other", "main")
    before = repository.resolve("main")
    with pytest.raises(UsageError, match="checked out in the working tree"):
        ShownBranch(repository, "main").advance(new, before)
    with pytest.raises(UsageError, match="checked out in the working tree"):
        ShownBranch(workshop.open(workshop.top / "other"), "main").advance(new, before)
    assert repository.resolve("main") == before


def test_a_git_folder_that_lies_elsewhere_is_no_other_working_tree(
    workshop: Workshop, repository: GitRepository, path: Path, new: str
) -> None:
    """Of a submodule, and after `init --separate-git-dir`, Git names the main tree otherwise."""
    plain_git(path, "init", "-q", "--separate-git-dir", str(workshop.top / "kept.git"))
    assert str(path) not in plain_git(path, "worktree", "list")
    apart = workshop.open(path)
    before = apart.resolve("main")
    branch = ShownBranch(apart, "main")
    branch.advance(new, before)
    assert branch.show(new) == DONE
    assert shown(path) == FORWARD
    assert plain_git(path, "status", "--porcelain") == ""


def test_who_left_the_branch_and_came_back_has_the_files_of_its_tip(
    repository: GitRepository, path: Path, new: str
) -> None:
    """A file that changed both before he came back and after would stand in the way otherwise."""
    before = repository.resolve("main") or ""
    last = add(repository, new, {"issued/b": b"newest b\n"})
    plain_git(path, "checkout", "-q", "-b", "feature")
    ShownBranch(repository, "main").advance(new, before)
    plain_git(path, "checkout", "-q", "main")
    branch = ShownBranch(repository, "main")
    branch.advance(last, new)
    assert branch.show(last) == DONE
    assert shown(path) == FORWARD | {"issued/b": "newest b\n"}
    assert plain_git(path, "status", "--porcelain") == ""
    assert repository.kept("main") is None


def test_a_working_tree_that_was_removed_holds_nothing(
    workshop: Workshop, repository: GitRepository, path: Path, new: str
) -> None:
    plain_git(path, "checkout", "-q", "-b", "feature")
    plain_git(path, "worktree", "add", "-q", "../other", "main")
    (workshop.top / "other").rename(workshop.top / "moved away")
    assert repository.bring_forward("main", None, new).branch


def test_a_bare_repository_moves_its_branch(workshop: Workshop, path: Path, new: str) -> None:
    bare = workshop.top / "bare.git"
    plain_git(workshop.top, "clone", "-q", "--bare", str(path), str(bare))
    plain_git(path, "push", "-q", str(bare), f"{new}:refs/heads/tip")
    repository = workshop.open(bare)
    assert repository.is_bare
    outcome = repository.bring_forward("main", None, new)
    assert (outcome.branch, outcome.tree) == (True, False)
    assert repository.resolve("main") == new


def test_a_lock_on_the_index_is_said_and_waited_for_by_nobody(
    repository: GitRepository, path: Path, new: str
) -> None:
    (path / ".git" / "index.lock").touch()
    before = repository.resolve("main")
    outcome = repository.bring_forward("main", before, new)
    assert (outcome.branch, outcome.tree) == (False, False)
    assert "another Git process holds the index" in outcome.reason
    assert repository.resolve("main") == before
    (path / ".git" / "index.lock").unlink()
    assert repository.bring_forward("main", before, new) == DONE


def test_a_lock_on_the_branch_leaves_the_new_files_staged_for_the_next_run(
    repository: GitRepository, path: Path, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitca.git.process.SETTINGS", [])  # or Git waits for 5 s
    lock = path / ".git" / "refs" / "heads" / "main.lock"
    lock.touch()
    outcome = repository.bring_forward("main", None, new)
    assert (outcome.branch, outcome.tree) == (False, True)
    assert "main.lock" in outcome.reason
    lock.unlink()
    assert repository.bring_forward("main", None, new) == DONE
    assert plain_git(path, "status", "--porcelain") == ""


def test_a_branch_that_is_being_rebased_stays(
    workshop: Workshop, repository: GitRepository, path: Path, new: str
) -> None:
    before = repository.resolve("main") or ""
    plain_git(path, "checkout", "-q", "-b", "other", "main~1")
    workshop.write(path, {"issued/b": "conflict\n"})
    plain_git(path, "add", "-A")
    plain_git(path, "commit", "-q", "-m", "conflict")
    plain_git(path, "checkout", "-q", "main")
    plain_git(path, "rebase", "-q", "other", check=False)
    outcome = repository.bring_forward("main", before, new)
    assert outcome == Outcome(False, False, "a rebase of branch main is under way")
    plain_git(path, "rebase", "--abort")
    assert repository.bring_forward("main", before, new) == DONE


def test_a_merge_with_conflicts_stays(
    workshop: Workshop, repository: GitRepository, path: Path, new: str
) -> None:
    before = repository.resolve("main") or ""
    plain_git(path, "checkout", "-q", "-b", "other", "main~1")
    workshop.write(path, {"issued/b": "conflict\n"})
    plain_git(path, "add", "-A")
    plain_git(path, "commit", "-q", "-m", "conflict")
    plain_git(path, "checkout", "-q", "main")
    plain_git(path, "merge", "-q", "other", check=False)
    seen = shown(path)
    outcome = repository.bring_forward("main", before, new)
    assert (outcome.branch, outcome.tree) == (False, False)
    assert outcome.reason
    assert shown(path) == seen


def test_a_sparse_checkout_stays_sparse(
    workshop: Workshop, repository: GitRepository, path: Path, new: str
) -> None:
    plain_git(path, "sparse-checkout", "set", "--no-cone", "/*", "!/issued/")
    assert repository.bring_forward("main", None, new) == DONE
    assert shown(path) == {"README": "readme\n"}
    assert plain_git(path, "status", "--porcelain") == ""


def test_a_path_that_is_not_utf8_comes_forward(
    repository: GitRepository, path: Path, old: str
) -> None:
    new = add(repository, old, {"issued/\udcff.pem": b"x"})
    assert repository.bring_forward("main", old, new) == DONE
    assert (path / "issued" / os.fsdecode(b"\xff.pem")).read_bytes() == b"x"
    (path / "issued" / os.fsdecode(b"\xff.pem")).write_bytes(b"z")
    newer = add(repository, new, {"issued/\udcff.pem": b"y"})
    reason = repository.bring_forward("main", new, newer).reason
    assert reason.startswith("issued/�.pem is modified")


def test_a_tree_that_points_out_of_the_repository_writes_nothing(
    workshop: Workshop, repository: GitRepository, path: Path, old: str
) -> None:
    blob = plain_git(path, "hash-object", "-w", "--stdin", stdin=b"evil")
    hooks = plain_git(path, "mktree", stdin=f"100644 blob {blob}\tpre-commit\n".encode())
    tree = plain_git(path, "mktree", stdin=f"040000 tree {hooks}\t.git\n".encode())
    evil = plain_git(path, "commit-tree", "-p", old, "-m", "evil", tree)
    outcome = repository.bring_forward("main", old, evil)
    assert not outcome.tree
    assert not outcome.branch
    assert not (path / ".git" / "pre-commit").exists()


def test_a_tree_behind_a_symlink_of_the_users_is_not_written_through(
    workshop: Workshop, repository: GitRepository, path: Path, new: str
) -> None:
    outside = workshop.top / "outside"
    outside.mkdir()
    (path / "issued" / "c").symlink_to(outside)
    outcome = repository.bring_forward("main", None, new)
    assert not outcome.tree
    assert list(outside.iterdir()) == []


def test_a_file_in_place_of_a_folder_and_the_reverse_come_forward(
    repository: GitRepository, path: Path, old: str
) -> None:
    second = add(repository, old, {"issued/x": b"file\n", "issued/y/z": b"below\n"})
    assert repository.bring_forward("main", old, second) == DONE
    plain_git(path, "checkout", "-q", "-b", "swapped")
    plain_git(path, "rm", "-q", "-r", "issued/x", "issued/y")
    (path / "issued/x").mkdir()
    (path / "issued/x/w").write_text("below\n")
    (path / "issued/y").write_text("file\n")
    plain_git(path, "add", "-A")
    plain_git(path, "commit", "-q", "-m", "swap")
    plain_git(path, "checkout", "-q", "main")
    third = repository.resolve("swapped") or ""
    (path / "issued/y/mine").write_text("mine\n")
    assert "issued/y/mine is not tracked" in repository.bring_forward("main", second, third).reason
    (path / "issued/y/mine").unlink()
    assert repository.bring_forward("main", second, third) == DONE
    assert plain_git(path, "status", "--porcelain") == ""
