"""`gitca list`: every certificate that the ledger knows."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.completion import authority_names
from gitca.cli.output import Format, Piece, Styled, write_json, write_line, write_table
from gitca.cli.settings import settings_of
from gitca.cli.times import clock

if TYPE_CHECKING:
    from gitca.cli.certificates import Row

STYLES = {
    "valid": "green",
    "expired": "dim",
    "revoked": "red",
    "superseded": "dim",
    "pending": "yellow",
}


class StatusOption(enum.StrEnum):
    """What `--status` selects by."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    PENDING = "pending"


def list_certificates(
    context: typer.Context,
    ca: Annotated[
        str,
        typer.Option(
            "--ca", metavar="CA", help="Of this CA alone.", autocompletion=authority_names
        ),
    ] = "",
    status: Annotated[
        list[StatusOption] | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help="valid, expired, revoked, superseded or pending; may be repeated.",
        ),
    ] = None,
    authorities: Annotated[
        bool, typer.Option("--authorities", help="The CAs' certificates too.")
    ] = False,
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """List the certificates of the checked-out commit's ledger.

    The newest stands last. superseded: another certificate of the request or the CA is in
    its place. pending: ordered, and not yet signed.
    """
    from gitca.cli.certificates import certificate_orders, row_of
    from gitca.cli.clone import check_authority, open_clone
    from gitca.cli.progress import tracked
    from gitca.ledger.records import EXTERNAL

    settings, now = settings_of(context), clock()
    with open_clone(settings.repo) as clone:
        if ca not in ("", EXTERNAL):  # what an external CA signed stands under that name
            check_authority(clone.governing, ca, also=clone.state.authorities)
        orders = [
            record
            for record in certificate_orders(clone.state, authorities=authorities)
            if ca in ("", record.ordered.ca)
        ]
        found = (row_of(clone, r, now) for r in tracked(orders, "reading", quiet=settings.is_quiet))
        rows = [row for row in found if not status or row.status.value in status]
    if output_format is Format.JSON:
        write_json([row.as_json() for row in rows])
    elif rows:
        _write_table(rows)
    elif not settings.is_quiet:
        write_line("no certificates")


def _write_table(rows: list[Row]) -> None:
    headings = ("REQUEST", "CA", "STATUS", "EXPIRES", "SERIAL")
    write_table(headings, [_cells(row) for row in rows], shrink=4)


def _cells(row: Row) -> list[Piece]:
    given = row.record.certificate
    return [
        f"{given.request}{' (CA)' if row.is_ca else ''}"
        if given.request
        else f"({row.record.about})",
        row.record.ordered.ca,
        Styled(row.status.value, STYLES[row.status.value]),
        f"{given.not_after:%Y-%m-%d}",
        given.serial,
    ]
