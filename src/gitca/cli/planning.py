"""`gitca plan`: what a reconcile would do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.output import Format, Styled, write_block, write_json, write_line
from gitca.cli.settings import settings_of
from gitca.cli.times import clock, parse_time

if TYPE_CHECKING:
    from gitca.cli.clone import Change


def plan(
    context: typer.Context,
    base: Annotated[
        str,
        typer.Option(
            "--base",
            metavar="REF",
            help="Judge HEAD as a pull request upon REF: ca/ and policies/ are REF's.",
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
    What would be issued is built and linted too. With --base, what changed policies would do to
    the requests that stand is shown as well. Exits with 1 if a document has errors.
    """
    from gitca.cli.report import FINDINGS, tally, write_findings
    from gitca.findings import has_errors, in_order
    from gitca.plan.desired import read_desired
    from gitca.plan.make import make_plan
    from gitca.plan.render_json import plan_record
    from gitca.plan.render_text import render_text
    from gitca.plan.render_what_if import what_if_record, what_if_text
    from gitca.reconcile.rehearsal import rehearse_plan

    settings, now = settings_of(context), at or clock()
    with _opened(settings.repo, base) as change:
        clone = change.clone
        requesters = clone.store.requesters(clone.snapshot.source)
        desired = read_desired(
            clone.entries, clone.store.read, clone.state, now, read_requesters=requesters
        )
        made = make_plan(desired, clone.state, now)
        made = rehearse_plan(made, desired.governing, clone.snapshot, now)
        found = clone.what_if(change.proposed, now) if change.proposed else None
    proposed = found.findings if found else ()
    made = replace(made, findings=in_order((*change.findings, *proposed, *made.findings)))
    if output_format is Format.JSON:
        write_json(plan_record(made) | ({"whatIf": what_if_record(found)} if found else {}))
    else:
        # "Nothing to do" would be the wrong word where errors are why.
        is_shown = made.actions or made.pending or not has_errors(made.findings)
        if is_shown and not settings.is_quiet:
            write_block(render_text(made))
        write_findings(made.findings)
        if made.findings and not settings.is_quiet:
            write_line(f"{tally(made.findings)}.")
        if found is not None:
            write_line(Styled("note: ", "yellow"), _GOVERNS)
            write_block(what_if_text(found))
    if has_errors(made.findings):
        raise typer.Exit(FINDINGS)


_GOVERNS = (
    "this change alters CAs or policies, which are not applied to it; "
    "without --base, gitca plan shows what they would do"
)


@contextmanager
def _opened(folder: Path, base: str) -> Iterator[Change]:
    from gitca.cli.clone import Change, open_change, open_clone

    if base:
        with open_change(folder, base) as change:
            yield change
    else:
        with open_clone(folder) as clone:
            yield Change(clone, findings=(), proposed=None)
