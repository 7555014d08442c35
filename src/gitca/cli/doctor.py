"""`gitca doctor`: whether this machine, this repository and its keys are fit to work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.completion import authority_names
from gitca.cli.output import Format, write_json
from gitca.cli.settings import find_root, settings_of
from gitca.cli.times import clock, format_time
from gitca.errors import UsageError

if TYPE_CHECKING:
    from gitca.cli.doctor_check import Check

UNFIT = 1  # the exit code that says that a check failed


def doctor(
    context: typer.Context,
    ca: Annotated[
        list[str] | None,
        typer.Option(
            "--ca",
            metavar="CA",
            help="Look at this CA's key alone; repeatable.",
            autocompletion=authority_names,
        ),
    ] = None,
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Check this machine, this repository, its pipelines and its keys.

    Nothing is signed and nothing is changed; origin, targets and signers are asked, and a
    passphrase or PIN may be asked for. What failed is told again at the end, in the order in which
    to mend it. A key that is not at this machine is a note. Exits with 1 if a check
    failed, else with 0; no failure hides the checks after it.
    """
    from gitca.cli.doctor_check import Outcome
    from gitca.cli.doctor_text import steps, write_checks

    settings, now = settings_of(context), clock()
    checks = tuple(examine(settings.repo, ca or [], now))
    has_failed = any(check.outcome is Outcome.FAILED for check in checks)
    if output_format is Format.JSON:
        record = {"at": format_time(now), "fit": not has_failed, "next": list(steps(checks))}
        write_json(record | {"checks": [check.as_json() for check in checks]})
    else:
        write_checks(checks, quiet=settings.is_quiet)
    if has_failed:
        raise typer.Exit(UNFIT)


def examine(folder: Path, names: list[str], now: datetime) -> Iterator[Check]:
    """Yield every check of a repository, of the CAs in `names` (of all where it is empty).

    Raises: UsageError for a CA that there is not.
    """
    from gitca.cli.clone import check_authority
    from gitca.cli.doctor_check import attempt, failed
    from gitca.cli.doctor_keys import authority_checks
    from gitca.cli.doctor_machine import program_checks
    from gitca.cli.doctor_pipelines import pipeline_checks
    from gitca.cli.doctor_repository import document_checks, repository_checks
    from gitca.cli.doctor_schedule import schedule_checks
    from gitca.cli.doctor_targets import target_checks
    from gitca.cli.passphrase import signer_opener
    from gitca.cli.worktree import governing_of

    yield from attempt("Git", program_checks)
    try:
        root = find_root(folder)
        governing = governing_of(root)
    except UsageError as error:
        yield failed("repository", error)
        return
    for name in names:
        check_authority(governing, name)
    state = yield from repository_checks(root, governing, now)
    yield from document_checks(governing)
    yield from attempt("schedule", lambda: schedule_checks(root, governing))
    yield from attempt("pipeline", lambda: pipeline_checks(root, governing))
    yield from target_checks(root, governing, state)
    opener = signer_opener(root)
    yield from authority_checks(governing, state, open_signer=opener, names=names, now=now)
