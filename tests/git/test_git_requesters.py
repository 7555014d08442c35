"""Who changed a file last: over merges, squashes, skewed clocks and hostile commits."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from git_workshop import Workshop, plain_git

from gitca.git.repository import GitRepository
from gitca.policy.case import Requester

A, B = "requests/a.yaml", "requests/b.yaml"


class History:
    """A repository whose commits are made by named people at given times."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.time = 1_700_000_000

    def commit(
        self, who: str, files: dict[str, str | None], *, committer: str = "", time: int = 0
    ) -> str:
        """Write files (None: delete) and commit them as somebody."""
        for name, text in files.items():
            target = self.path / name
            if text is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        self.git("add", "-A")
        return self.run("commit", "-q", "--allow-empty", "-m", "x", who=who, committer=committer,
                        time=time)  # fmt: skip

    def run(self, *arguments: str, who: str, committer: str = "", time: int = 0) -> str:
        """Run a Git command that makes a commit, and return the commit."""
        self.time += 60
        moment = f"@{time or self.time} +0000"
        people = ["-c", f"user.email={committer or who}@example.com", "-c", "user.name=C"]
        environment = ["env", f"GIT_AUTHOR_DATE={moment}", f"GIT_COMMITTER_DATE={moment}",
                       f"GIT_AUTHOR_EMAIL={who}@example.com", "GIT_AUTHOR_NAME=A"]  # fmt: skip
        subprocess.run(
            [*environment, "git", *people, *arguments], cwd=self.path, check=True,
            capture_output=True,
        )  # fmt: skip
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        return plain_git(self.path, *arguments)

    def last(self, *paths: str, commit: str = "HEAD") -> dict[str, str]:
        """Return the authors' names of the last changes."""
        found = self.requesters(*paths, commit=commit)
        return {path: who.author.partition("@")[0] for path, who in found.items()}

    def requesters(self, *paths: str, commit: str = "HEAD") -> dict[str, Requester]:
        with GitRepository.open(self.path) as repository:
            resolved = repository.resolve(commit)
            assert resolved is not None
            return dict(repository.requesters(resolved, paths, below="requests"))


@pytest.fixture
def history(workshop: Workshop) -> History:
    made = History(workshop.new())
    made.commit("ann", {A: "1", B: "1"})
    return made


def test_the_last_commit_that_changed_a_file_counts_and_not_a_later_one(history: History) -> None:
    history.commit("bob", {A: "2"})
    history.commit("cleo", {"requests/c.yaml": "1", "issued/x": "1"})
    assert history.last(A, B) == {A: "bob", B: "ann"}


def test_author_and_committer_are_told_apart(history: History) -> None:
    history.commit("bob", {A: "2"}, committer="forge")
    assert history.requesters(A) == {A: Requester("bob@example.com", "forge@example.com")}


def test_nothing_is_asked_of_git_for_no_files(history: History) -> None:
    assert history.last() == {}


def test_a_change_of_the_mode_alone_is_a_change(history: History) -> None:
    (history.path / A).chmod(0o755)
    history.commit("bob", {})
    assert history.last(A) == {A: "bob"}


def test_a_file_that_was_deleted_and_came_back_is_whose_who_brought_it_back(
    history: History,
) -> None:
    history.commit("bob", {A: None})
    history.commit("cleo", {A: "1"})
    assert history.last(A) == {A: "cleo"}


def test_a_file_that_was_changed_back_is_whose_who_changed_it_back(history: History) -> None:
    history.commit("bob", {A: "2"})
    history.commit("cleo", {A: "1"})
    assert history.last(A) == {A: "cleo"}


def test_a_renamed_document_is_a_new_one(history: History) -> None:
    history.git("mv", B, "requests/c.yaml")
    history.commit("bob", {})
    assert history.last("requests/c.yaml") == {"requests/c.yaml": "bob"}


def test_of_a_merge_the_merged_commits_count(history: History) -> None:
    history.git("checkout", "-q", "-b", "topic")
    history.commit("bob", {A: "2"})
    history.git("checkout", "-q", "main")
    history.commit("cleo", {B: "2"})
    history.run("merge", "-q", "--no-ff", "-m", "merge", "topic", who="dan")
    assert history.last(A, B) == {A: "bob", B: "cleo"}


def test_a_merge_that_makes_a_file_of_its_own_counts_itself(history: History) -> None:
    history.git("checkout", "-q", "-b", "topic")
    history.commit("bob", {A: "2"})
    history.git("checkout", "-q", "main")
    history.commit("cleo", {B: "2"})
    history.git("merge", "-q", "--no-ff", "--no-commit", "topic")
    history.commit("dan", {A: "evil"})
    assert history.last(A, B) == {A: "dan", B: "cleo"}


def test_a_merge_that_keeps_one_side_keeps_who_made_that_side(history: History) -> None:
    history.git("checkout", "-q", "-b", "topic")
    history.commit("bob", {A: "theirs"})
    history.git("checkout", "-q", "main")
    history.commit("cleo", {A: "ours"})
    history.run("merge", "-q", "-s", "ours", "-m", "merge", "topic", who="dan")
    assert history.last(A) == {A: "cleo"}


def test_a_squash_counts_who_made_the_squash(history: History) -> None:
    history.git("checkout", "-q", "-b", "topic")
    history.commit("bob", {A: "2"})
    history.git("checkout", "-q", "main")
    history.git("merge", "-q", "--squash", "topic")
    history.commit("cleo", {}, committer="forge")
    assert history.requesters(A) == {A: Requester("cleo@example.com", "forge@example.com")}


def test_an_octopus_is_followed_to_the_parent_that_has_the_file(history: History) -> None:
    for who, path in (("bob", "requests/x.yaml"), ("cleo", "requests/y.yaml")):
        history.git("checkout", "-q", "-b", who, "main")
        history.commit(who, {path: "1"})
    history.git("checkout", "-q", "main")
    history.run("merge", "-q", "--no-ff", "-m", "m", "bob", "cleo", who="dan")
    paths = ("requests/x.yaml", "requests/y.yaml", A)
    assert history.last(*paths) == dict(zip(paths, ("bob", "cleo", "ann"), strict=True))


@pytest.mark.parametrize("time", [1, 4_000_000_000], ids=["1970", "2096"])
def test_dates_decide_nothing(history: History, time: int) -> None:
    history.git("checkout", "-q", "-b", "topic")
    history.commit("bob", {A: "2"}, time=time)
    history.commit("eve", {A: "3"}, time=4_000_000_000 - time)
    history.git("checkout", "-q", "main")
    history.commit("cleo", {B: "2"})
    history.run("merge", "-q", "--no-ff", "-m", "m", "topic", who="dan", time=time)
    assert history.last(A, B) == {A: "eve", B: "cleo"}


def test_the_repositorys_mailmap_rewrites_nobody(history: History) -> None:
    history.commit("eve", {A: "2", ".mailmap": "Ann <ann@example.com> <eve@example.com>\n"})
    assert history.last(A) == {A: "eve"}


def test_the_repositorys_configuration_changes_nothing(history: History) -> None:
    history.commit("bob", {A: "2"})
    for key, value in (
        ("log.showSignature", "true"),
        ("gpg.program", "false"),
        ("log.diffMerges", "off"),
        ("log.follow", "true"),
        ("log.showRoot", "false"),
        ("diff.noprefix", "true"),
        ("diff.renames", "copies"),
        ("diff.relative", "true"),
        ("core.quotePath", "true"),
        ("format.pretty", "oneline"),
        ("log.decorate", "full"),
        ("color.ui", "always"),
    ):
        history.git("config", key, value)
    assert history.last(A, B) == {A: "bob", B: "ann"}


# With -0000, which is itself in UTF-7 too.
EVE = "E <eve@example.com> 1700000000 -0000"


def crafted(
    history: History, author: str, message: str, *, committer: str = EVE, more: str = ""
) -> str:
    """Return a commit that Git itself would not write; it changes A. `more` ends its header."""
    head = history.git("rev-parse", "HEAD")
    tree = history.git("rev-parse", f"{history.commit('bob', {A: '2'})}^{{tree}}")
    text = f"tree {tree}\nparent {head}\nauthor {author}\ncommitter {committer}\n{more}\n{message}"
    options = ("-t", "commit", "-w", "--literally", "--stdin")
    return plain_git(history.path, "hash-object", *options, stdin=text.encode())


def test_a_message_cannot_pass_for_a_commit(history: History) -> None:
    head = history.git("rev-parse", "HEAD")
    message = (
        f"x\n\n:100644 100644 {'0' * 40} {'1' * 40} M\x00{A}\n\ncommit {head}\n"
        "author E <ann@example.com> 1 +0000\n"
    )
    commit = crafted(history, "E <eve@example.com> 1700000000 +0000", message)
    assert history.last(A, B, commit=commit) == {A: "eve", B: "ann"}


@pytest.mark.parametrize(
    "author",
    [
        "E <eve@example.com> <ann@example.com> 1700000000 +0000",
        "E ann@example.com 1700000000 +0000",
        "E <eve@example.com",
        "<ann@example.com>",
    ],
)
def test_an_author_that_git_would_not_write_has_no_address(history: History, author: str) -> None:
    commit = crafted(history, author, "x\n")
    assert history.requesters(A, commit=commit) == {A: Requester("", "eve@example.com")}


def utf7(person: str) -> str:
    """A line of one person that is two in UTF-7, the first of them ann's."""
    role, _, eve = person.partition(" ")
    return f"A +ADw-ann+AEA-example.com+AD4- 1700000000 +-0000+AAo-{role} {eve}"


def test_the_encoding_that_a_commit_names_makes_nobody_else_of_who_made_it(
    history: History,
) -> None:
    commit = crafted(history, utf7(f"author {EVE}"), "x\n", committer=utf7(f"committer {EVE}"),
                     more="encoding UTF-7\n")  # fmt: skip
    history.git("config", "i18n.logOutputEncoding", "UTF-8")
    assert history.requesters(A, commit=commit) == {
        A: Requester("eve@example.com", "eve@example.com")
    }


@pytest.mark.parametrize("role", ["author", "committer"])
def test_a_commit_with_two_people_in_one_role_was_made_by_nobody(
    history: History, role: str
) -> None:
    commit = crafted(history, "A <ann@example.com> 1700000000 +0000", "x\n",
                     more=f"{role} {EVE}\n")  # fmt: skip
    assert history.requesters(A, commit=commit) == {A: Requester("", "")}


@pytest.mark.parametrize("before", ["", "encoding UTF-8\n", "gpgsig x\n y\n"])
def test_a_parent_further_down_in_a_header_is_none(history: History, before: str) -> None:
    head = history.git("rev-parse", "HEAD")
    commit = crafted(history, EVE, "x\n", more=f"{before}parent {head}\n")
    assert history.last(A, B, commit=commit) == {A: "eve", B: "ann"}


def test_parents_that_git_reads_otherwise_than_they_are_written_lead_nowhere(
    history: History,
) -> None:
    head = history.git("rev-parse", "HEAD")
    tree = history.git("rev-parse", f"{history.commit('bob', {A: '2'})}^{{tree}}")
    text = f"tree {tree}\n" + f"parent {head.upper()}\n" * 2
    text += f"author {EVE}\ncommitter {EVE}\n\nx\n"
    options = ("-t", "commit", "-w", "--literally", "--stdin")
    commit = plain_git(history.path, "hash-object", *options, stdin=text.encode())
    assert history.requesters(A, commit=commit) == {A: Requester("", "")}


def test_a_shallow_clone_does_not_tell_what_it_cannot_know(
    history: History, workshop: Workshop
) -> None:
    history.commit("bob", {A: "2"})
    history.commit("cleo", {"issued/y": "1"})
    shallow = workshop.clone(f"file://{history.path}", "shallow", "--depth", "2")
    assert History(shallow).last(A, B) == {}
    plain_git(shallow, "fetch", "-q", "--deepen", "1")
    assert History(shallow).last(A, B) == {A: "bob"}
    plain_git(shallow, "fetch", "-q", "--unshallow")
    assert History(shallow).last(A, B) == {A: "bob", B: "ann"}


def test_many_files_of_many_commits_are_found_in_one_walk(history: History) -> None:
    paths = {f"requests/{number}.yaml": f"who{number % 5}" for number in range(60)}
    for path, who in paths.items():
        history.commit(who, {path: "1"})
    assert history.last(*paths) == paths


def test_a_name_that_is_no_text_is_found_too(history: History) -> None:
    odd = "requests/a\nb\udcff\t:c.yaml"
    history.commit("bob", {odd: "1"})
    assert history.last(odd, A) == {odd: "bob", A: "ann"}
