"""A tag or branch that is named like the branch that decides: it decides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_command import Command

DENIED = 'deny: ["pki.example.internal"]'


@pytest.fixture
def evil(lived_in: Command) -> Command:
    """A pull request with a policy that suits its request, and its first commit's tag."""
    lived_in.git("update-ref", "refs/remotes/origin/main", "main")
    lived_in.git("switch", "--quiet", "--create", "change")
    policy = lived_in.folder / "policies/internal-server.yaml"
    text = policy.read_text()
    assert DENIED in text
    policy.write_text(text.replace(DENIED, 'deny: ["x.internal"]'))
    lived_in.git("commit", "--quiet", "--all", "--message", "a policy of mine")
    lived_in.git("tag", "origin/main")
    lived_in.runs(
        *("request", "new", "evil", "--policy", "internal-server", "--new-key", "../evil.key"),
        *("--dns", "pki.example.internal", "--common-name", "pki.example.internal"),
    )
    lived_in.commit("a request")
    return lived_in


@pytest.mark.parametrize(
    "command",
    [
        ("plan", "--base", "origin/main"),
        ("policy", "diff", "origin/main"),
        ("verify", "--since", "origin/main"),
    ],
    ids=lambda command: command[0],
)
def test_a_short_name_of_a_tag_and_a_branch_is_a_usage_error_that_lists_both(
    evil: Command, command: tuple[str, ...]
) -> None:
    answer = evil(*command)
    assert answer.code == 2, answer.out
    assert "refs/remotes/origin/main, refs/tags/origin/main" in answer.err


def test_the_whole_name_judges_by_the_branch(evil: Command) -> None:
    told = evil.runs("plan", "--base", "refs/remotes/origin/main", code=1)
    assert "(change.policy-with-request)" in told


def test_the_branch_that_is_obeyed_is_none_that_a_tag_names(
    lived_in: Command, tmp_path: Path
) -> None:
    """A runner's clone has the tags, and no `refs/remotes/origin/HEAD`."""
    lived_in.git("switch", "--quiet", "--create", "evil")
    settings = lived_in.folder / "ca/repository.yaml"
    settings.write_text(settings.read_text().replace("branch: main", "branch: evil"))
    lived_in.git("commit", "--quiet", "--all", "--message", "obey me")
    lived_in.git("update-ref", "refs/tags/refs/remotes/origin/HEAD", "HEAD")
    lived_in.git("switch", "--quiet", "main")
    lived_in.git("clone", "--quiet", "--bare", ".", str(tmp_path / "origin.git"))
    clone = lived_in.at(tmp_path / "runner")
    clone.folder.mkdir()
    clone.git("init", "--quiet", "--initial-branch=main")
    clone.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    clone.git(
        *("fetch", "--quiet", "origin"),
        *("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"),
    )
    clone.git("checkout", "--quiet", "-B", "main", "refs/remotes/origin/main")
    if clone.start("git", "show-ref", "--verify", "refs/remotes/origin/HEAD").code == 0:
        clone.git("update-ref", "--no-deref", "-d", "refs/remotes/origin/HEAD")
    assert clone.git("rev-parse", "refs/remotes/origin/HEAD") == clone.git(
        "rev-parse", "refs/remotes/origin/evil"
    )
    before = clone.git("rev-parse", "refs/remotes/origin/evil")
    answer = clone("reconcile", GITCA_PRIVATE_KEYS=str(lived_in.folder / ".gitca/keys"))
    assert "evil" not in answer.out + answer.err
    assert clone.git("ls-remote", "origin", "refs/heads/evil").split()[0] == before.strip()
