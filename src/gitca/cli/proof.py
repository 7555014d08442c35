"""`gitca verify`: the invariants that a clone can prove, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.output import Format, Styled, counted, write_json, write_line
from gitca.cli.progress import shown_progress
from gitca.cli.settings import settings_of
from gitca.cli.times import clock

if TYPE_CHECKING:
    from gitca.verify.report import Contradiction, VerifyReport

INCOMPLETE = 1


def verify(
    context: typer.Context,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="COMMIT|DATE|SEGMENT",
            help="Look at everything only after this commit, date (2026-11-20, UTC) or segment of"
            " the ledger; of what lies before, at its chain and its files.",
        ),
    ] = None,
    complete: Annotated[
        bool,
        typer.Option("--complete", help="Exit with 1 where this clone could not check everything."),
    ] = False,
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Prove the invariants of this clone, offline.

    Replays the ledger of the checked-out commit, holds each commit that touched issued/ against it,
    compares every file, checks every signature, and judges every certificate and revocation again
    by the documents of its day. No key and no network. Exits with 5 if anything contradicts, and
    names the first contradiction, its commit and what to do. What a shallow or partial clone cannot
    tell is listed; that alone is no failure, unless --complete is given.

    That a self-signed root is the one you mean no clone can prove: compare the fingerprint of its
    certificate, which is printed, once out of band.
    """
    from gitca.cli.clone import open_repository
    from gitca.verify.proof import verify
    from gitca.verify.since import NOTHING, find_since

    settings = settings_of(context)
    with (
        open_repository(settings.repo) as (store, commit),
        shown_progress(quiet=settings.is_quiet) as progress,
    ):
        start = find_since(store, commit, since) if since is not None else NOTHING
        report = verify(store, commit, since=start, now=clock(), progress=progress)
    if output_format is Format.JSON:
        write_json(_record(report, commit))
    else:
        _write(report, commit, quiet=settings.is_quiet)
    code = report.exit_code or (INCOMPLETE if complete and not report.is_complete else 0)
    if code:
        raise typer.Exit(code)


def _record(report: VerifyReport, commit: str) -> dict[str, object]:
    return {
        "commit": commit,
        "since": report.since,
        "complete": report.is_complete,
        "checked": dict(report.checked),
        "roots": dict(report.roots),
        "contradictions": [
            {
                "invariant": found.invariant,
                "place": found.place,
                "message": found.message,
                "commit": found.commit or None,
                "segment": found.segment,
                "remedy": found.remedy,
            }
            for found in report.contradictions
        ],
        "unchecked": list(report.unchecked),
        "remarks": list(report.remarks),
        "ahead": list(report.ahead),
    }


def _write(report: VerifyReport, commit: str, *, quiet: bool) -> None:
    for place, found in enumerate(report.contradictions):
        _write_contradiction(found, is_first=place == 0 and len(report.contradictions) > 1)
    for text in report.unchecked:
        write_line(Styled("not checked: ", "yellow"), text)
    for text in report.ahead:
        write_line(Styled("dated ahead of this clock: ", "yellow"), text)
    if quiet:
        return
    for text in report.remarks:
        write_line(Styled("put back: ", "yellow"), text)
    checked = ", ".join(
        f"{number} {what if number != 1 or '/' in what else what.removesuffix('s')}"
        for what, number in report.checked.items()
        if number
    )
    after = f" after segment {report.since}" if report.since else ""
    write_line(f"Checked at commit {commit[:12]}{after}: {checked or 'nothing'}.")
    for name, fingerprint in report.roots.items():
        write_line(f"Root {name}: {fingerprint}; compare it out of band.")
    if report.contradictions:
        write_line(Styled(f"{counted(len(report.contradictions), 'contradiction')}.", "red"))
    else:
        write_line(Styled("Nothing contradicts.", "green"))


def _write_contradiction(found: Contradiction, *, is_first: bool) -> None:
    """Write where, what, which invariant, by which commit, and the remedy."""
    known = found.commit and found.commit[:12] not in found.message
    commit = f", commit {found.commit[:12]}" if known else ""
    rest = f": {found.message} ({found.invariant}{commit}); {found.remedy}"
    first = Styled("first: ", "bold") if is_first else ""
    write_line(first, Styled(found.place, "red"), rest)
