"""Publishing into a folder: where it may be, whom it is open to, and who stands in the way."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from published_targets import item

from gitca.errors import BackendUnavailableError, UsageError
from gitca.publishers import ConflictError, Publisher, directory_turn, open_publisher
from gitca.publishers.directory_place import parse_target

NOBODY = 65534


@pytest.fixture
def publisher(folder: Path) -> Publisher:
    return open_publisher("directory:public", base=folder)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user without rights, where the tests run as root, whom nothing is forbidden."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def modes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): oct(stat.S_IMODE(path.lstat().st_mode))
        for path in sorted(folder.rglob("*"))
    }


def test_a_web_server_may_read_what_is_published_and_nothing_else(
    folder: Path, publisher: Publisher
) -> None:
    before = os.umask(0o077)
    try:
        publisher.write(item("crls/root.crl", b"1"), None)
    finally:
        os.umask(before)
    assert modes(folder) == {
        "public": "0o755",
        "public/.gitca-publish": "0o700",
        "public/.gitca-publish/lock": "0o600",
        "public/crls": "0o755",
        "public/crls/root.crl": "0o644",
    }


def test_a_folder_that_a_killed_run_left_closed_is_opened_and_no_other(
    folder: Path, publisher: Publisher
) -> None:
    names = ("left", "full", "open", "shut")
    for name, mode in zip(names, (0o700, 0o700, 0o775, 0o500), strict=True):
        (folder / "public" / name).mkdir(parents=True)
        (folder / "public" / name).chmod(mode)
    (folder / "public" / "full" / "other").touch()
    for name in names:
        publisher.write(item(f"{name}/root.crl", b"1"), None)
    modes_of = {name: modes(folder)[f"public/{name}"] for name in names}
    assert modes_of == {"left": "0o755", "full": "0o700", "open": "0o775", "shut": "0o755"}


def test_the_content_is_on_the_disk_before_it_is_seen_and_its_name_before_it_is_told(
    folder: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = publisher.write(item("crls/root.crl", b"1"), None)
    calls: list[str] = []

    def told(name: str) -> Any:
        real = getattr(os, name)

        def call(*arguments: Any, **named: Any) -> object:
            what = Path(f"/proc/self/fd/{arguments[0]}").readlink() if name == "fsync" else Path()
            calls.append(f"{name} {what.suffix or what.name}".strip())
            return real(*arguments, **named)

        return call

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not say what a descriptor is of")
    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, told(name))
    publisher.write(item("crls/root.crl", b"2"), version)
    assert calls == ["fsync .tmp", "replace", "fsync crls"]


@pytest.mark.parametrize(
    "link", ["public", "public/crls", "public/crls/root.crl", "public/.gitca-publish",
             "public/.gitca-publish/lock"],
)  # fmt: skip
@pytest.mark.parametrize("dangling", [False, True])
def test_no_symbolic_link_leads_out_of_the_folder(
    folder: Path, publisher: Publisher, link: str, dangling: bool
) -> None:
    outside = folder / "outside"
    if not dangling:
        (outside / "crls").mkdir(parents=True)
        (outside / "root.crl").write_bytes(b"1")
        (outside / "crls" / "root.crl").write_bytes(b"1")
    path = folder / link
    path.parent.mkdir(parents=True, exist_ok=True)
    is_file = link.endswith((".crl", "lock"))
    path.symlink_to(outside / "root.crl" if is_file else outside)
    before = modes(folder)
    with pytest.raises(UsageError, match=r"symbolic link|Too many levels") as caught:
        publisher.write(item("crls/root.crl", b"2"), None)
    assert "symbolic link" in str(caught.value)
    new = modes(folder).keys() - before.keys()
    assert not [name for name in new if name.startswith("outside")]
    if not dangling:
        assert (outside / "crls" / "root.crl").read_bytes() == b"1"
    if "gitca" not in link:
        with pytest.raises(UsageError, match="symbolic link"):
            publisher.read("crls/root.crl")


def test_a_symbolic_link_is_in_no_listing(folder: Path, publisher: Publisher) -> None:
    publisher.write(item("crls/root.crl", b"1"), None)
    (folder / "secret").mkdir()
    (folder / "secret" / "key.pem").touch()
    (folder / "public" / "others").symlink_to(folder / "secret")
    (folder / "public" / "latest.crl").symlink_to("crls/root.crl")
    os.mkfifo(folder / "public" / "pipe")
    assert publisher.listing().keys() == {"crls/root.crl"}


def test_a_file_that_others_know_by_another_name_is_replaced_and_not_changed(
    folder: Path, publisher: Publisher
) -> None:
    outside = folder / "outside"
    outside.write_bytes(b"theirs")
    (folder / "public").mkdir()
    (folder / "public" / "root.crl").hardlink_to(outside)
    there = publisher.read("root.crl")
    assert there is not None
    publisher.write(item("root.crl", b"ours"), there.version)
    assert outside.read_bytes() == b"theirs"


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_refused_at_once(folder: Path, publisher: Publisher, kind: str) -> None:
    path = folder / "public" / "root.crl"
    path.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    for call in (
        lambda: publisher.read("root.crl"),
        lambda: publisher.write(item("root.crl", b"1"), None),
    ):
        with pytest.raises(UsageError, match="no regular file"):
            call()


def test_a_socket_is_no_outage(folder: Path, publisher: Publisher) -> None:
    (folder / "public").mkdir()
    with contextlib.chdir(folder / "public"), socket.socket(socket.AF_UNIX) as listening:
        listening.bind("root.crl")
        with pytest.raises(UsageError, match=r"root\.crl cannot be published to"):
            publisher.read("root.crl")


def test_a_file_where_a_folder_belongs_is_named(folder: Path, publisher: Publisher) -> None:
    publisher.write(item("crls", b"1"), None)
    with pytest.raises(UsageError, match=r"public/crls/root\.crl.*Not a directory"):
        publisher.write(item("crls/root.crl", b"1"), None)


def test_a_folder_that_may_not_be_written_to_is_refused(folder: Path, publisher: Publisher) -> None:
    folder.chmod(0o755)
    version = publisher.write(item("root.crl", b"1"), None)
    (folder / "public").chmod(0o555)
    with as_nobody(), pytest.raises(UsageError, match="Permission denied") as caught:
        publisher.write(item("root.crl", b"2"), version)
    assert "let the user that runs gitca write there" in caught.value.remedy
    with as_nobody():
        assert publisher.read("root.crl") is not None
    (folder / "public").chmod(0o755)


def test_a_lock_that_is_held_for_long_is_told_and_not_waited_for_for_ever(
    folder: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = publisher.write(item("root.crl", b"1"), None)
    monkeypatch.setattr(directory_turn, "WAIT_SECONDS", 0.2)
    lock = folder / "public" / ".gitca-publish" / "lock"
    holder = (
        "import fcntl, sys; file = open(sys.argv[1]); fcntl.flock(file, fcntl.LOCK_EX); "
        "print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(BackendUnavailableError, match="another process has held the lock"):
            publisher.write(item("root.crl", b"2"), version)
        # The lock of one that was killed is free.
        process.send_signal(signal.SIGKILL)
        process.wait()
        publisher.write(item("root.crl", b"2"), version)


def test_what_a_writer_left_that_died_is_removed_and_nothing_else(
    folder: Path, publisher: Publisher
) -> None:
    own = folder / "public" / ".gitca-publish"
    own.mkdir(parents=True)
    (own / "left.tmp").write_bytes(b"half")
    (own / "another's").write_bytes(b"kept")
    publisher.write(item("root.crl", b"1"), None)
    assert sorted(path.name for path in own.iterdir()) == ["another's", "lock"]


def test_two_publishers_of_one_folder_do_not_tidy_each_others_files_away(
    folder: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, once = os.fsync, []

    def meanwhile(descriptor: int) -> None:
        if not once:
            once.append(True)
            other = open_publisher("directory:public", base=folder)
            other.write(item("other.crl", b"other"), None)
        real(descriptor)

    (folder / "public").mkdir()
    publisher.write(item("first.crl", b"1"), None)
    monkeypatch.setattr(os, "fsync", meanwhile)
    publisher.write(item("root.crl", b"1"), None)
    assert publisher.listing().keys() == {"first.crl", "other.crl", "root.crl"}


def test_who_comes_in_between_is_seen(
    folder: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = publisher.write(item("root.crl", b"1"), None)
    real, once = os.fsync, []

    def meanwhile(descriptor: int) -> None:
        if not once:
            once.append(True)
            other = open_publisher("directory:public", base=folder)
            other.write(item("root.crl", b"theirs"), version)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", meanwhile)
    with pytest.raises(ConflictError, match="another object"):
        publisher.write(item("root.crl", b"ours"), version)
    assert (folder / "public" / "root.crl").read_bytes() == b"theirs"
    assert [path.name for path in (folder / "public" / ".gitca-publish").iterdir()] == ["lock"]


def test_an_absolute_folder_lies_in_one_that_the_operator_lists(folder: Path) -> None:
    srv, other = folder / "srv", folder / "other"
    listed = os.pathsep.join(["", "relative", str(other), str(srv)])
    environment = {"GITCA_PUBLISH_DIRECTORIES": listed}
    assert parse_target(f"directory:{srv}/pki/x", folder, environment).path == srv / "pki" / "x"
    assert parse_target(f"directory:{srv}", folder, environment).path == srv
    for path in (f"{srv}x", folder, f"{folder}/relative", "/", "/etc"):
        with pytest.raises(UsageError, match=r"GITCA_PUBLISH_DIRECTORIES|names no folder"):
            parse_target(f"directory:{path}", folder, environment)
    with pytest.raises(UsageError, match="GITCA_PUBLISH_DIRECTORIES"):
        parse_target(f"directory:{srv}/pki", folder, {})


def test_a_listed_folder_is_the_operators_to_make_and_to_link(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked, real = folder / "srv", folder / "volumes" / "1"
    monkeypatch.setenv("GITCA_PUBLISH_DIRECTORIES", str(linked))
    publisher = open_publisher(f"directory:{linked}/pki", base=folder)
    assert publisher.describe()["state"] == "not made yet"
    assert publisher.read("root.crl") is None
    with pytest.raises(UsageError, match="No such file or directory") as caught:
        publisher.write(item("root.crl", b"1"), None)
    assert "make the folder" in caught.value.remedy
    real.mkdir(parents=True)
    linked.symlink_to(real)
    publisher.write(item("root.crl", b"1"), None)
    assert (real / "pki" / "root.crl").read_bytes() == b"1"
    assert publisher.describe() == {"folder": str(linked / "pki"), "state": "there"}


@pytest.mark.parametrize(
    "path", [".git", ".git/hooks", "ca", "CA/x", "policies", "requests/team", "issued", ".gitca",
             "../x", "a/../ca", "x/.git/hooks", "x/.GIT", ""],
)  # fmt: skip
def test_what_holds_something_else_is_no_target(folder: Path, path: str) -> None:
    with pytest.raises(UsageError):
        open_publisher(f"directory:{path}", base=folder)
    assert list(folder.iterdir()) == []
