"""A ceremony, or its carrying over, that is killed at any step is finished by the next run.

As in `test_reconcile_killed`: for every call of Git, until a run is not killed.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from offline_world import Hierarchy
from test_reconcile_killed import killed, now, shim

from ca_documents import GOVERNING, authority, request
from ca_world import Clock, Clone, KeyRing, git, serials_of

__all__ = ["shim"]

SHARDS = 2
OFFLINE = ("sign", "--ca", "root", "--offline", "--yes")
WEB = {"requests/web.yaml": request("web", "web.example.internal")}


@dataclass(frozen=True)
class Scene:
    """Clones at a moment of a ceremony, to be copied, and the command that is killed in them."""

    folder: Path
    office: Clone
    safe: Clone
    command: tuple[str, ...]
    serials: int

    def copy(self, folder: Path) -> Scene:
        shutil.copytree(self.folder, folder, symlinks=True)
        clones = []
        for clone in (self.office, self.safe):
            there = replace(clone, folder=folder / clone.folder.name, clock=Clock(now()))
            git(there.folder, "remote", "set-url", "origin", str(folder / "origin.git"))
            clones.append(there)
        return replace(self, folder=folder, office=clones[0], safe=clones[1])

    def finish(self) -> None:
        """Run the command again, in this process."""
        self.safe.clock.now = now()
        if "--offline" in self.command:
            self.safe.sign("root", offline=True)
        self.safe.carry_over()
        with self.safe.store() as store:
            store.load()
            store.bring_forward()


def scene(folder: Path, keys: KeyRing, kind: str) -> Scene:
    files = {**GOVERNING, "ca/other.yaml": authority("other", "root")}
    office = Clone.create(folder / "office", keys, files)
    office.clock = Clock(now())
    world = Hierarchy(folder, office.with_origin(folder / "origin.git"))
    if kind != "birth":
        assert office.reconcile(opener=keys.but(issuing=None, other=None)).exit_code == 0
        # The root's certificate and CRL are there; now both CAs below it are ordered.
        world.reconcile()
    safe = world.bring_back(world.safe())
    shutil.copytree(keys.folder / ".gitca", safe.folder / ".gitca")
    if kind == "carry":
        world.sign(safe)
        office.save(WEB)
    command = ("sign",) if kind == "carry" else OFFLINE
    return Scene(folder, office, safe, command, 1 if kind == "birth" else 3)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing) -> dict[str, Scene]:
    kinds = ("birth", "carry")
    return {kind: scene(tmp_path_factory.mktemp(kind), key_ring, kind) for kind in kinds}


def check(there: Scene, before: list[tuple[str, str]], place: str) -> None:
    safe = there.safe
    state = safe.state
    assert not state.pending, place
    serials = serials_of(state)
    assert serials[: len(before)] == before, place
    assert len(serials) == len(set(serials)) == there.serials, place
    assert state.authority("root").crl is not None, place
    assert not any(record.spent for record in state.orders.values()), place
    assert safe.verify().contradictions == [], place
    assert safe.status == "", place
    assert git(there.folder / "origin.git", "rev-parse", "main") == safe.tip, place


def check_office(there: Scene) -> None:
    """What was signed is enough for the office to go on."""
    there.office.clock.now = now()
    there.office.pull()
    report = there.office.reconcile(opener=there.office.keys.but(root=None))
    assert (report.exit_code, there.office.verify().contradictions) == (0, [])


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["birth", "carry"])
def test_a_killed_ceremony_is_finished_by_the_next_with_the_same_bytes(
    scenes: dict[str, Scene], shim: Path, tmp_path: Path, kind: str, when: str, shard: int
) -> None:
    for at in range(1 + shard, 200, SHARDS):
        there = scenes[kind].copy(tmp_path / f"{at}")
        was_killed = killed(there.safe, shim, *there.command, when=when, at=at)
        before, place = serials_of(there.safe.state), f"killed {when} call {at}"
        there.finish()
        check(there, before, place)
        if not was_killed:
            check_office(there)
        shutil.rmtree(there.folder)
        if not was_killed:
            break
    assert at > {"before": 15, "after": 3}[when], "the run was killed at every step"
