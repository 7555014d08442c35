"""A process that is killed between any two steps is finished by the next, with the same serials.

The real command runs with a `git` first on its PATH that counts, and kills its parent (SIGKILL)
before the Nth call of Git, or after the Nth that writes: for every N until a run is not killed.
What the calls were is noted, so that a command of Git which writes is not left out.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import gitca_process
from ca_documents import GOVERNING, request, revocation
from ca_world import Clock, Clone, KeyRing, git, serials_of
from gitca.ledger.state import LedgerState

SHARDS = 3
WRITING = {"fast-import", "push", "fetch", "update-ref", "update-index", "read-tree"}
READING = {
    *(
        "cat-file",
        "config",
        "diff-index",
        "diff-tree",
        "for-each-ref",
        "log",
        "ls-files",
        "ls-tree",
    ),
    *("merge-base", "rev-list", "rev-parse", "show-ref", "symbolic-ref", "worktree", "version"),
    "remote",
}
# update-ref with these refs is the lock of a repository without a remote, and its note of where the
# working tree stands.
SHIM = """\
#!/bin/sh
count() { n=$(($(cat "$SHIM_COUNT") + 1)); echo $n > "$SHIM_COUNT"; }
echo "$1" >> "$SHIM_COUNT.calls"
if [ "$SHIM_WHEN" = before ]; then
    count
    [ "$n" -ne "$SHIM_AT" ] || { kill -KILL $PPID; exit 1; }
    exec "$SHIM_GIT" "$@"
fi
case "$1" in
    @WRITING@) count ;;
    *) exec "$SHIM_GIT" "$@" ;;
esac
"$SHIM_GIT" "$@"; code=$?
[ "$n" -ne "$SHIM_AT" ] || kill -KILL $PPID
exit $code
""".replace("@WRITING@", "|".join(sorted(WRITING)))


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing) -> Clone:
    """A repository of today with one certificate; its revocation and a new request wait."""
    files = {**GOVERNING, "requests/api.yaml": request("api", "api.example.internal")}
    clone = Clone.create(tmp_path_factory.mktemp("waiting") / "clone", key_ring, files)
    clone.clock = Clock(now())
    assert clone.reconcile().exit_code == 0
    shutil.copytree(key_ring.folder / ".gitca", clone.folder / ".gitca")
    clone.save(
        {
            "requests/stop.yaml": revocation(certificate="api"),
            "requests/web.yaml": request("web", "web.example.internal"),
        }
    )
    return clone


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shim")
    (folder / "git").write_text(SHIM)
    (folder / "git").chmod(0o755)
    return folder


def copies(waiting: Clone, folder: Path, *, with_origin: bool) -> Iterator[Clone]:
    """Give one fresh copy of the repository after another."""
    number = 0
    while True:
        number += 1
        clone = waiting.copy(folder / f"{number}" / "clone")
        yield clone.with_origin(folder / f"{number}" / "origin.git") if with_origin else clone
        shutil.rmtree(folder / f"{number}")


def killed(clone: Clone, shim: Path, *arguments: str, when: str, at: int) -> bool:
    """Run reconcile, or another command, and say whether it was killed; else it has succeeded."""
    counter = clone.folder.parent / "count"
    counter.write_text("0\n")
    real = shutil.which("git")
    assert real is not None
    running = gitca_process.run(
        clone.folder,
        *(arguments or ("reconcile",)),
        PATH=f"{shim}:/usr/local/bin:/usr/bin:/bin",
        SHIM_COUNT=str(counter),
        SHIM_WHEN=when,
        SHIM_AT=str(at),
        SHIM_GIT=real,
    )
    code = running.wait()
    assert code in {0, -signal.SIGKILL}, running.words
    return code != 0


def known_to_all(clone: Clone) -> LedgerState:
    """The ledger as the remote has it, or the branch where there is no remote."""
    if not clone.has_origin:
        return clone.state
    git(clone.folder, "fetch", "-q", "origin")
    return clone.snapshot(git(clone.folder, "rev-parse", "origin/main")).state


def check_finished(clone: Clone, before: LedgerState, place: str) -> None:
    # A CRL of the same second as the last one is dated a second later.
    clone.clock.now = now() + timedelta(seconds=5)
    state = clone.state
    assert not state.pending, place
    assert serials_of(state)[: len(serials_of(before))] == serials_of(before), place
    assert len(serials_of(state)) == len(set(serials_of(state))) == 4, place
    assert [len(record.orders) for record in state.requests.values()] == [1, 1], place
    assert list(clone.revoked()) == [clone.current("api").certificate.serial], place
    assert clone.openssl_verify("web") == "OK", place
    assert clone.openssl_verify("api") == "certificate revoked", place
    assert clone.verify().contradictions == [], place
    assert clone.plan().actions == (), place
    assert clone.status == "", place


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("with_origin", [False, True], ids=["no remote", "remote"])
def test_a_killed_reconcile_is_finished_by_the_next_with_the_same_serial_numbers(
    waiting: Clone, shim: Path, tmp_path: Path, with_origin: bool, when: str, shard: int
) -> None:
    repositories = copies(waiting, tmp_path, with_origin=with_origin)
    for at in range(1 + shard, 200, SHARDS):
        clone = replace(next(repositories), clock=Clock(now()))
        if not killed(clone, shim, when=when, at=at):
            break
        before, clone.clock.now = known_to_all(clone), now()
        place = f"killed {when} call {at}"
        assert clone.reconcile(take_over=True).exit_code == 0, place
        check_finished(clone, before, place)
    assert at > {"before": 20, "after": 4}[when], "the run was killed at every step"
    check_finished(clone, clone.state, "not killed")
    calls = set((clone.folder.parent / "count.calls").read_text().split())
    assert calls <= WRITING | READING, "a command of Git that writes is one to be killed after"
    assert WRITING - calls <= (set() if with_origin else {"fetch", "push"})
