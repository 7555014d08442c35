"""`gitca verify`: the invariants that a clone can prove, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.output import Format, Styled, counted, write_json, write_line
from gitca.cli.progress import shown_progress
from gitca.cli.settings import settings_of

if TYPE_CHECKING:
    from gitca.verify.report import VerifyReport


def verify(
    context: typer.Context,
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Prove the invariants of this clone, offline.

    Replays the ledger of the checked-out commit, compares it with every file under issued/, checks
    every signature, and judges every certificate again by the documents of its day. No key and no
    network. Exits with 5 if anything contradicts.

    That a self-signed root is the one you mean no clone can prove: compare the fingerprint of its
    certificate once, out of band.
    """
    from gitca.cli.clone import open_repository
    from gitca.verify.proof import verify

    settings = settings_of(context)
    with (
        open_repository(settings.repo) as (store, commit),
        shown_progress(quiet=settings.is_quiet) as progress,
    ):
        report = verify(store, commit, progress=progress)
    if output_format is Format.JSON:
        write_json(_record(report, commit))
    else:
        _write(report, commit, quiet=settings.is_quiet)
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _record(report: VerifyReport, commit: str) -> dict[str, object]:
    return {
        "commit": commit,
        "checked": dict(report.checked),
        "contradictions": [
            {
                "invariant": found.invariant,
                "place": found.place,
                "message": found.message,
                "remedy": found.remedy,
            }
            for found in report.contradictions
        ],
        "unchecked": list(report.unchecked),
    }


def _write(report: VerifyReport, commit: str, *, quiet: bool) -> None:
    for found in report.contradictions:
        rest = f": {found.message} ({found.invariant}); {found.remedy}"
        write_line(Styled(found.place, "red"), rest)
    for text in report.unchecked:
        write_line(Styled("not checked: ", "yellow"), text)
    if quiet:
        return
    checked = ", ".join(
        f"{number} {what.removesuffix('s') if number == 1 else what}"
        for what, number in report.checked.items()
        if number
    )
    write_line(f"Checked at commit {commit[:12]}: {checked or 'nothing'}.")
    if report.contradictions:
        write_line(Styled(f"{counted(len(report.contradictions), 'contradiction')}.", "red"))
    else:
        write_line(Styled("Nothing contradicts.", "green"))
