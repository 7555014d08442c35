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
            help="A request or CA, the path of its document, a serial number, or a key as sha256:…"
            " (gitca show names it).",
            autocompletion=request_names,
        ),
    ],
    reason: Annotated[
        Reason,
        typer.Option(
            "--reason", metavar="REASON", case_sensitive=False, help="One of the reasons above."
        ),
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
        spec, stem = _target(clone, target, ca, reason.value)
        path = _free_path(clone, settings.root, stem)
    spec["reason"] = reason.value
    if invalidity_date is not None:
        spec["invalidityDate"] = format_time(invalidity_date)
    write_document(settings.root, path, "RevocationRequest", spec)
    check_written(settings.root, path, quiet=settings.is_quiet)


def _target(clone: Clone, target: str, ca: str, reason: str) -> tuple[dict[str, Value], str]:
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
        given = [order for order in request.orders if not order.is_given_up]
        if not given:
            ways = (f"{o.certificate.serial} --ca {o.ordered.ca}" for o in request.orders)
            raise UsageError(
                f"no certificate of the request {name} is known to have been signed",
                remedy=f"what was ordered and given up is revoked by serial: {', '.join(ways)}",
            )
        _check_standing(clone, target, given, reason)
        return {"certificate": name}, name
    record = _given_up(clone, target, ca) or find_certificate(clone, target, ca=ca or None)
    _check_standing(clone, target, [record], reason)
    named = record.certificate
    if record.ordered.ca == EXTERNAL:
        # Its serial number is for the external CA to revoke; here its key is refused.
        return {"key": named.key}, f"{authorities}{named.authority}-{named.key[7:15]}"
    stem = named.request or f"{authorities}{named.authority or named.cross}"
    return {"serial": named.serial, "ca": record.ordered.ca}, f"{stem}-{named.serial[:8]}"


def _given_up(clone: Clone, serial: str, ca: str) -> OrderRecord | None:
    """The order that was given up with exactly this serial number: a run may have signed it."""
    names = [ca] if ca else clone.state.authorities
    records = (clone.state.serials.get((name, serial.lower())) for name in names)
    return next((record for record in records if record and record.is_given_up), None)


def _check_standing(clone: Clone, target: str, records: list[OrderRecord], reason: str) -> None:
    """Check that there is something left to revoke, or a key to refuse. Raises: UsageError."""
    from gitca.plan.executed_revocations import COMPROMISES

    state, now = clone.state, clock()
    is_compromise = reason in COMPROMISES
    if not any(
        (record.certificate.not_after >= now and not state.is_revoked(record))
        or (is_compromise and record.certificate.key not in state.refused_keys)
        for record in records
    ):
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
