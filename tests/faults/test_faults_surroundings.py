"""Bad surroundings, each met by a real `gitca reconcile`: exit code, one message, the next run.

In each case two requests wait. A run in the bad surroundings ends with the exit code that
docs/operations.md has for it and one clear line; the ledger that everybody sees is whole; and once
the surroundings are mended the next run gives both their certificates.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from remote_moods import Remote
from tally import counted

from ca_documents import GOVERNING, request
from ca_world import PASSPHRASE, Clock, Clone, KeyRing, git

WAITING = {
    f"requests/{name}.yaml": request(name, f"{name}.example.internal") for name in ("api", "web")
}


@dataclass
class Place:
    """A clone with its keys, and its bare origin."""

    clone: Clone
    origin: Path

    def reconcile(
        self, *arguments: str, before: Callable[[], object] | None = None, **environment: str
    ) -> tuple[int, str]:
        """Run `python -m gitca reconcile` and return its exit code and all that it said."""
        secret = {"GITCA_KEY_PASSPHRASE": PASSPHRASE.decode(), "NO_COLOR": "1"}
        # What measures coverage writes a file of its own, which no full disk has room for.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE", "COV_"))}
        done = subprocess.run(
            [sys.executable, "-m", "gitca", "reconcile", *arguments],
            cwd=self.clone.folder,
            env={**inherited, **secret, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            preexec_fn=before,
        )
        words = done.stdout + done.stderr
        with counted("surroundings") as tally:
            tally[f"exit code {done.returncode}"] += 1
        assert "Traceback" not in words, words
        assert "defect" not in words, words
        assert PASSPHRASE.decode() not in words
        return done.returncode, words

    def check_finished(self) -> None:
        """The next run, in sound surroundings, gives both requests their certificates."""
        code, words = self.reconcile("--take-over")
        assert code == 0, words
        assert "settle that" not in words, words
        assert self.clone.status == ""
        check(self.clone)


def check(clone: Clone) -> None:
    clone.clock.now = datetime.now(UTC).replace(microsecond=0)
    git(clone.folder, "fetch", "-q", "origin")
    tip = git(clone.folder, "rev-parse", "origin/main")
    state = clone.snapshot(tip).state
    assert not state.pending
    assert [len(state.requests[name].orders) for name in ("api", "web")] == [1, 1]
    assert all(record.current for record in state.requests.values())
    assert clone.verify(tip).contradictions == []


@pytest.fixture(scope="module")
def place_once(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing) -> Path:
    """CAs and CRLs of today are made, and two requests wait."""
    folder = tmp_path_factory.mktemp("surroundings")
    clone = Clone.create(folder / "clone", key_ring, GOVERNING)
    clone.clock = Clock(datetime.now(UTC).replace(microsecond=0))
    assert clone.reconcile().exit_code == 0
    clone.save(WAITING)
    clone.with_origin(folder / "origin.git")
    git(clone.folder, "remote", "set-url", "origin", "../origin.git")
    git(clone.folder, "branch", "-q", "--set-upstream-to=origin/main", "main")
    shutil.copytree(key_ring.folder / ".gitca", clone.folder / ".gitca")
    return folder


@pytest.fixture
def place(place_once: Path, quick_folder: Path, key_ring: KeyRing) -> Place:
    folder = quick_folder / "place"
    shutil.copytree(place_once, folder, symlinks=True)
    clone = Clone(folder / "clone", key_ring, Clock(datetime.now(UTC).replace(microsecond=0)))
    return Place(clone, folder / "origin.git")


def tip_of_origin(place: Place) -> str:
    return git(place.origin, "rev-parse", "main")


@pytest.mark.parametrize("octets", [0, 200, 600, 1200])
def test_a_disk_that_is_full_is_said_and_nothing_is_half_written(place: Place, octets: int) -> None:
    """No file can grow beyond so many octets, in gitca and in every Git that it starts."""

    def full() -> None:
        # The limit's signal would end the process; ignored, the write fails as on a full disk.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (octets, octets))

    before = tip_of_origin(place)
    code, words = place.reconcile(before=full)
    assert code in {1, 4}, words
    if code == 1:
        assert "git" in words
        assert "failed" in words
    assert (tip_of_origin(place) == before) or place.clone.verify().contradictions == []
    place.check_finished()


@contextmanager
def tiny_disk(folder: Path, size: str) -> Iterator[None]:
    """Mount a file system of this size; only root can."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("left", [0, 8, 24, 48, 96])
def test_a_file_system_with_no_room_left_is_said_and_the_next_run_finishes(
    place: Place, tmp_path: Path, left: int
) -> None:
    """The clone lies on a file system that has so many KiB left."""
    with tiny_disk(tmp_path, "4m"):
        shutil.copytree(place.clone.folder, tmp_path / "clone", symlinks=True)
        git(tmp_path / "clone", "remote", "set-url", "origin", str(place.origin))
        filler = tmp_path / "filler"
        free = shutil.disk_usage(tmp_path).free
        filler.write_bytes(bytes(max(free - left * 1024, 0)))
        away = Place(Clone(tmp_path / "clone", place.clone.keys), place.origin)
        code, words = away.reconcile()
        assert code in {0, 1, 4}, words
        filler.unlink()
        away.check_finished()


def test_a_working_tree_that_cannot_be_written_is_said_and_the_work_is_done(place: Place) -> None:
    """Everything but .git is read-only; what was pushed counts, and the tree follows later."""
    folder = place.clone.folder
    with read_only(folder / "issued", folder / "requests"):
        code, words = place.reconcile()
        if os.getuid() != 0:
            assert code == 0, words
            assert "read-tree" in words or "Permission" in words or "cannot" in words
    assert code in {0, 1}, words
    check(place.clone)
    code, words = place.reconcile()
    assert code == 0, words
    assert place.clone.tip == tip_of_origin(place)
    assert place.clone.status == ""


@contextmanager
def read_only(*folders: Path) -> Iterator[None]:
    """Take the right to write away; from root, whom rights do not bind, by the file system."""
    paths = [path for folder in folders for path in (folder, *folder.rglob("*")) if path.is_dir()]
    if os.getuid() == 0:
        mounted = [folder for folder in folders if _bind_read_only(folder)]
        try:
            yield
        finally:
            for folder in mounted:
                subprocess.run(["umount", str(folder)], check=True)
        return
    for path in paths:
        path.chmod(0o555)
    try:
        yield
    finally:
        for path in paths:
            path.chmod(0o755)


def _bind_read_only(folder: Path) -> bool:
    bind = ["mount", "--bind", str(folder), str(folder)]
    if subprocess.run(bind, capture_output=True, check=False).returncode != 0:
        pytest.skip("nothing can be mounted here")
    remount = ["mount", "-o", "remount,ro,bind", str(folder)]
    subprocess.run(remount, check=True)
    return True


def test_a_remote_that_is_not_there_is_exit_code_4(place: Place) -> None:
    away = place.origin.rename(place.origin.with_name("away.git"))
    code, words = place.reconcile()
    assert code == 4, words
    assert "cannot be fetched from origin" in words
    away.rename(place.origin)
    place.check_finished()


def test_a_remote_that_nobody_answers_for_is_exit_code_4(place: Place) -> None:
    git(place.clone.folder, "remote", "set-url", "origin", "http://127.0.0.1:9/origin.git")
    code, words = place.reconcile()
    assert code == 4, words
    git(place.clone.folder, "remote", "set-url", "origin", "../origin.git")
    place.check_finished()


def test_a_branch_that_refuses_the_bot_is_exit_code_4_and_signs_nothing(place: Place) -> None:
    remote, before = Remote(place.origin), tip_of_origin(place)
    remote.turn("refuse")
    code, words = place.reconcile()
    assert code == 4, words
    assert "refused the push" in words
    assert "this branch is protected" in words
    assert "branch rule" in words
    assert tip_of_origin(place) == before
    remote.calm()
    place.check_finished()


def test_a_branch_that_begins_to_refuse_before_the_certificates_come_keeps_the_orders(
    place: Place,
) -> None:
    """The push of the orders is accepted, the one after it refused."""
    hooks = place.origin / "hooks"
    hooks.mkdir(exist_ok=True)
    hook = hooks / "pre-receive"
    hook.write_text("#!/bin/sh\n[ ! -e once ] && : > once && exit 0\necho closed >&2; exit 1\n")
    hook.chmod(0o755)
    code, words = place.reconcile()
    assert code == 4, words
    assert "closed" in words
    git(place.clone.folder, "fetch", "-q", "origin")
    state = place.clone.snapshot(tip_of_origin(place)).state
    assert len(state.pending) == len(WAITING)
    hook.unlink()
    place.check_finished()


@pytest.mark.parametrize("how", ["rewound", "rewritten"])
def test_a_remote_that_lost_certificates_is_exit_code_5_and_signs_nothing(
    place: Place, how: str
) -> None:
    """The requests have their certificates; then somebody forces the branch back behind them."""
    before = tip_of_origin(place)
    code, words = place.reconcile()
    assert code == 0, words
    issued = tip_of_origin(place)
    git(place.origin, "update-ref", "refs/heads/main", before)
    if how == "rewritten":
        Remote(place.origin).take({"requests/new.yaml": request("new", "new.example.internal")})
    forced = tip_of_origin(place)
    code, words = place.reconcile()
    assert code == 5, words
    assert "rewound or rewritten" in words
    assert f"lacks commit {issued[:12]}" in words
    assert tip_of_origin(place) == forced
    git(place.origin, "update-ref", "refs/heads/main", issued)
    place.check_finished()


@pytest.mark.parametrize("how", ["--depth=1", "--depth=2"])
def test_a_shallow_clone_does_what_needs_no_history_and_says_what_does(
    place: Place, how: str
) -> None:
    folder = place.clone.folder.parent / "shallow"
    git(place.origin.parent, "clone", "-q", how, f"file://{place.origin}", str(folder))
    shutil.copytree(place.clone.folder / ".gitca", folder / ".gitca")
    shallow = Place(Clone(folder, place.clone.keys), place.origin)
    code, words = shallow.reconcile()
    assert code in {0, 4}, words
    if code == 4:
        assert "shallow" in words
        assert "git fetch --unshallow" in words
    git(folder, "fetch", "-q", "--unshallow")
    shallow.check_finished()


def test_a_partial_clone_fetches_what_it_reads_or_says_that_it_lacks_it(place: Place) -> None:
    git(place.origin, "config", "uploadpack.allowFilter", "true")
    folder = place.clone.folder.parent / "partial"
    options = ("-q", "--filter=blob:none", "--no-checkout")
    git(place.origin.parent, "clone", *options, f"file://{place.origin}", str(folder))
    shutil.copytree(place.clone.folder / ".gitca", folder / ".gitca")
    partial = Place(Clone(folder, place.clone.keys), place.origin)
    code, words = partial.reconcile()
    assert code in {0, 4}, words
    if code == 4:
        assert "partial" in words
    place.check_finished()


def test_a_detached_head_is_no_obstacle_and_stays_where_it_is(place: Place) -> None:
    git(place.clone.folder, "checkout", "-q", "--detach")
    head = git(place.clone.folder, "rev-parse", "HEAD")
    code, words = place.reconcile()
    assert code == 0, words
    assert git(place.clone.folder, "rev-parse", "HEAD") == head
    assert place.clone.status == ""
    check(place.clone)


def test_what_is_not_committed_stays_and_has_no_part_in_it(place: Place) -> None:
    folder = place.clone.folder
    (folder / "requests/api.yaml").write_text("half written")
    (folder / "requests/new.yaml").write_text(request("new", "new.example.internal"))
    git(folder, "add", "requests/new.yaml")
    code, words = place.reconcile()
    assert code == 0, words
    assert (folder / "requests/api.yaml").read_text() == "half written"
    check(place.clone)
    assert "new" not in place.clone.snapshot(tip_of_origin(place)).state.requests


def test_a_file_in_the_way_of_a_certificate_stays_and_is_named(place: Place) -> None:
    folder = place.clone.folder
    target = folder / "issued/issuing/certificates/api.pem"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("mine")
    code, words = place.reconcile()
    assert code == 0, words
    assert "api.pem is not tracked by Git" in words
    assert target.read_text() == "mine"
    check(place.clone)
    target.unlink()
    code, words = place.reconcile()
    assert code == 0, words
    assert place.clone.status == ""


@pytest.mark.parametrize("written", [0, 100, None], ids=["nothing", "a part", "all"])
@pytest.mark.parametrize("path", ["issued/issuing/certificates/api.pem", "issued/root/crl.der"])
def test_a_file_that_was_half_written_when_the_disk_was_full_is_written_whole(
    place: Place, path: str, written: int | None
) -> None:
    """Git dies in the middle of bringing the working tree forward; the next run does the rest."""
    clone = place.clone
    git(clone.folder, "remote", "set-url", "origin", str(place.origin))
    other = clone.beside("other")
    other.clock.now = datetime.now(UTC).replace(microsecond=0) + timedelta(days=5)
    assert other.reconcile().exit_code == 0
    git(clone.folder, "fetch", "-q", "origin")
    target = clone.folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(other.read(path)[:written])
    with clone.store() as store:
        store.load()
        outcome = store.bring_forward()
    assert (outcome.reason if outcome else "") == ""
    assert target.read_bytes() == other.read(path)
    assert clone.status == ""


def test_two_names_that_differ_in_case_alone_lose_nothing(place: Place) -> None:
    """On a file system that folds case one certificate would stand where the other does."""
    clone = place.clone
    clone.save({"requests/API.yaml": request("upper", "upper.example.internal")})
    code, words = place.reconcile()
    assert code == 1, words
    assert "API" in words
    git(clone.folder, "fetch", "-q", "origin")
    tip = tip_of_origin(place)
    state = clone.snapshot(tip).state
    # Nobody can tell which of the two was there first.
    assert {name for name, record in state.requests.items() if record.current} == {"web"}
    assert clone.verify(tip).contradictions == []
