"""Trees and blobs: read in bounded memory, in order, and with words where something is missing."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

import pytest
from git_workshop import Workshop, add, plain_git

from gitca.documents.load import TreeEntry
from gitca.errors import BackendUnavailableError, ContradictionError, UsageError
from gitca.git.objects import BlobTooLargeError
from gitca.git.process import GitFailedError


def blob_of(path: Path, data: bytes) -> str:
    return plain_git(path, "hash-object", "-w", "--stdin", stdin=data)


def test_a_tree_lists_files_symlinks_and_submodules_with_modes(workshop: Workshop) -> None:
    path = workshop.new()
    (path / "link").symlink_to("README")
    workshop.script(path / "run.sh", "true")
    plain_git(path, "add", "-A")
    plain_git(path, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    plain_git(path, "commit", "-q", "-m", "more")
    repository = workshop.open(path)
    head = repository.resolve("HEAD") or ""
    entries = repository.tree(head)
    assert {entry.path: entry.mode for entry in entries} == {
        "README": "100644", "issued/a": "100644", "link": "120000", "module": "160000",
        "run.sh": "100755",
    }  # fmt: skip
    assert TreeEntry("issued/a", "100644", plain_git(path, "rev-parse", "HEAD:issued/a")) in entries
    assert [entry.path for entry in repository.tree(head, "issued", "nowhere")] == ["issued/a"]
    assert [entry.path for entry in repository.tree(head, "issued/a")] == ["issued/a"]
    assert repository.tree(head, "*") == []


def test_tree_ids_name_folders_alone(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    head = repository.resolve("HEAD") or ""
    assert repository.tree_id(head) == plain_git(path, "rev-parse", "HEAD^{tree}")
    assert repository.tree_id(head, "issued") == plain_git(path, "rev-parse", "HEAD:issued")
    assert repository.tree_id(head, "README") is None
    assert repository.tree_id(head, "nowhere") is None
    assert repository.tree(repository.tree_id(head, "issued") or "") == [
        TreeEntry("a", "100644", plain_git(path, "rev-parse", "HEAD:issued/a"))
    ]


def test_two_hundred_thousand_entries_take_about_a_second(workshop: Workshop) -> None:
    path = workshop.new()
    blob = blob_of(path, b"x")
    lines = (f"100644 blob {blob}\t{n:06}.pem\n" for n in range(2000))
    tree = plain_git(path, "mktree", stdin="".join(lines).encode())
    top = "".join(f"040000 tree {tree}\t{n:03}\n" for n in range(100))
    tree = plain_git(path, "mktree", stdin=top.encode())
    repository = workshop.open(path)
    began = time.process_time()
    assert len(repository.tree(tree)) == 200_000
    assert time.process_time() - began < 3  # 0.4 s measured; the margin is for a busy machine


def test_blobs_come_in_the_order_asked_for_and_as_often(workshop: Workshop) -> None:
    path = workshop.new()
    contents = [b"", b"\n", b"no newline", b"info x\nflush\n", bytes(range(256)), b"x" * 100_000]
    blobs = [blob_of(path, data) for data in contents]
    repository = workshop.open(path)
    asked = list(itertools.islice(itertools.cycle(range(len(blobs))), 1000))
    assert list(repository.read_many(blobs[n] for n in asked)) == [contents[n] for n in asked]
    assert list(repository.read_many([])) == []


def test_blobs_larger_than_any_pipe_do_not_deadlock(workshop: Workshop) -> None:
    path = workshop.new()
    contents = [bytes([n]) * (3 * 1024 * 1024) for n in range(8)]
    blobs = [blob_of(path, data) for data in contents]
    repository = workshop.open(path)
    assert list(repository.read_many(blobs * 2)) == contents * 2


def test_reads_may_come_in_between_and_a_reader_may_stop_early(workshop: Workshop) -> None:
    path = workshop.new()
    contents = [b"%d" % n for n in range(600)]
    blobs = [blob_of(path, data) for data in contents[:600]]
    repository = workshop.open(path)
    reading = repository.read_many(blobs)
    for n in range(300):
        assert next(reading) == contents[n]
        if n % 50 == 0:
            assert repository.read(blobs[-1]) == contents[-1]
    reading.close()
    assert list(repository.read_many(blobs[5:10])) == contents[5:10]


def test_threads_may_share_the_reader(workshop: Workshop) -> None:
    path = workshop.new()
    contents = [b"%d" % n * 1000 for n in range(50)]
    blobs = [blob_of(path, data) for data in contents]
    repository = workshop.open(path)
    results: list[list[bytes]] = []
    threads = [
        threading.Thread(target=lambda: results.append(list(repository.read_many(blobs))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [contents] * 4


def test_objects_written_after_the_reader_started_are_seen(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    head = repository.resolve("HEAD")
    assert repository.read(plain_git(path, "rev-parse", "HEAD:README")) == b"readme\n"
    commit = add(repository, head, {f"{n}": b"%d" % n for n in range(100)})  # as a pack
    assert repository.read(repository.tree(commit, "42")[0].blob) == b"42"
    assert repository.read(blob_of(path, b"loose")) == b"loose"


def test_a_blob_above_the_limit_is_not_read(workshop: Workshop) -> None:
    path = workshop.new()
    large, small = blob_of(path, b"x" * 1001), blob_of(path, b"x" * 1000)
    repository = workshop.open(path)
    with pytest.raises(BlobTooLargeError, match="1001 bytes; 1000 are allowed") as caught:
        repository.read(large, size_limit=1000)
    assert (caught.value.size, caught.value.limit) == (1001, 1000)
    assert repository.read(small, size_limit=1000) == b"x" * 1000


def test_what_is_no_blob_is_not_read(workshop: Workshop) -> None:
    repository = workshop.open(workshop.new())
    head = repository.resolve("HEAD") or ""
    with pytest.raises(ContradictionError, match="is a commit, not a blob"):
        repository.read(head)
    for text in ("HEAD:README", "", f"{head}\nflush", head[:39]):
        with pytest.raises(UsageError, match="is not the id"):
            repository.read(text)


def test_a_missing_blob_names_the_remedy_and_the_reader_goes_on(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    with pytest.raises(BackendUnavailableError, match="--unshallow"):
        repository.read("1" * 40)
    assert repository.read(blob_of(path, b"x")) == b"x"


def test_a_damaged_blob_is_a_contradiction_and_the_reader_goes_on(workshop: Workshop) -> None:
    path = workshop.new()
    blob = blob_of(path, b"x" * 5000)
    file = path / ".git" / "objects" / blob[:2] / blob[2:]
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:10] + b"damage")
    repository = workshop.open(path)
    with pytest.raises((ContradictionError, BackendUnavailableError)):
        repository.read(blob)
    assert repository.read(plain_git(path, "rev-parse", "HEAD:README")) == b"readme\n"


def test_a_reader_whose_process_died_says_so_and_starts_another(workshop: Workshop) -> None:
    repository = workshop.open(workshop.new())
    head = repository.resolve("HEAD") or ""
    blob = repository.tree(head, "README")[0].blob
    assert repository.read(blob) == b"readme\n"
    running = repository._objects._running
    assert running is not None
    running._process.kill()
    running._process.wait()
    with pytest.raises(ContradictionError, match="cat-file"):
        repository.read(blob)
    assert repository.read(blob) == b"readme\n"


def test_a_partial_clone_fetches_a_blob_or_says_that_it_cannot(workshop: Workshop) -> None:
    origin, seed = workshop.pair()
    plain_git(origin, "config", "uploadpack.allowFilter", "true")
    plain_git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    options = ("--filter=blob:none", "--no-checkout")
    path = workshop.clone(f"file://{origin}", "partial", *options)
    readme = plain_git(seed, "rev-parse", "HEAD:README")
    issued = plain_git(seed, "rev-parse", "HEAD:issued/a")
    repository = workshop.open(path)
    assert repository.read(readme) == b"readme\n"
    origin.rename(origin.with_name("gone"))
    with pytest.raises(BackendUnavailableError, match=r"promisor|could not fetch|does not have"):
        repository.read(issued)


def test_an_unknown_commit_fails_in_words(workshop: Workshop) -> None:
    repository = workshop.open(workshop.new())
    with pytest.raises(GitFailedError, match="ls-tree failed"):
        repository.tree("1" * 40)
    with pytest.raises(UsageError):
        repository.tree("--help")
