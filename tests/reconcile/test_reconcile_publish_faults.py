"""Publishing fails at each call, in both ways, and dies at each: the next run makes it whole.

Not done and told as failed; done and told as failed; killed (SIGKILL). After each, every object at
the target is an old one or a new one, and a run without a fault leaves what it would have left
anyway.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ca_documents import request, revocation
from ca_world import Clone
from gitca.errors import BackendUnavailableError
from publish_world import FOLDER, files, published, reconciled, repository

PROGRAM = Path(__file__).with_name("publish_killer.py")


@pytest.fixture(scope="module")
def due_once(tmp_path_factory: pytest.TempPathFactory, made_once: Clone) -> Clone:
    """One certificate is published; its revocation, a renewal and a new one are committed."""
    clone = made_once.copy(tmp_path_factory.mktemp("due") / "clone")
    names = ("api", "web")
    clone.save(
        repository(FOLDER)
        | {f"requests/{name}.yaml": request(name, f"{name}.example.internal") for name in names}
    )
    assert reconciled(clone).exit_code == 0
    clone.clock.forward(days=21)
    clone.save(
        {
            "requests/stop.yaml": revocation(certificate="api"),
            "requests/new.yaml": request("new", "new.example.internal"),
        }
    )
    assert clone.reconcile().exit_code == 0
    return clone


@pytest.fixture
def due(due_once: Clone, tmp_path: Path) -> Clone:
    return due_once.copy(tmp_path / "clone")


def failing_at(number: int, kinds: tuple[str, ...]) -> Callable[[str, str], None]:
    """Return what fails the call with a number, of those kinds."""
    count, lock = iter(range(1, 10**6)), threading.Lock()

    def before(what: str, path: str) -> None:
        with lock:
            if what in kinds and next(count) == number:
                raise BackendUnavailableError(f"the target did not answer ({what} {path})")

    return before


@pytest.mark.parametrize(
    "kinds", [("read",), ("write",), ("written",)], ids=["asked", "not done", "done"]
)
def test_a_call_that_fails_leaves_nothing_that_the_next_run_does_not_mend(
    due: Clone, kinds: tuple[str, ...]
) -> None:
    old = files(due)
    before = due.folder.parent / "before"
    shutil.copytree(due.folder / "public", before)
    assert published(due).exit_code == 0
    new = files(due)
    assert new["issuing.crl"] != old["issuing.crl"]
    failures = 0
    for number in range(1, 400):
        shutil.rmtree(due.folder / "public")
        shutil.copytree(before, due.folder / "public")
        result = published(due, before=failing_at(number, kinds))
        left = files(due)
        if result.exit_code == 0:
            break
        failures += 1
        assert result.exit_code == 4
        assert old.keys() <= left.keys()
        assert all(
            content in (old.get(path), new.get(path))
            for path, content in left.items()
            if path != "manifest.json"
        )
        assert json.loads(left["manifest.json"])["complete"] is (
            left["manifest.json"] in (old["manifest.json"], new["manifest.json"])
        )
        assert published(due).exit_code == 0
        assert files(due) == new
    assert failures >= 8, "each call was failed"
    assert files(due) == new


def test_a_run_that_is_killed_around_any_write_is_finished_by_the_next(due: Clone) -> None:
    done = subprocess.run(
        [
            *(sys.executable, str(PROGRAM), str(due.folder)),
            *(str(due.keys.folder), due.clock.now.isoformat()),
        ],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    *killed, last = told
    assert (last["code"], last["at"]) == (0, "")
    assert len(killed) >= 16
    assert {one["at"].split()[0] for one in killed} == {"write", "written"}
    for one in told:
        assert one["code"] in (0, -signal.SIGKILL)
        assert (one["whole"], one["next"], one["equal"]) == (True, 0, True), one


def test_what_was_sent_before_a_failure_is_not_sent_again(due: Clone) -> None:
    def before(what: str, path: str) -> None:
        if (what, path) == ("write", "certificates/issuing/new.pem"):
            raise BackendUnavailableError("the target did not answer")

    first = published(due, before=before).targets[0]
    assert first.exit_code == 4
    assert any(path.startswith("serials/") for path in first.sent)
    second = published(due).targets[0]
    assert second.exit_code == 0
    assert "certificates/issuing/new.pem" in second.sent
    assert set(first.sent).isdisjoint(second.sent)


def test_two_runs_at_once_leave_one_of_them_nothing_to_mend(due: Clone) -> None:
    """Both were told of the same versions; the loser of each swap finds the object there."""
    inner: list[int] = []

    def before(what: str, path: str) -> None:
        # The other run happens right before the first object of this one is written.
        if what == "write" and not inner:
            inner.append(0)
            assert published(due).exit_code == 0

    result = published(due, before=before)
    assert result.exit_code == 0
    there = files(due)
    assert json.loads(there["manifest.json"])["complete"] is True
    again = published(due)
    assert (again.exit_code, again.targets[0].sent, files(due)) == (0, [], there)


def test_the_target_is_whole_again_after_it_was_lost(due: Clone) -> None:
    assert published(due).exit_code == 0
    there = files(due)
    shutil.rmtree(due.folder / "public")
    assert published(due).exit_code == 0
    assert files(due) == there


def test_another_clone_publishes_the_same(due: Clone, tmp_path: Path) -> None:
    assert published(due).exit_code == 0
    other = replace(due.copy(tmp_path / "other"))
    shutil.rmtree(other.folder / "public")
    assert published(other).exit_code == 0
    assert files(other) == files(due)


def test_a_target_that_holds_too_much_for_the_memory_holds_up_no_other(made: Clone) -> None:
    made.save(repository("directory:public", "directory:other"))
    assert made.reconcile().exit_code == 0
    opened: list[str] = []

    def too_much(what: str, path: str) -> None:
        opened.append(path)
        if len(opened) == 1:
            raise MemoryError

    result = published(made, before=too_much)
    assert [target.exit_code for target in result.targets] == [4, 0]
    assert "too little memory" in str(result.targets[0].failures[0])
    assert "issuing.crl" in files(made, "other")
