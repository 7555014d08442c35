"""What somebody evil does at a forge, and what must stand as it was afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from pipeline import relying_party
from pipeline.forge import REPOSITORY, Pull
from pipeline.pipeline_world import World

_NUMBERS = count(1)


@dataclass(frozen=True)
class Standing:
    """What an attack would gain: signatures, files of the main branch, published ones, roles."""

    signatures: int
    main: str
    manifest: bytes
    roles: int

    @classmethod
    def of(cls, world: World) -> Standing:
        return cls(
            len(world.signs()),
            world.forge.tip(),
            relying_party.fetch(f"{world.url}/manifest.json").content,
            len(world.cloud.granted),
        )


@dataclass(frozen=True)
class Attacker:
    """A person with a clone: of the repository, or of a fork of their own."""

    world: World
    name: str
    source: str
    clone: Path

    def write(self, files: Mapping[str, str], *, executable: bool = False) -> None:
        """Write files below the clone."""
        for name, text in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if executable:
                path.chmod(0o755)

    def propose(self, branch: str = "evil") -> Pull:
        """Open a pull request of all that lies in the clone."""
        return self.world.propose(self.clone, branch, self.name, self.source)


def outsider(world: World) -> Attacker:
    """Somebody with a forge account and a fork."""
    name = f"mallory{next(_NUMBERS)}"
    source = world.forge.fork(name)
    return Attacker(world, name, source, world.clone(name, source))


def insider(world: World) -> Attacker:
    """Somebody who may push branches of the repository itself."""
    return Attacker(world, "alice", REPOSITORY, world.clone("alice"))


def bodies(world: World, pull: Pull) -> list[str]:
    """Return the comments of a pull request."""
    return [comment["body"] for comment in world.forge.comments[pull.number].values()]
