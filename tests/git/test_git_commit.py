"""Commits by fast-import: what is written is what was asked for, whatever the names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from git_workshop import AUTHOR, WHEN, Workshop, add, plain_git
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import git
from gitca.errors import ContradictionError, GitcaError, UsageError
from gitca.git.fast_import import Identity
from gitca.git.process import GitFailedError

ODD_PATHS = (
    "-leading-dash",
    "--force",
    "two words",
    " leading and trailing ",
    'say "hi"',
    '"',
    "back\\slash\\n",
    "line\nbreak",
    "tab\tand\rreturn",
    "Zürich/名前.pem",
    "not-utf8-\udcff\udc80.pem",
    ":(top)magic",
    "*.pem",
    "issued/payments/api.pem",
    "a/b/c/d/e/f",
)


def test_odd_path_names_make_the_round_trip(workshop: Workshop) -> None:
    repository = workshop.open(workshop.new())
    changes = {path: f"content {number}".encode() for number, path in enumerate(ODD_PATHS)}
    commit = add(repository, None, changes)
    entries = {entry.path: entry for entry in repository.tree(commit)}
    assert set(entries) == set(ODD_PATHS)
    assert {entry.mode for entry in entries.values()} == {"100644"}
    assert {path: repository.read(entry.blob) for path, entry in entries.items()} == changes


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1)
        .filter(lambda name: name not in {".", ".."})
        .map(lambda name: f"x{name}"),
        st.binary(),
        min_size=1,
    )
)
def test_any_name_and_any_bytes_make_the_round_trip(
    workshop: Workshop, changes: dict[str, bytes]
) -> None:
    path = workshop.top / "work"
    repository = workshop.open(path if path.exists() else workshop.new())
    entries = repository.tree(add(repository, None, dict(changes)))
    blobs = repository.read_many([entry.blob for entry in entries])
    assert dict(zip([entry.path for entry in entries], blobs, strict=True)) == changes
    repository.close()


def test_a_commit_changes_what_it_names_and_keeps_the_rest(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    parent = repository.resolve("HEAD")
    commit = add(repository, parent, {"issued/a": None, "issued/b": b"b\n", "README": b"new\n"})
    assert plain_git(path, "show", f"{commit}:README") == "new"
    assert [entry.path for entry in repository.tree(commit)] == ["README", "issued/b"]
    assert plain_git(path, "rev-parse", f"{commit}^") == parent
    assert plain_git(path, "fsck", "--strict", "--no-dangling") == ""


def test_gitpython_reads_author_dates_and_message_as_given(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    when = datetime(2026, 3, 1, 12, 30, 5, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    message = "Ausstellung für Zürich\n\nfrom 0000000000000000000000000000000000000000\n"
    commit = repository.commit(
        None, changes={}, message=message, author=Identity("Zoë Q", "zoe@example.org"), when=when
    )
    with git.Repo(path) as reader:
        read = reader.commit(commit)
        assert (read.author.name, read.author.email) == ("Zoë Q", "zoe@example.org")
        assert (read.committer.name, read.committer.email) == ("Zoë Q", "zoe@example.org")
        assert read.authored_datetime == when == read.committed_datetime
        assert read.authored_datetime.utcoffset() == when.utcoffset()
        assert read.message == message
        assert read.parents == ()


def test_a_subtree_is_put_by_its_id_and_changes_come_on_top(workshop: Workshop) -> None:
    repository = workshop.open(workshop.new())
    ours = add(repository, None, {"issued/x": b"x", "issued/deep/y": b"y", "README": b"ours"})
    tree = repository.tree_id(ours, "issued")
    assert tree is not None
    theirs = repository.resolve("main")
    commit = add(repository, theirs, {"issued/z": b"z"}, subtrees={"issued": tree})
    content = {entry.path: repository.read(entry.blob) for entry in repository.tree(commit)}
    assert content == {
        "README": b"readme\n", "issued/deep/y": b"y", "issued/x": b"x", "issued/z": b"z",
    }  # fmt: skip
    assert (
        repository.tree_id(add(repository, theirs, {}, subtrees={"issued": tree}), "issued") == tree
    )


def test_five_thousand_files_are_one_commit_and_leave_no_reference(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    before = plain_git(path, "for-each-ref")
    changes = {f"issued/ca/certificates/{n % 70}/{n}.pem": b"%d\n" % n * 200 for n in range(5000)}
    commit = add(repository, repository.resolve("HEAD"), dict(changes))
    entries = repository.tree(commit, "issued/ca")
    blobs = repository.read_many(entry.blob for entry in entries)
    assert dict(zip((entry.path for entry in entries), blobs, strict=True)) == changes
    assert plain_git(path, "for-each-ref") == before
    assert not (path / ".git" / "refs" / "gitca").exists()
    assert plain_git(path, "fsck", "--connectivity-only", "--no-dangling") == ""


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "a//b", "a/", "./a", "a/../../b", "..", ".git/hooks/pre-commit",
     "a/.GIT/config", "a/git~1/config", ".git::$INDEX_ALLOCATION/x",
     ".g\u200cit/config", "nul\0byte"],
)  # fmt: skip
def test_a_path_that_git_must_not_hold_is_refused(workshop: Workshop, path: str) -> None:
    repository = workshop.open(workshop.new())
    with pytest.raises(UsageError, match="cannot be the path"):
        add(repository, None, {path: b"x"})


def test_a_file_that_is_a_folder_too_is_refused(workshop: Workshop) -> None:
    repository = workshop.open(workshop.new())
    with pytest.raises(ContradictionError, match=r"'issued/api\.pem' would be a file"):
        add(repository, None, {"issued/api.pem": b"x", "issued/api.pem/y.pem": b"y"})


@pytest.mark.parametrize("path", ["issued", "issued/a/b.pem"])
def test_no_commit_loses_a_file_that_it_does_not_name(workshop: Workshop, path: str) -> None:
    repository = workshop.open(workshop.new())
    with pytest.raises(ContradictionError, match="'issued/a', which it does not name"):
        add(repository, repository.resolve("HEAD"), {path: b"x"})


def test_deleting_a_folder_by_name_is_refused(workshop: Workshop) -> None:
    repository = workshop.open(workshop.new())
    with pytest.raises(ContradictionError, match="'issued/a'"):
        add(repository, repository.resolve("HEAD"), {"issued": None})


def test_an_unknown_parent_fails_in_words_and_leaves_no_crash_report(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    with pytest.raises(GitFailedError, match="fast-import failed"):
        add(repository, "1" * 40, {f"f{n}": b"x" * 1000 for n in range(500)})
    assert [entry.name for entry in (path / ".git").iterdir() if "crash" in entry.name] == []


def test_a_linked_working_tree_keeps_no_crash_report_either(workshop: Workshop) -> None:
    path = workshop.new()
    plain_git(path, "worktree", "add", "-q", "-b", "side", "../side")
    repository = workshop.open(workshop.top / "side")
    with pytest.raises(GitFailedError):
        add(repository, "1" * 40, {"f": b"x"})
    assert list((path / ".git").rglob("*crash*")) == []


@pytest.mark.parametrize("text", ["", " ", "a<b", "a>b", "a\nb", "a\0b"])
def test_an_identity_that_would_break_the_author_line_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Identity(text, "a@example.org")
    with pytest.raises(UsageError):
        Identity("name", text)


@pytest.mark.parametrize(
    "when",
    [datetime(2026, 1, 1), datetime(1969, 12, 31, tzinfo=UTC)],  # noqa: DTZ001 - the case
)
def test_a_date_that_git_cannot_hold_is_refused(workshop: Workshop, when: datetime) -> None:
    repository = workshop.open(workshop.new())
    with pytest.raises(UsageError, match="cannot be dated"):
        repository.commit(None, changes={}, message="m", author=AUTHOR, when=when)


def test_a_message_is_data_and_no_command(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    message = "x\nD README\nM 100644 inline evil\ndata 1\nx\nreset refs/heads/main\n"
    commit = repository.commit(
        repository.resolve("HEAD"), changes={}, message=message, author=AUTHOR, when=WHEN
    )
    assert plain_git(path, "diff", "--stat", "HEAD", commit) == ""


def test_commits_work_in_a_sha256_repository(workshop: Workshop) -> None:
    path = workshop.new("work", "--object-format=sha256")
    repository = workshop.open(path)
    head = repository.resolve("HEAD")
    commit = add(repository, head, {"issued/b": b"b"})
    assert len(commit) == 64
    repository.advance("main", commit, head)
    repository.advance("other", commit, None)
    assert repository.bring_forward("main", head, commit).tree
    assert (path / "issued/b").read_bytes() == b"b"


def test_a_repository_without_objects_gives_an_error_of_ours(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    (path / ".git" / "objects").rename(path / ".git" / "elsewhere")
    with pytest.raises(GitcaError):
        add(repository, None, {"a": b"x"})


def test_the_git_directory_gains_objects_alone(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    before = _files_beside_objects(path)
    add(repository, repository.resolve("HEAD"), {"a": b"x"})
    assert _files_beside_objects(path) == before


def _files_beside_objects(path: Path) -> set[Path]:
    return {file for file in (path / ".git").rglob("*") if "objects" not in file.parts}
