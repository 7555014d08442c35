"""`gitca plan`: what a reconcile would do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from gitca.cli.formats import PlanFormat, Rendering
from gitca.cli.links import parse_links
from gitca.cli.output import Styled, write_block, write_line
from gitca.cli.output_files import parse_files, write_files
from gitca.cli.output_options import Links, RequireClean, SizeLimit, Write
from gitca.cli.settings import Settings, settings_of
from gitca.cli.times import clock, parse_time

if TYPE_CHECKING:
    from gitca.cli.clone import Change
    from gitca.plan.outcome import Outcome


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
    output_format: Annotated[
        PlanFormat,
        typer.Option(
            "--format",
            metavar="FORMAT",
            show_default=False,
            help="text (the default), json, markdown (a pull request's comment), github"
            " (annotations), sarif, junit or codequality.",
        ),
    ] = PlanFormat.TEXT,
    write: Write = None,
    require_clean: RequireClean = False,
    links: Links = "",
    size_limit: SizeLimit = 65_000,
) -> None:
    """Show what a reconcile would do, and every finding.

    Reads the checked-out commit and its ledger; needs no key and no network, and changes nothing.
    What would be issued is built and linted too. With --base, what changed policies would do to
    the requests that stand is shown as well. Exits with 1 if a document has errors.
    """
    from gitca.cli.report import FINDINGS

    settings, files = settings_of(context), parse_files(write, PlanFormat)
    base_of_links = parse_links(links)
    found = replace(_examine(settings.repo, base, at or clock()), is_strict=require_clean)
    rendering = Rendering(
        outcome=found,
        write_plainly=lambda stream: _write_text(found, settings, stream),
        record=lambda: _record(found),
        links=base_of_links,
        size_limit=size_limit,
    )
    write_files(files, rendering)
    rendering.write(output_format, sys.stdout)
    if found.is_red:
        raise typer.Exit(FINDINGS)


def _examine(folder: Path, base: str, now: datetime) -> Outcome:
    """Return the plan for the checked-out commit, with what was found on the way."""
    from gitca.findings import in_order
    from gitca.plan.background import Backgrounds
    from gitca.plan.desired import read_desired
    from gitca.plan.make import make_plan
    from gitca.plan.outcome import Outcome
    from gitca.reconcile.rehearsal import rehearse_plan

    with _opened(folder, base) as change:
        clone = change.clone
        requesters = clone.store.requesters(clone.snapshot.source)
        desired = read_desired(
            clone.entries,
            clone.store.read,
            clone.state,
            now,
            read_requesters=requesters,
            standing=change.standing,
        )
        made = make_plan(desired, clone.state, now)
        made = rehearse_plan(made, desired.governing, clone.snapshot, now)
        found = clone.what_if(change.proposed, now) if change.proposed else None
    proposed = found.findings if found else ()
    findings = in_order((*change.findings, *proposed, *made.findings))
    return Outcome(
        command="plan",
        documents=tuple(sorted(e.path for e in clone.entries if e.path.endswith(".yaml"))),
        findings=findings,
        plan=replace(made, findings=findings),
        what_if=found,
        background=Backgrounds(desired, clone.state).of,
    )


def _record(outcome: Outcome) -> dict[str, object]:
    from gitca.plan.render_json import plan_record
    from gitca.plan.render_what_if import what_if_record

    record = plan_record(outcome.plan) if outcome.plan else {}
    return record | ({"whatIf": what_if_record(outcome.what_if)} if outcome.what_if else {})


def _write_text(outcome: Outcome, settings: Settings, stream: TextIO) -> None:
    from gitca.cli.report import tally, write_findings
    from gitca.findings import has_errors
    from gitca.plan.render_text import render_text
    from gitca.plan.render_what_if import what_if_text

    made = outcome.plan
    # "Nothing to do" would be the wrong word where errors are why.
    is_shown = made and (made.actions or made.pending or not has_errors(outcome.findings))
    if made and is_shown and not settings.is_quiet:
        write_block(render_text(made), stream=stream)
    write_findings(outcome.findings, stream=stream)
    if outcome.findings and not settings.is_quiet:
        write_line(f"{tally(outcome.findings)}.", stream=stream)
    if outcome.what_if is not None:
        write_line(Styled("note: ", "yellow"), _GOVERNS, stream=stream)
        write_block(what_if_text(outcome.what_if), stream=stream)


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
