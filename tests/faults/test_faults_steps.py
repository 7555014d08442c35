"""Every effect of a reconcile fails in two ways, and the next run finishes with the same bytes.

Not done and reported as failed; done and reported as failed. That the process dies (SIGKILL) before
and after each call of Git is in tests/reconcile/test_reconcile_killed.py; here it dies around every
signature.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault_histories import Stage
from nursery import Reconciler
from outside_judge import OutsideJudge
from tally import counted

from ca_documents import request, revocation
from ca_world import Clock, Clone, git, serials_of

WRITES = ("fast-import", "fetch", "push", "read-tree", "update-index", "update-ref")
SHIM = f"""\
#!/bin/sh
case "$1" in
    {"|".join(WRITES)}) ;;
    *) exec "$SHIM_GIT" "$@" ;;
esac
n=$(($(cat "$SHIM_COUNT") + 1)); echo $n > "$SHIM_COUNT"
[ "$n" -eq "$SHIM_AT" ] || exec "$SHIM_GIT" "$@"
echo "$1" > "$SHIM_COUNT.hit"
if [ "$SHIM_HOW" = done ]; then "$SHIM_GIT" "$@" > "$SHIM_COUNT.out" 2>&1; fi
echo 'fatal: the disk or the network failed' >&2
exit 128
"""


@dataclass
class Waiting:
    """A folder with a clone and perhaps its origin, in which a revocation and a request wait."""

    stage: Stage
    folder: Path
    runs: int = 0

    @property
    def clone(self) -> Clone:
        return Clone(self.folder / "one", self.stage.keys, Clock())

    @property
    def ledger(self) -> Path:
        """The repository whose main counts."""
        origin = self.folder / "origin.git"
        return origin if self.clone.has_origin else self.folder / "one" / ".git"

    def run(self, now: int, **orders: object) -> Reconciler:
        self.runs += 1
        run = self.stage.nursery.start(
            self.folder / "one",
            f"{self.runs:016x}",
            origin=str(self.ledger),
            log=str(self.folder / "log"),
            now=now,
            **orders,
        )
        run.wait()
        return run


@pytest.fixture(scope="module")
def waiting_once(tmp_path_factory: pytest.TempPathFactory, stage: Stage) -> Path:
    folder = tmp_path_factory.mktemp("waiting") / "all"
    shutil.copytree(stage.folder, folder)
    waiting = Waiting(stage, folder)
    clone = waiting.clone
    clone.save({"requests/api.yaml": request("api", "api.example.internal")})
    clone.clock.forward(hours=1)
    assert clone.reconcile().exit_code == 0
    clone.save(
        {
            "requests/stop.yaml": revocation(certificate="api"),
            "requests/web.yaml": request("web", "web.example.internal"),
        }
    )
    (folder / "git-shim").mkdir()
    (folder / "git-shim" / "git").write_text(SHIM)
    (folder / "git-shim" / "git").chmod(0o755)
    return folder


@pytest.fixture
def copies(waiting_once: Path, stage: Stage, quick_folder: Path) -> Iterator[Waiting]:
    """Fresh copies, one after another."""

    def fresh() -> Iterator[Waiting]:
        for number in range(1000):
            shutil.copytree(waiting_once, quick_folder / f"{number}")
            yield Waiting(stage, quick_folder / f"{number}")
            shutil.rmtree(quick_folder / f"{number}")

    return fresh()


def check_finished(waiting: Waiting, now: int, place: str, before: list[tuple[str, str]]) -> None:
    """The next run finishes, with the serial numbers that the first had drawn."""
    run = waiting.run(now, take_over=True)
    assert (run.code, run.told.get("words")) == (0, ""), f"{place}: {run.told}"
    clone = waiting.clone
    clone.clock.forward(hours=4)
    state = clone.state
    serials = serials_of(state)
    assert serials[: len(before)] == before, place
    assert len(serials) == len(set(serials)) == 4, place
    assert [len(record.orders) for record in state.requests.values()] == [1, 1], place
    assert list(clone.revoked()) == [clone.current("api").certificate.serial], place
    assert clone.verify().contradictions == [], place
    assert clone.plan().actions == (), place
    assert clone.status == "", place


def recorded(waiting: Waiting) -> list[tuple[str, str]]:
    """Return the serial numbers that the ledger has now, which are never drawn again."""
    clone = waiting.clone
    tip = git(waiting.ledger, "rev-parse", "main")
    if clone.has_origin:
        git(clone.folder, "fetch", "-q", "origin")
    return serials_of(clone.snapshot(tip).state)


def moment(waiting: Waiting) -> int:
    clone = waiting.clone
    clone.clock.forward(hours=3)
    return int(clone.clock.now.timestamp())


@pytest.mark.parametrize("how", ["not done", "done"])
@pytest.mark.parametrize("with_origin", [True, False], ids=["remote", "no remote"])
def test_a_git_that_fails_is_made_good_by_the_next_run(
    copies: Iterator[Waiting], with_origin: bool, how: str
) -> None:
    hit: list[str] = []
    with counted("effects of Git") as tally:
        for at in range(1, 100):
            waiting = next(copies)
            if not with_origin:
                git(waiting.folder / "one", "remote", "remove", "origin")
            counter = waiting.folder / "count"
            counter.write_text("0\n")
            now, real = moment(waiting), shutil.which("git")
            run = waiting.run(
                now,
                environment={
                    "PATH": f"{waiting.folder / 'git-shim'}:/usr/local/bin:/usr/bin:/bin",
                    "SHIM_GIT": real,
                    "SHIM_COUNT": str(counter),
                    "SHIM_AT": str(at),
                    "SHIM_HOW": how,
                },
            )
            failed = Path(f"{counter}.hit")
            if not failed.exists():
                assert run.code == 0
                break
            hit.append(failed.read_text().strip())
            place = f"call {at}, git {hit[-1]}, {how}: {run.told}"
            assert run.code in {0, 1, 3, 4}, place
            assert "Traceback" not in run.told["words"], place
            tally[f"git {hit[-1]}: {how}"] += 1
            check_finished(waiting, now + 60, place, recorded(waiting))
    never = {"fetch", "push"} if not with_origin else set()
    assert set(hit) == set(WRITES) - never, "every call of Git that writes has failed once"


@pytest.mark.parametrize("place", ["sign", "signed"], ids=["before", "after"])
@pytest.mark.parametrize("fault", ["SIGKILL", "throttle", "forget", "repeat"])
@pytest.mark.parametrize("with_origin", [True, False], ids=["remote", "no remote"])
def test_a_signer_that_fails_or_dies_is_made_good_by_the_next_run(
    copies: Iterator[Waiting], with_origin: bool, fault: str, place: str
) -> None:
    waiting = next(copies)
    if not with_origin:
        git(waiting.folder / "one", "remote", "remove", "origin")
    judge = OutsideJudge(waiting.ledger, waiting.folder / "log")
    now = moment(waiting)
    if fault == "SIGKILL":
        run = waiting.run(now, stop=place)
        assert run.at == place
        run.kill()
        judge.forget(run.run)
    else:
        run = waiting.run(now, fail=fault, fail_after={"sign": 0, "signed": 1}[place])
        assert run.code == (0 if fault == "repeat" else 4)
    judge.look()
    check_finished(waiting, now + 60, fault, recorded(waiting))
    judge.look()
    judge.settle()
    with counted("signatures") as tally:
        tally[f"{fault}, {place}"] += 1
