"""Several clones reconciling at once, as processes of their own: nothing lost, nothing twice."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

import gitca_process
from ca_documents import GOVERNING, request, revocation
from ca_world import Clock, Clone, KeyRing, git, serials_of

REQUESTS = {
    f"requests/web{number}.yaml": request(f"web{number}", f"web{number}.example.internal")
    for number in range(6)
}


@pytest.fixture
def clones(tmp_path: Path, key_ring: KeyRing) -> list[Clone]:
    """Three clones of an origin whose documents were never reconciled, each with the keys."""
    first = Clone.create(tmp_path / "one", key_ring, {**GOVERNING, **REQUESTS})
    first.clock = Clock(datetime.now(UTC).replace(microsecond=0))
    first.with_origin(tmp_path / "origin.git")
    clones = [first, first.beside("two"), first.beside("three")]
    for clone in clones:
        shutil.copytree(key_ring.folder / ".gitca", clone.folder / ".gitca")
    return clones


def at_once(clones: list[Clone], *arguments: str) -> None:
    """Reconcile in all clones at the same time, until each has nothing left to do."""
    busy = clones
    for _ in range(10):
        running = [gitca_process.start(clone.folder, "reconcile", *arguments) for clone in busy]
        codes = [process.wait() for process in running]
        assert set(codes) <= {0, 3}, "\n".join(process.words for process in running)
        busy = [clone for clone, code in zip(busy, codes, strict=True) if code]
        if not busy:
            return
    # What a run holds it also finishes, unless it was killed; nobody was.
    pytest.fail(f"still held by others: {running[0].words}")


def check(clone: Clone) -> None:
    clone.clock.now = datetime.now(UTC).replace(microsecond=0)
    clone.pull()
    state = clone.state
    serials = serials_of(state)
    assert len(serials) == len(set(serials)) == 2 + len(REQUESTS)
    assert [len(record.orders) for record in state.requests.values()] == [1] * len(REQUESTS)
    assert all(record.current for record in state.requests.values())
    assert not state.pending
    assert not any(record.spent for record in state.orders.values())
    assert clone.verify().contradictions == []
    assert clone.plan().actions == ()
    assert git(Path(clone.origin), "rev-parse", "main") == clone.tip


def test_three_clones_at_once_make_one_history_with_every_certificate_once(
    clones: list[Clone],
) -> None:
    at_once(clones)
    check(clones[0])
    assert [clones[0].openssl_verify(f"web{number}") for number in range(6)] == ["OK"] * 6
    person = clones[0]
    person.save({f"requests/stop{n}.yaml": revocation(certificate=f"web{n}") for n in range(3)})
    at_once(clones)
    check(person)
    assert len(person.revoked()) == 3
    for clone in clones[1:]:
        git(clone.folder, "fetch", "-q")
        assert clone.status == ""


def test_processes_in_one_clone_at_once_do_no_harm(clones: list[Clone]) -> None:
    """They share the index, the working tree and the references."""
    alone = clones[0]
    git(alone.folder, "remote", "remove", "origin")
    at_once([alone, alone, alone])
    alone.clock.now = datetime.now(UTC).replace(microsecond=0)
    state = alone.state
    serials = serials_of(state)
    assert len(serials) == len(set(serials)) == 2 + len(REQUESTS)
    assert alone.verify().contradictions == []
    assert alone.plan().actions == ()
    assert gitca_process.run(alone.folder, "reconcile").wait() == 0
    assert alone.status == ""
