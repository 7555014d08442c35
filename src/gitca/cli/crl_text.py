"""A CRL as text and JSON; the repository holds its DER alone."""

from __future__ import annotations

from datetime import datetime

from gitca.cli.clone import Clone
from gitca.cli.output import counted, write_line, write_table
from gitca.cli.times import distance, format_time
from gitca.errors import ContradictionError, UsageError
from gitca.ledger.image import crl_path
from gitca.x509.crl import Crl, CrlEntry, CrlError, parse_crl


def crl_der(clone: Clone, ca: str) -> bytes:
    """The current CRL of a CA, in DER, as the commit holds it. Raises: UsageError."""
    path = crl_path(ca)
    tip = clone.snapshot.tip
    found = [e for e in clone.repository.tree(tip, path) if e.path == path] if tip else []
    if not found:
        known = ", ".join(name for name, a in clone.state.authorities.items() if a.crl) or "none"
        raise UsageError(f"CA {ca!r} has no CRL in this commit; {known} have", remedy="reconcile")
    return clone.repository.read(found[0].blob)


def crl_record(ca: str, der: bytes) -> dict[str, object]:
    """The CRL as `gitca show --crl CA --format json` gives it."""
    crl = _parse(ca, der)
    return {
        "ca": ca,
        "number": crl.number,
        "thisUpdate": format_time(crl.this_update),
        "nextUpdate": format_time(crl.next_update),
        "entries": [_entry_record(entry) for entry in crl.entries],
    }


def write_crl(clone: Clone, ca: str, der: bytes, now: datetime) -> None:
    """Write the CRL for people, with the request that each serial number was given to."""
    crl = _parse(ca, der)
    write_line(f"CRL {crl.number} of CA {ca}, {counted(len(crl.entries), 'entry', 'entries')}")
    write_line(f"  this update   {format_time(crl.this_update)}")
    until = f"{format_time(crl.next_update)} ({distance(crl.next_update, now)})"
    write_line(f"  next update   {until}")
    if crl.entries:
        rows = [_entry_cells(clone, ca, entry) for entry in crl.entries]
        write_table(("REQUEST", "REVOKED", "REASON", "SERIAL"), rows, shrink=3)


def _entry_cells(clone: Clone, ca: str, entry: CrlEntry) -> tuple[str, str, str, str]:
    serial = f"{entry.serial:x}"
    record = clone.state.serials.get((ca, serial))
    name = record.certificate.request or f"({record.about})" if record else ""
    return name, f"{entry.revocation_date:%Y-%m-%d}", entry.reason or "unspecified", serial


def _entry_record(entry: CrlEntry) -> dict[str, object]:
    return {
        "serial": f"{entry.serial:x}",
        "revocationDate": format_time(entry.revocation_date),
        "reason": entry.reason,
        "invalidityDate": entry.invalidity_date and format_time(entry.invalidity_date),
    }


def _parse(ca: str, der: bytes) -> Crl:
    try:
        return parse_crl(der)
    except CrlError as error:
        raise ContradictionError(
            f"{crl_path(ca)}: {error}", remedy="`gitca verify` tells more"
        ) from error
