"""`gitca publish`: putting what was issued where relying parties fetch it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.output import Format, write_json, write_line
from gitca.cli.progress import shown_progress
from gitca.cli.settings import settings_of
from gitca.cli.times import clock, format_time
from gitca.errors import UsageError

if TYPE_CHECKING:
    from gitca.documents.load import Governing
    from gitca.reconcile.published import Published


def publish(
    context: typer.Context,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="N|URI",
            help="Publish to this target alone, by its number in ca/repository.yaml (from 1) or"
            " its URI; repeatable.",
        ),
    ] = None,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            help="Look at every object at the target, and send what is missing or another.",
        ),
    ] = False,
    concurrency: Annotated[
        int,
        typer.Option(
            "--concurrency", metavar="N", min=1, max=256, help="Send at most so many at once."
        ),
    ] = 32,
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Publish CRLs and certificates to the targets.

    The last step of `gitca reconcile`, alone: it signs nothing and needs no key. CRLs, CA
    certificates, chains and certificates, as origin's branch has them, are sent to each target of
    ca/repository.yaml that has something else. A CRL goes out if its signature, its issuer and its
    number are right and no revocation is gone, never in the place of a later one, and is read back.
    A target that fails holds up no other.
    """
    from gitca.cli.clone import open_store
    from gitca.documents.load import load_governing
    from gitca.publishers import open_publisher
    from gitca.reconcile.publish import Loaded, Publishing
    from gitca.reconcile.publish import publish as publish_all

    settings = settings_of(context)
    with (
        open_store(settings.repo) as store,
        shown_progress(quiet=settings.is_quiet) as progress,
    ):
        snapshot = store.load()
        governing = load_governing(snapshot.entries, store.read)
        publishing = Publishing(
            partial(open_publisher, base=settings.root),
            selected=_selected(governing, target),
            complete=complete,
            concurrency=concurrency,
        )
        loaded = Loaded(snapshot, governing)
        published = publish_all(
            store, loaded, publishing=publishing, clock=clock, progress=progress
        )
    _write(published, context, output_format)
    if published.exit_code:
        raise typer.Exit(published.exit_code)


def _selected(governing: Governing, wanted: list[str] | None) -> frozenset[int] | None:
    """Return the numbers of the targets that are asked for. Raises: UsageError."""
    targets = [target.to for target in governing.repository.spec.publish]
    if not targets:
        raise UsageError(
            "ca/repository.yaml names no target to publish to",
            remedy="list one in spec.publish, as in - to: directory:public",
        )
    if wanted is None:
        return None
    numbers = {str(number): number for number in range(1, len(targets) + 1)}
    numbers |= {uri: number for number, uri in enumerate(targets, start=1)}
    for name in wanted:
        if name not in numbers:
            known = ", ".join(f"{number} ({uri})" for number, uri in enumerate(targets, start=1))
            raise UsageError(
                f"--target {name!r} is none of the targets {known}",
                remedy="give a number or a URI of ca/repository.yaml",
            )
    return frozenset(numbers[name] for name in wanted)


def _write(published: Published, context: typer.Context, output_format: Format) -> None:
    from gitca.cli.published import published_record, write_published
    from gitca.cli.report import write_findings
    from gitca.plan.render_json import finding_record

    settings = settings_of(context)
    if output_format is Format.JSON:
        findings = [finding_record(finding) for finding in published.findings]
        record = {"commit": published.commit, "targets": published_record(published)}
        write_json(record | {"findings": findings})
        return
    write_findings(published.findings)
    if not published.targets and not settings.is_quiet:
        write_line(f"Nothing is issued yet, as of {format_time(clock())}: nothing to publish.")
    write_published(published, is_quiet=settings.is_quiet, is_verbose=settings.is_verbose)
