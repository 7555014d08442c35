"""`gitca status`: what expires, what is overdue, and what waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from gitca.cli.output import Format, write_json
from gitca.cli.settings import settings_of
from gitca.cli.times import clock

OVERDUE = 1  # the exit code of --strict


def status(
    context: typer.Context,
    within: Annotated[
        int,
        typer.Option("--within", metavar="DAYS", min=0, max=36500, help="What expires within so."),
    ] = 30,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if anything is overdue.")
    ] = False,
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Say what expires, what is overdue, and what waits.

    Also which certificates nobody asks for any longer. Overdue is: a CRL past its nextUpdate, an
    expired CA, an expired certificate whose request still stands, a renewal that is due, an order
    whose run let its lease pass.
    """
    from gitca.cli.clone import open_clone
    from gitca.cli.standing import read_standing, standing_record, write_standing

    with open_clone(settings_of(context).repo) as clone:
        standing = read_standing(clone, clock(), within=timedelta(days=within))
    if output_format is Format.JSON:
        write_json(standing_record(standing))
    else:
        write_standing(standing, within)
    if strict and standing.overdue:
        raise typer.Exit(OVERDUE)
