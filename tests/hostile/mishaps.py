"""The situations that docs/operations.md is for, brought about in a repository with its origin."""

from __future__ import annotations

import time

from hostile_world import Hostile

import gitca_process

_PATIENCE_SECONDS = 60.0
# The branch has moved, and the push that moved it stands until a test lets it go on.
_STAND = """\
#!/bin/sh
rm -f hooks/post-receive
touch arrived
while [ ! -e release ]; do sleep 0.01; done
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
    """A run is killed (SIGKILL) when its orders have arrived at the origin, before it signs."""
    hook(world, "post-receive", _STAND)
    running = gitca_process.start(world.clone, "reconcile")
    end = time.monotonic() + _PATIENCE_SECONDS
    while not (world.origin / "arrived").exists():
        assert time.monotonic() < end, running.words
        time.sleep(0.01)
    running.process.kill()
    running.process.join()
    (world.origin / "release").touch()


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


def hook(world: Hostile, name: str, text: str) -> None:
    """Let the origin have a hook of its own."""
    path = world.origin / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
