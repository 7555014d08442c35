"""`gitca policy diff`: what changed policies would do to the requests that stand."""

from __future__ import annotations

from typing import Annotated

import typer

from gitca.cli.output import Format, write_block, write_json
from gitca.cli.settings import settings_of
from gitca.cli.times import clock


def diff(
    context: typer.Context,
    base: Annotated[
        str, typer.Argument(metavar="BASE", help="The commit or branch to compare with.")
    ],
    most: Annotated[
        int, typer.Option("--most", min=0, max=100_000, help="List so many requests of a kind.")
    ] = 20,
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Say what the working tree's policies and CAs would do in place of BASE's.

    Which requests of BASE, with which live certificates, they would deny, newly admit, or issue
    anew, and why. Only requests under changed policies are read. Exits with 1 if a policy or CA
    has errors.
    """
    from gitca.cli.clone import open_clone
    from gitca.cli.report import FINDINGS, write_findings
    from gitca.cli.worktree import governing_of
    from gitca.findings import has_errors, in_order
    from gitca.plan.render_json import finding_record
    from gitca.plan.render_what_if import what_if_record, what_if_text

    settings, now = settings_of(context), clock()
    proposed = governing_of(settings.root)
    with open_clone(settings.repo, base) as clone:
        found = clone.what_if(proposed, now)
    findings = in_order((*proposed.findings, *found.findings))
    if output_format is Format.JSON:
        records = [finding_record(finding) for finding in findings]
        write_json(what_if_record(found) | {"findings": records})
    else:
        write_findings(findings)
        write_block(what_if_text(found, listed=most))
    if has_errors(findings):
        raise typer.Exit(FINDINGS)
