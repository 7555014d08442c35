"""Commits and trees that no Git would write: read as Git reads them, or refused in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from git_workshop import plain_git
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitca.errors import GitcaError
from gitca.git.growth import check_growth
from gitca.git.repository import GitRepository

WHO = b"a b <a@example.org> 1700000000 +0000"
_lines = st.sampled_from(
    (
        b"x",
        b":100644 100644 " + b"1" * 40 + b" " + b"2" * 40 + b" M\0issued/a",
        b"commit " + b"3" * 40,
        b"parent " + b"3" * 40,
        b"author x <y@z> 1 +0000",
        b"Ledger-Segment: 1 " + b"4" * 40,
        b"Ledger-Segment: 99999999999999999999999999 " + b"4" * 40,
        b"\0",
        b"\0\n\0\0",
        b"\xff\xfe\x00a",
        "é\u2028\u0085\x0c".encode(),
        b"-----BEGIN X-----",
    )
) | st.binary(max_size=12)
_dates = st.sampled_from(
    (b"1700000000 +0000", b"0 +0000", b"-5 +0000", b"99999999999999999 +0000", b"x", b"")
) | st.integers(0, 2**70).map(lambda n: b"%d -9959" % n)
_people = st.builds(
    lambda name, mail, date: name.replace(b"\n", b"") + b" <" + mail + b"> " + date,
    st.binary(max_size=6),
    st.sampled_from((b"", b"a@b", b"a>b@c", b"<a@b", b"\xff@x")),
    _dates,
)
_headers = st.lists(
    st.sampled_from(
        (b"encoding UTF-16", b"encoding UTF-7", b"encoding x", b"gpgsig x\n y", b"mergetag z", b"q")
    ),
    max_size=2,
)
_commits = st.builds(
    lambda author, committer, headers, message, changed: (
        (b"author " + author, b"committer " + committer, *headers, b"", *message),
        changed,
    ),
    st.just(WHO) | _people,
    st.just(WHO) | _people,
    _headers,
    st.lists(_lines, max_size=4),
    st.booleans(),
)
_names = st.sampled_from(
    (
        b"a",
        b"a\nb",
        b"a\tb",
        b"-x",
        b":100644",
        b"\xff",
        b"..",
        b".git",
        b"\xe2\x80\xae",
        b"a" * 4000,
    )
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("odd")
    plain_git(path, "init", "-q", "-b", "main")
    return path


def written(folder: Path, kind: str, data: bytes) -> str:
    return plain_git(folder, "hash-object", "-t", kind, "-w", "--literally", "--stdin", stdin=data)


def tree(folder: Path, *entries: tuple[bytes, bytes, str]) -> str:
    data = b"".join(b"%s %s\0%s" % (mode, name, bytes.fromhex(i)) for mode, name, i in entries)
    return written(folder, "tree", data)


def commit(folder: Path, root: str, parents: tuple[str, ...], lines: tuple[bytes, ...]) -> str:
    above = [b"parent " + parent.encode() for parent in parents]
    return written(folder, "commit", b"\n".join((b"tree " + root.encode(), *above, *lines)))


def told(read: Callable[[], object]) -> object:
    """What a reader gives; None where it refuses in words."""
    refusals: list[GitcaError] = []
    try:
        return read()
    except GitcaError as error:
        refusals.append(error)
    assert all(error.message.isprintable() for error in refusals)
    return None


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(commits=st.lists(_commits, min_size=1, max_size=4), name=_names)
def test_odd_commits_are_told_as_git_tells_them(folder: Path, commits: list, name: bytes) -> None:
    blob = written(folder, "blob", b"x")
    issued = tree(folder, (b"100644", name, blob))
    trees = (tree(folder, (b"40000", b"issued", issued)), tree(folder, (b"100644", b"a", blob)))
    made: list[str] = []
    for lines, changed in commits:
        made.append(commit(folder, trees[changed], tuple(made[-1:]), lines))
    tip = made[-1]
    with GitRepository.open(folder) as repository:
        past = repository.past
        lineage = told(lambda: past.lineage(tip, "issued"))
        if lineage is not None:
            assert [item.commit for item in lineage] == made
            assert [item.folder is not None for item in lineage] == [not c for _, c in commits]
        changes = told(lambda: past.last_changes(tip, "issued"))
        if changes is not None:
            assert {change.commit for change in changes} <= set(made)
            assert {change.path for change in changes} <= {f"issued/{name.decode(*_SURROGATES)}"}
        of_each = told(lambda: list(past.changes_of(made)))
        if of_each is not None:
            assert len(of_each) == len(made)
        told(lambda: check_growth(repository, tip, {}))
        told(lambda: repository.requesters(tip, ["issued/a"], below="issued"))
        entries = told(lambda: repository.tree(tip))
        assert entries is None or len(entries) == 1
        assert told(lambda: repository.history(tip)) in (None, frozenset(made))


_SURROGATES = ("utf-8", "surrogateescape")
