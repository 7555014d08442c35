"""`gitca show`: one certificate with its provenance, a CA, or a CRL."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.completion import authority_names, certificate_names
from gitca.cli.output import terminal_columns, write_block, write_json
from gitca.cli.settings import settings_of
from gitca.cli.times import clock
from gitca.errors import UsageError

if TYPE_CHECKING:
    from gitca.cli.clone import Clone
    from gitca.ledger.records import OrderRecord


class ObjectFormat(enum.StrEnum):
    """How a certificate or a CRL is written."""

    TEXT = "text"
    JSON = "json"
    PEM = "pem"


def show(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Argument(
            metavar="NAME|SERIAL|CA",
            help="A request or CA, the path of its document, or 6 digits or more of a serial"
            " number.",
            autocompletion=certificate_names,
        ),
    ] = "",
    crl: Annotated[
        str,
        typer.Option(
            "--crl", metavar="CA", help="This CA's CRL instead.", autocompletion=authority_names
        ),
    ] = "",
    output_format: Annotated[
        ObjectFormat, typer.Option("--format", help="text, json or pem.")
    ] = ObjectFormat.TEXT,
) -> None:
    """Show one certificate, and where it comes from.

    That is its order, the commit and the documents it was judged by, who wrote them, and the key.
    With --crl, a CA's current CRL, whose PEM is nowhere in the repository.
    """
    from gitca.cli.clone import open_clone

    if bool(target) == bool(crl):
        raise UsageError("give either a NAME, SERIAL or CA, or --crl CA", remedy="see --help")
    with open_clone(settings_of(context).repo) as clone:
        if crl:
            _show_crl(clone, crl, output_format)
        else:
            _show_certificate(clone, find_certificate(clone, target), output_format)


def find_certificate(clone: Clone, target: str, *, ca: str | None = None) -> OrderRecord:
    """The order of the certificate that a request's, a CA's name or a serial number stands for.

    Raises: UsageError for none, and for several.
    """
    from gitca.cli.certificates import matching
    from gitca.cli.meant import authority_certificate, request_certificate, what_is_meant

    meant = what_is_meant(clone, target, ca=ca or "")
    named = request_certificate(clone, meant.request) or authority_certificate(
        clone, meant.authority
    )
    if named is not None:
        return named
    found = list(matching(clone, target, ca=ca))
    if len(found) == 1:
        return found[0]
    if found:
        those = ", ".join(f"{r.ordered.ca} {r.certificate.serial}" for r in found[:5])
        raise UsageError(f"{target} stands for several: {those}", remedy="give more digits")
    raise UsageError(
        f"no request, serial number or CA {target!r} in the ledger of this commit",
        remedy="`gitca list --authorities` names all there are; `git pull` brings newer ones",
    )


def _show_certificate(clone: Clone, record: OrderRecord, output_format: ObjectFormat) -> None:
    from gitca.cli.provenance import certificate_lines, certificate_record
    from gitca.ledger.image import certificate_der
    from gitca.x509.pem import to_pem

    if output_format is ObjectFormat.PEM:
        if record.is_pending:
            raise UsageError("the certificate is ordered and not yet signed", remedy="reconcile")
        write_block(to_pem(certificate_der(record), "CERTIFICATE"))
    elif output_format is ObjectFormat.JSON:
        write_json(certificate_record(clone, record, clock()))
    else:
        lines = certificate_lines(clone, record, clock(), terminal_columns())
        write_block("\n".join(lines))


def _show_crl(clone: Clone, ca: str, output_format: ObjectFormat) -> None:
    from gitca.cli.crl_text import crl_der, crl_record, write_crl
    from gitca.x509.pem import to_pem

    crl = crl_der(clone, ca)
    if output_format is ObjectFormat.PEM:
        write_block(to_pem(crl, "X509 CRL"))
    elif output_format is ObjectFormat.JSON:
        write_json(crl_record(ca, crl))
    else:
        write_crl(clone, ca, crl, clock())
