"""`gitca revoke`: write the document that asks for a revocation."""

from __future__ import annotations

import enum
import itertools
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.completion import authority_names, request_names
from gitca.cli.settings import settings_of
from gitca.cli.times import clock, format_time, parse_time
from gitca.errors import UsageError

if TYPE_CHECKING:
    from gitca.cli.clone import Clone
    from gitca.cli.yaml_text import Value
    from gitca.ledger.records import OrderRecord

_KEY = re.compile(r"sha256:[0-9a-f]{64}")


class Reason(enum.StrEnum):
    """The reasons of RFC 5280 section 5.3.1 that a full CRL can give."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CA_COMPROMISE = "cACompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    CERTIFICATE_HOLD = "certificateHold"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"
    AA_COMPROMISE = "aACompromise"


def revoke(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Argument(
            metavar="NAME|SERIAL|KEY",
            help="A request, a serial number, or a key as sha256:… (gitca show names it).",
            autocompletion=request_names,
        ),
    ],
    reason: Annotated[
        Reason,
        typer.Option("--reason", metavar="REASON", help="One of the reasons above."),
    ],
    invalidity_date: Annotated[
        datetime | None,
        typer.Option(
            "--invalidity-date",
            metavar="TIME",
            parser=parse_time,
            help="Since when the key is known or suspected to be compromised (RFC 3339).",
        ),
    ] = None,
    ca: Annotated[
        str,
        typer.Option(
            "--ca",
            metavar="CA",
            help="The CA that issued the serial number.",
            autocompletion=authority_names,
        ),
    ] = "",
) -> None:
    """Write the document that asks for a revocation.

    Of all of a request's certificates, of one, or of a key and all on it. It is
    requests/NAME-revoked.yaml, below requests/ca/ for a CA's certificate or key; once it is merged,
    reconcile executes it, once. REASON is
    unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation,
    certificateHold, privilegeWithdrawn or aACompromise. After keyCompromise the key is refused.
    """
    from gitca.cli.clone import open_clone
    from gitca.cli.requests import check_written, write_document

    settings = settings_of(context)
    with open_clone(settings.repo) as clone:
        spec, stem = _target(clone, target, ca)
        path = _free_path(clone, settings.root, stem)
    spec["reason"] = reason.value
    if invalidity_date is not None:
        spec["invalidityDate"] = format_time(invalidity_date)
    write_document(settings.root, path, "RevocationRequest", spec)
    check_written(settings.root, path, quiet=settings.is_quiet)


def _target(clone: Clone, target: str, ca: str) -> tuple[dict[str, Value], str]:
    """The spec that names what is revoked, and what its document is called after."""
    from gitca.cli.meant import what_is_meant
    from gitca.cli.show import find_certificate
    from gitca.documents.revocation_request import AUTHORITY_REVOCATIONS
    from gitca.ledger.records import EXTERNAL

    authorities = AUTHORITY_REVOCATIONS.removeprefix("requests/")
    if _KEY.fullmatch(target):
        is_authority = any(item.key == target for item in clone.state.authorities.values())
        folder = authorities if is_authority else "keys/"
        return {"key": target}, f"{folder}{target.removeprefix('sha256:')[:16]}"
    name = what_is_meant(clone, target, ca=ca).request
    request = clone.state.requests.get(name)
    if request is not None:
        _check_standing(clone, target, request.orders)
        return {"certificate": name}, name
    record = find_certificate(clone, target, ca=ca or None)
    _check_standing(clone, target, [record])
    given = record.certificate
    if record.ordered.ca == EXTERNAL:
        # Its serial number is for the external CA to revoke; here its key is refused.
        return {"key": given.key}, f"{authorities}{given.authority}-{given.key[7:15]}"
    stem = given.request or f"{authorities}{given.authority or given.cross}"
    return {"serial": given.serial, "ca": record.ordered.ca}, f"{stem}-{given.serial[:8]}"


def _check_standing(clone: Clone, target: str, records: list[OrderRecord]) -> None:
    """Check that there is something left to revoke. Raises: UsageError."""
    pending = any(record.is_pending for record in records)
    if not pending and not clone.state.live(records, clock()):
        raise UsageError(
            f"nothing to revoke: what {target} stands for is revoked or expired already",
            remedy="`gitca show` tells since when",
        )


def _free_path(clone: Clone, root: Path, stem: str) -> str:
    """The document's path: a new one where an earlier revocation of this name was executed.

    Raises: UsageError where one is waiting to be executed.
    """
    from gitca.cli.new_file import check_free

    for number in itertools.count(1):
        path = f"requests/{stem}-revoked{f'-{number}' if number > 1 else ''}.yaml"
        if path not in clone.state.executed:
            break
    check_free(root, path)
    return path
