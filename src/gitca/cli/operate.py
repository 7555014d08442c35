"""`gitca reconcile`: making the documents true."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.completion import authority_names
from gitca.cli.output import Format, write_json
from gitca.cli.progress import shown_progress
from gitca.cli.settings import settings_of
from gitca.cli.times import clock

if TYPE_CHECKING:
    from gitca.git.store import Store


def reconcile(
    context: typer.Context,
    ca: Annotated[
        list[str] | None,
        typer.Option(
            "--ca",
            metavar="CA",
            help="Use this CA's key alone; repeatable.",
            autocompletion=authority_names,
        ),
    ] = None,
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over",
            help="Finish at once what another run left, and give up what is dated ahead of this"
            " clock. Only where no other run can be alive.",
        ),
    ] = False,
    concurrency: Annotated[
        int,
        typer.Option(
            "--concurrency",
            metavar="N",
            min=1,
            max=256,
            help="Ask for at most so many signatures at once.",
        ),
    ] = 32,
    no_publish: Annotated[
        bool, typer.Option("--no-publish", help="Leave publishing to `gitca publish`.")
    ] = False,
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Make the branch's documents true.

    Makes CAs, certificates, revocations and CRLs. Works on the branch as origin has it (on the
    local branch where there is no origin), never on the working tree. Every order is recorded in a
    pushed commit before a key signs it; a run that died is finished by the next. A denied request
    holds up nothing but itself. What a key at another machine is to sign is ordered and left for
    `gitca sign` there. At last all is published to the targets of ca/repository.yaml.
    """
    from functools import partial

    from gitca.cli.clone import open_store
    from gitca.cli.done import report_record, write_report
    from gitca.cli.passphrase import signer_opener
    from gitca.cli.run import next_serial, run_name
    from gitca.publishers import open_publisher
    from gitca.reconcile.keys import Keys
    from gitca.reconcile.publish import Publishing
    from gitca.reconcile.recipe import World, reconcile

    settings = settings_of(context)
    opener = signer_opener(settings.root)
    with (
        open_store(settings.repo) as store,
        Keys(opener, frozenset(ca) if ca else None) as keys,
        shown_progress(quiet=settings.is_quiet) as progress,
    ):
        _check_selected(store, ca or ())
        world = World(clock, next_serial, run_name())
        publishing = Publishing(
            partial(open_publisher, base=settings.root), concurrency=concurrency
        )
        report = reconcile(
            store,
            keys,
            world,
            take_over=take_over,
            progress=progress,
            concurrency=concurrency,
            publishing=None if no_publish else publishing,
        )
    if output_format is Format.JSON:
        write_json(report_record(report))
    else:
        write_report(report, settings)
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _check_selected(store: Store, names: Collection[str]) -> None:
    """Check that the CAs that --ca selects exist. Raises: UsageError."""
    from gitca.cli.clone import check_authority
    from gitca.documents.load import load_governing

    if names:
        governing = load_governing(store.load().entries, store.read)
        for name in names:
            check_authority(governing, name)
