"""Opening a clone: from where, what is refused, and in which words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from git_workshop import Workshop, add, plain_git

from gitca.errors import UsageError
from gitca.git.repository import GitRepository


def test_a_clone_opens_from_its_top_and_from_any_folder_in_it(workshop: Workshop) -> None:
    path = workshop.new()
    for start in (path, path / "issued", path / "issued" / ".." / "issued"):
        repository = workshop.open(start)
        assert (repository.root, repository.git_dir) == (path, path / ".git")
        assert not repository.is_bare
        assert [entry.path for entry in repository.tree(repository.resolve("HEAD") or "")] == [
            "README", "issued/a",
        ]  # fmt: skip


def test_a_relative_folder_opens_too(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workshop.new()
    monkeypatch.chdir(path)
    assert workshop.open(Path()).root == path
    monkeypatch.chdir(path / "issued")
    assert workshop.open(Path("..")).root == path


def test_a_linked_working_tree_has_its_own_root_and_git_directory(workshop: Workshop) -> None:
    path = workshop.new()
    plain_git(path, "worktree", "add", "-q", "-b", "side", "../side")
    repository = workshop.open(workshop.top / "side")
    assert repository.root == workshop.top / "side"
    assert repository.git_dir == path / ".git" / "worktrees" / "side"
    assert repository.head_branch() == "side"
    commit = add(repository, repository.resolve("HEAD"), {"x": b"x"})
    assert plain_git(path, "show", f"{commit}:x") == "x"


def test_a_bare_repository_opens_at_itself(workshop: Workshop) -> None:
    origin, _ = workshop.pair()
    repository = workshop.open(origin)
    assert repository.is_bare
    assert repository.root == origin == repository.git_dir
    assert repository.head_branch() == "main"


def test_a_repository_without_commits_opens_and_resolves_nothing(workshop: Workshop) -> None:
    repository = workshop.open(workshop.bare())
    assert repository.resolve("HEAD") is None
    assert repository.local_branch("main") is None


def test_odd_folder_names_open(workshop: Workshop) -> None:
    for name in ("with space", "-dash", "$HOME", "~", "new\nline", "ünïcode"):
        path = workshop.top / name
        plain_git(workshop.top, "init", "-q", "-b", "main", "--", name)
        assert workshop.open(path).root == path


@pytest.mark.parametrize("name", ["nowhere", "file", "empty"])
def test_what_is_no_repository_is_named_in_words(workshop: Workshop, name: str) -> None:
    (workshop.top / "file").touch()
    (workshop.top / "empty").mkdir()
    with pytest.raises(UsageError, match="is not in a Git repository"):
        GitRepository.open(workshop.top / name)


@pytest.mark.parametrize(
    "config",
    [b"[core\n", b"\xff\xfe[core]\n", b"[core]\n\tbare = perhaps\n", b"[include]\n\tpath = .\n",
     b"[core]\n\trepositoryformatversion = 9\n",
     b"[core]\n\trepositoryformatversion = 0\n\tworktree = /nowhere\n"],
)  # fmt: skip
def test_a_broken_configuration_is_an_error_in_words(workshop: Workshop, config: bytes) -> None:
    path = workshop.new()
    (path / ".git" / "config").write_bytes(config)
    with pytest.raises(UsageError):
        GitRepository.open(path)


def test_a_working_tree_that_is_elsewhere_is_found(workshop: Workshop) -> None:
    path, elsewhere = workshop.new(), workshop.top / "elsewhere"
    elsewhere.mkdir()
    plain_git(path, "config", "core.worktree", str(elsewhere))
    repository = workshop.open(path)
    assert (repository.root, repository.git_dir) == (elsewhere, path / ".git")
    assert repository.head_branch() == "main"


def test_a_broken_gitfile_is_an_error_in_words(workshop: Workshop) -> None:
    path = workshop.top / "broken"
    path.mkdir()
    for text in ("gitdir: /nowhere\n", "nonsense", "", "gitdir: .\n"):
        (path / ".git").write_text(text)
        with pytest.raises(UsageError):
            GitRepository.open(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_somebody_else_is_refused_as_git_refuses_it(workshop: Workshop) -> None:
    path = workshop.new()
    for name in (path, *path.rglob("*")):
        os.chown(name, 65534, 65534)
    with pytest.raises(UsageError, match="dubious ownership"):
        GitRepository.open(path)
    plain_git(workshop.top, "config", "--global", "safe.directory", str(path))
    workshop.open(path)


@pytest.mark.parametrize("refresh", ["raise", "quiet"])
def test_a_machine_without_git_is_told_what_to_install(workshop: Workshop, refresh: str) -> None:
    path = workshop.new()
    code = (
        "from pathlib import Path; from gitca.errors import UsageError\n"
        "from gitca.git.repository import GitRepository\n"
        f"try: GitRepository.open(Path({str(path)!r}))\n"
        "except UsageError as error: print(error)"
    )
    environment = os.environ | {"PATH": str(workshop.top), "GIT_PYTHON_REFRESH": refresh}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.stdout == "Git is not on the PATH; install Git 2.39 or newer\n"
    assert done.stderr == ""


def test_an_old_git_is_told_what_to_install(workshop: Workshop) -> None:
    path = workshop.new()
    real = shutil.which("git")
    text = f'case "$1" in version) echo git version 2.34.1;; *) exec {real} "$@";; esac'
    workshop.script(workshop.top / "bin" / "git", text)
    code = (
        "from pathlib import Path; from gitca.errors import UsageError\n"
        "from gitca.git.repository import GitRepository\n"
        f"try: GitRepository.open(Path({str(path)!r}))\n"
        "except UsageError as error: print(error)"
    )
    environment = os.environ | {"PATH": f"{workshop.top / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert "Git is 2.34.1; 2.39 or newer is needed" in done.stdout


def test_importing_the_package_does_not_import_gitpython() -> None:
    code = "import sys, gitca.git.repository; print('git' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_repository_that_vanishes_is_an_error_in_words(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    path.rename(workshop.top / "moved")
    with pytest.raises(UsageError, match="git cannot be run"):
        repository.resolve("HEAD")


def test_closing_twice_and_reading_after_it_work(workshop: Workshop) -> None:
    path = workshop.new()
    blob = plain_git(path, "rev-parse", "HEAD:README")
    repository = GitRepository.open(path)
    assert repository.read(blob) == b"readme\n"
    repository.close()
    repository.close()
    assert repository.read(blob) == b"readme\n"
    repository.close()


def test_a_working_tree_of_a_bare_repository_is_not_bare(workshop: Workshop) -> None:
    origin, _ = workshop.pair()
    plain_git(origin, "worktree", "add", "-q", "-b", "side", "../side", "main")
    repository = workshop.open(workshop.top / "side")
    assert not repository.is_bare
    assert repository.root == workshop.top / "side"
    old = repository.resolve("side")
    new = add(repository, old, {"issued/b": b"b"})
    assert repository.bring_forward("side", old, new).tree
    assert (workshop.top / "side" / "issued" / "b").read_bytes() == b"b"
    assert repository.bring_forward("main", old, new).branch
