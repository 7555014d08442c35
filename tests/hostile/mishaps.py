"""The situations that docs/operations.md is for, brought about in a repository with its origin."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hostile_world import Hostile

import gitca_process
from ca_signers import failing_after
from ca_world import Clock, Clone, KeyRing
from gitca.cli.clone import open_store
from gitca.reconcile.keys import Keys
from gitca.reconcile.recipe import reconcile

_PATIENCE_SECONDS = 60.0
# The branch has moved, and the push that moved it stands for as long as the machine does.
_STAND = """\
#!/bin/sh
rm -f hooks/post-receive
touch arrived
exec sleep 600
"""
# Each push finds that somebody merged while it was under way.
_MERGE = """\
#!/bin/sh
unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
tip=$(git rev-parse refs/heads/main)
as="-c user.name=Merger -c user.email=merger@example.internal"
merged=$(git $as commit-tree -p "$tip" -m "a merge" "$tip^{tree}")
git update-ref refs/heads/main "$merged" "$tip"
"""


def dies_before_it_signs(world: Hostile) -> None:
    """A run is killed when its orders have arrived at the origin, before it signs.

    Its machine goes away: SIGKILL for it and all that it started.
    """
    hook(world, "post-receive", _STAND)
    running = gitca_process.start(world.clone, "reconcile")
    end = time.monotonic() + _PATIENCE_SECONDS
    while not (world.origin / "arrived").exists():
        assert time.monotonic() < end, running.words
        time.sleep(0.01)
    assert running.process.pid is not None
    started = _with_children(running.process.pid)
    assert len(started) > 1
    for pid in started:
        with suppress(ProcessLookupError):  # the hook's `touch` ends by itself
            os.kill(pid, signal.SIGKILL)
    running.process.join()
    while any(map(_parent, started)):
        assert time.monotonic() < end, started
        time.sleep(0.01)


def dies_with_its_clock_ahead(world: Hostile) -> None:
    """A run on a machine whose clock is three hours ahead dies before it signs."""
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
    clone = Clone(world.clone, KeyRing(world.clone), Clock(later))
    dead = failing_after(clone.keys.named("issuing"), 0)
    with open_store(world.clone) as store:
        keys = Keys(clone.keys.but(issuing=dead))
        assert reconcile(store, keys, clone.world()).exit_code == 4


def loses_the_race(world: Hostile) -> None:
    """A run gives up: each time that it pushed, somebody had merged in between."""
    hook(world, "pre-receive", _MERGE)
    assert world.gitca("reconcile").code == 3
    (world.origin / "hooks/pre-receive").unlink()


def finds_no_origin(world: Hostile) -> None:
    """The origin is away while a run goes, and is there again after it."""
    away = world.origin.rename(world.top / "away.git")
    assert world.gitca("reconcile").code == 4
    away.rename(world.origin)


def has_a_crl_that_is_due(world: Hostile) -> None:
    """The issuing CA's CRL of a week should have been refreshed eight days before its end."""
    path = world.clone / "ca/issuing.yaml"
    text = path.read_text()
    path.write_text(
        text.replace("lifetime: 7d", "lifetime: 30d").replace(
            "refreshBefore: 3d", "refreshBefore: 8d"
        )
    )
    world.git("commit", "-q", "-am", "CRLs that last longer")
    world.git("push", "-q", "origin", "main")
    assert world.gitca("status", "--strict").code == 1


def _with_children(pid: int) -> list[int]:
    """Return a process and all that it started, itself first."""
    found = [pid]
    everybody = [int(item.name) for item in Path("/proc").iterdir() if item.name.isdecimal()]
    parents = {child: _parent(child) for child in everybody}
    for standing in found:
        found += [child for child, parent in parents.items() if parent == standing]
    return found


def _parent(pid: int) -> int:
    """Return who started a process; 0 for one that is gone."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0 if state == "Z" else int(parent)


def hook(world: Hostile, name: str, text: str) -> None:
    """Let the origin have a hook of its own."""
    path = world.origin / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
