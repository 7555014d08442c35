"""What every publisher owes, wherever it puts things.

A new backend joins SCHEMES of the source, and says in published_targets.py where it publishes and
what can go wrong there.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from published_targets import TROUBLES, Target, directory_target, insist, item, s3_target

from gitca.errors import UsageError
from gitca.publishers import SCHEMES, ConflictError, Listed, Publisher, Stored, open_publisher
from gitca.publishers.paths import TooLargeError

LARGE = hashlib.shake_256(b"a CRL").digest(6_000_000)
COUNTING = Path(__file__).with_name("counting_process.py")
PROCESSES = 3
TIMES = {"directory": 200, "s3": 8}  # a folder answers at once


@pytest.fixture
def publisher(target: Target) -> Iterator[Publisher]:
    with closing(target.open()) as publisher:
        yield publisher


def test_every_scheme_is_under_test() -> None:
    assert set(TROUBLES) == set(SCHEMES)


def test_what_is_written_is_read_by_anybody_who_opens_the_target(
    target: Target, publisher: Publisher
) -> None:
    assert publisher.read("ca.crl") is None
    version = publisher.write(item("ca.crl", b"content"), None)
    assert publisher.read("ca.crl") == Stored(b"content", version)
    with closing(target.open()) as other:
        assert other.read("ca.crl") == Stored(b"content", version)
        assert other.read("ca.cer") is None


def test_an_object_replaces_the_version_that_it_was_to(publisher: Publisher) -> None:
    first = publisher.write(item("a/b/c.crl", b"1"), None)
    second = publisher.write(item("a/b/c.crl", b"2"), first)
    assert first != second
    assert publisher.read("a/b/c.crl") == Stored(b"2", second)
    # Once more is no other object.
    assert publisher.write(item("a/b/c.crl", b"2"), second) == second


def test_nothing_replaces_what_it_was_not_to(publisher: Publisher) -> None:
    with pytest.raises(ConflictError, match="nothing"):
        publisher.write(item("ca.crl", b"2"), publisher.write(item("b.crl", b"1"), None))
    first = publisher.write(item("ca.crl", b"1"), None)
    for replaces in (None, publisher.write(item("ca.crl", b"2"), first), first):
        if replaces in (None, first):
            with pytest.raises(ConflictError, match="another object"):
                publisher.write(item("ca.crl", b"3"), replaces)
    there = publisher.read("ca.crl")
    assert there is not None
    assert there.content == b"2"


def test_an_object_that_is_there_is_taken_for_written(publisher: Publisher) -> None:
    # So that a write whose answer was lost can be made again under the same condition.
    first = publisher.write(item("ca.crl", b"1"), None)
    assert publisher.write(item("ca.crl", b"1"), None) == first
    second = publisher.write(item("ca.crl", b"2"), first)
    assert publisher.write(item("ca.crl", b"2"), first) == second


@pytest.mark.parametrize(
    ("scheme", "trouble"),
    [(scheme, trouble) for scheme, troubles in TROUBLES.items() for trouble in troubles],
)
@pytest.mark.usefixtures("no_waiting")
def test_a_write_that_failed_or_seemed_to_can_be_made_again(
    request: pytest.FixtureRequest, folder: Path, scheme: str, trouble: str
) -> None:
    if scheme == "s3":
        target = s3_target(request.getfixturevalue("s3"), folder)
    else:
        target = directory_target(folder)
    with closing(target.open()) as publisher:
        old = publisher.write(item("replaced.crl", b"old"), None)
        for path, replaces in (("new.crl", None), ("replaced.crl", old)):
            with target.troubles[trouble]():
                version = insist(publisher, item(path, b"new content"), replaces)
            assert publisher.read(path) == Stored(b"new content", version)
        assert publisher.listing().keys() == {"new.crl", "replaced.crl"}


def test_of_writers_at_once_one_wins_and_the_others_are_told(publisher: Publisher) -> None:
    def write(number: int, replaces: str | None) -> str | None:
        barrier.wait()
        try:
            return publisher.write(item("ca.crl", b"%d" % number), replaces)
        except ConflictError:
            return None

    replaces = None
    for round_ in range(5):
        barrier = threading.Barrier(8)
        numbers = [round_ * 8 + index for index in range(8)]
        with ThreadPoolExecutor(8) as threads:
            ends = list(threads.map(write, numbers, [replaces] * 8))
        won = [(number, end) for number, end in zip(numbers, ends, strict=True) if end]
        assert len(won) == 1
        there = publisher.read("ca.crl")
        assert there == Stored(b"%d" % won[0][0], str(won[0][1]))
        replaces = won[0][1]


def test_of_processes_that_count_at_once_none_loses_a_number(
    target: Target, publisher: Publisher
) -> None:
    times = TIMES[target.uri.partition(":")[0]]
    command = [sys.executable, str(COUNTING), target.uri, str(target.base), str(times)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command, **pipes) for _ in range(PROCESSES)]
    try:
        for process in running:
            assert process.stdout.readline() == "ready\n"
        for process in running:
            process.stdin.write("go\n")
            process.stdin.flush()
        ends = [process.communicate(timeout=120) for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert [process.returncode for process in running] == [0] * PROCESSES, ends
    there = publisher.read("number")
    assert there is not None
    assert int(there.content.split()[0]) == PROCESSES * times


def test_a_reader_never_sees_half_an_object(target: Target, publisher: Publisher) -> None:
    whole = {bytes([letter]) * 3_000_000 for letter in b"ab"}
    contents = sorted(whole)
    version = publisher.write(item("ca.crl", contents[0]), None)
    done = threading.Event()

    def read() -> set[bytes]:
        seen = set()
        with closing(target.open()) as reader:
            while not done.is_set():
                there = reader.read("ca.crl")
                assert there is not None
                seen.add(there.content)
        return seen

    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read)
        for number in range(1, 9):
            version = publisher.write(item("ca.crl", contents[number % 2]), version)
        done.set()
        assert reading.result() <= whole


def test_a_large_object_arrives_whole(publisher: Publisher) -> None:
    version = publisher.write(item("ca.crl", LARGE), None)
    assert publisher.read("ca.crl") == Stored(LARGE, version)
    version = publisher.write(item("ca.crl", LARGE[::-1]), version)
    assert publisher.read("ca.crl") == Stored(LARGE[::-1], version)


def test_an_object_may_be_empty(publisher: Publisher) -> None:
    version = publisher.write(item("ca.crl", b""), None)
    assert publisher.read("ca.crl") == Stored(b"", version)


def test_an_unusual_path_is_a_path(publisher: Publisher) -> None:
    paths = ("a", "A.b", "-rf", "a..b", "x.", "a_-.b", "1/2/3/4/5/6/7/8/9", "con", "n" * 255, "_")
    expected = {}
    for path in paths:
        version = publisher.write(item(path, path.encode()), None)
        assert publisher.read(path) == Stored(path.encode(), version)
        expected[path] = Listed(len(path), version)
    assert publisher.listing() == expected


def test_paths_that_differ_in_case_alone_are_two(target: Target, publisher: Publisher) -> None:
    probe = target.base / "probe"
    probe.touch()
    if target.uri.startswith("directory") and (target.base / "PROBE").exists():
        pytest.skip("this file system does not tell cases apart")
    publisher.write(item("ca.crl", b"1"), None)
    publisher.write(item("CA.crl", b"2"), None)
    assert publisher.listing().keys() == {"ca.crl", "CA.crl"}


def test_what_is_no_path_is_refused_and_nothing_is_written(publisher: Publisher) -> None:
    paths = (
        "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".hidden", "a/.hidden",
        ".gitca-publish/lock", "a b", "a\nb", "a\0b", "a%2e", "é", "a\\b", "a?b", "a#b", "~/a",
        "n" * 256,
    )  # fmt: skip
    for path in paths:
        with pytest.raises(UsageError, match="cannot be published"):
            publisher.write(item(path, b"1"), None)
        with pytest.raises(UsageError, match="cannot be published"):
            publisher.read(path)
    assert publisher.listing() == {}


def test_a_listing_has_every_object_with_size_and_version(publisher: Publisher) -> None:
    assert publisher.listing() == {}
    paths = [f"serials/root/{number:04x}.cer" for number in range(2500)]
    contents = [b"x" * (index % 50) + b"%d" % index for index in range(2500)]
    with ThreadPoolExecutor(8) as threads:
        versions = list(
            threads.map(lambda *pair: publisher.write(item(*pair), None), paths, contents)
        )
    sizes = map(len, contents)
    expected = {path: Listed(*rest) for path, *rest in zip(paths, sizes, versions, strict=True)}
    assert publisher.listing() == expected


def test_what_is_said_of_a_target_holds_no_secret(
    target: Target, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.write(item("a", b"1"), None)
    said = publisher.describe()
    assert said
    assert all(isinstance(value, str) and value for value in said.values())
    assert os.environ.get("AWS_SECRET_ACCESS_KEY", "none") not in "".join(said.values())


def test_a_target_may_be_closed_twice(target: Target) -> None:
    publisher = target.open()
    publisher.close()
    publisher.close()


@pytest.mark.parametrize("uri", ["", "public", "ftp://host/x", "https://user:secret@host/x"])
def test_a_target_of_no_scheme_is_refused_and_not_repeated(tmp_path: Path, uri: str) -> None:
    with pytest.raises(UsageError, match="directory: or s3:") as caught:
        open_publisher(uri, base=tmp_path)
    assert "secret" not in str(caught.value)


def test_an_object_that_no_gitca_wrote_fills_no_memory(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.write(item("large.crl", b"1" * 1001), None)
    monkeypatch.setattr("gitca.publishers.paths.LARGEST_OBJECT", 1000)
    with pytest.raises(UsageError, match=r"large\.crl at the target has 1001 bytes"):
        publisher.read("large.crl")


def test_no_more_is_read_than_was_asked_for(publisher: Publisher) -> None:
    publisher.write(item("large.crl", b"1" * 1001), None)
    assert publisher.read("large.crl", 1001) is not None
    with pytest.raises(TooLargeError, match="has 1001 bytes; gitca reads 1000 there"):
        publisher.read("large.crl", 1000)
    # It can be replaced all the same, by who knows what is there.
    with pytest.raises(ConflictError, match="another object"):
        publisher.write(item("large.crl", b"2"), None)
