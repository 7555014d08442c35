"""Looks for credentials wherever a job could have left or shown them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.pipeline_world import World
from pipeline.runner_actions import APP_KEY
from pipeline.runner_job import Job
from pipeline.runner_programs import calls

# `GIT_CONFIG_KEY_0` is the name of a setting; what settings hold is searched as all values are.
_NAMES = re.compile(
    r"(?!GIT_CONFIG_KEY_\d+$).*(?:AWS_|TOKEN|SECRET|PASS|CREDENTIAL|_KEY|GITCA_|GH_|ASKPASS|extraheader)",
    re.I,
)


def credentials(world: World) -> list[str]:
    """Return every credential there is, as it is and as HTTP's basic authentication has it."""
    plain = [*world.forge.given, APP_KEY, *world.cloud.secrets]
    basic = [base64.b64encode(f"x-access-token:{each}".encode()).decode() for each in plain]
    return [*plain, *basic]


def shown(world: World, job: Job) -> list[str]:
    """Return where a job's machine shows a credential: none of the plan's does."""
    return [*_named(job), *_valued(world, job)]


def _named(job: Job) -> Iterator[str]:
    """Yield variables of steps and processes whose name says that they are credentials."""
    for step in job.done:
        yield from (f"{step.name}: {name}" for name in step.environment if _NAMES.match(name))
    for call in calls(job.folder / "observed"):
        for variable in call.environment:
            name = variable.partition("=")[0]
            if _NAMES.match(name):
                yield f"{call.program} {' '.join(call.arguments)}: {name}"


def _valued(world: World, job: Job) -> Iterator[str]:
    """Yield files, arguments, variables and log lines that hold a credential itself."""
    values = [value.encode() for value in credentials(world)]
    for path in sorted(job.folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            yield from (f"{path.relative_to(job.folder)}" for each in values if each in content)
    told = "\n".join([job.log, job.summary]).encode()
    yield from ("the log" for each in values if each in told)


def in_arguments(world: World, job: Job) -> list[str]:
    """Return the processes that have a credential among their arguments."""
    values = credentials(world)
    return [
        call.program
        for call in calls(job.folder / "observed")
        if any(value in " ".join(call.arguments) for value in values)
    ]


def in_workspace(world: World, folder: Path) -> list[str]:
    """Return the files below a folder that hold a credential."""
    values = [value.encode() for value in credentials(world)]
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(value in path.read_bytes() for value in values)
    ]
