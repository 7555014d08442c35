"""What a reconcile did, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gitca.cli.output import Piece, Styled, counted, write_line
from gitca.cli.report import tally, write_findings
from gitca.cli.settings import Settings
from gitca.cli.times import format_time
from gitca.ledger.events import CrlParticulars, CsrParticulars, Ordered, Revoked
from gitca.plan.render_json import finding_record
from gitca.reconcile.report import Report

_SHOWN = 40  # lines; beyond them the numbers say more


def report_record(report: Report) -> dict[str, object]:
    """The report as `gitca reconcile --format json` gives it."""
    return {
        "run": report.run,
        "tip": report.tip,
        "signed": [_order_record(ordered) for ordered in report.signed],
        "resumed": [ordered.order for ordered in report.resumed],
        "abandoned": list(report.abandoned),
        "revoked": [_revoked_record(revoked) for revoked in report.revoked],
        "held": [
            {"order": held.ordered.order, "until": format_time(held.until)} for held in report.held
        ],
        "waiting": [_order_record(ordered) for ordered in report.waiting],
        "unreachable": dict(report.unreachable),
        "findings": [finding_record(finding) for finding in report.findings],
        "workingTree": report.working_tree,
    }


def _order_record(ordered: Ordered) -> dict[str, object]:
    given = ordered.particulars
    record: dict[str, object] = {"order": ordered.order, "ca": ordered.ca}
    if isinstance(given, CrlParticulars):
        return record | {"crlNumber": given.number, "nextUpdate": format_time(given.next_update)}
    if isinstance(given, CsrParticulars):
        return record | {"csr": given.authority}
    return record | {
        "request": given.request,
        "authority": given.authority,
        **({"cross": given.cross} if given.cross else {}),
        "serial": given.serial,
        "notAfter": format_time(given.not_after),
    }


def _revoked_record(revoked: Revoked) -> dict[str, object]:
    return {
        "ca": revoked.ca,
        "serial": revoked.serial,
        "key": revoked.key,
        "reason": revoked.reason,
        "document": revoked.document.path,
    }


def write_report(report: Report, settings: Settings) -> None:
    """Write the findings, and unless quiet what was done."""
    if not settings.is_quiet:
        _write_done(report, everything=settings.is_verbose)
    write_findings(report.findings)
    for ca, reason in report.unreachable.items():
        write_line(Styled(f"CA {ca}: ", "yellow"), f"its key is out of reach: {reason}")
    if report.waiting:
        write_line(f"{_orders(report.waiting)} left for a run where the key is")
    if report.held:
        until = max(held.until for held in report.held)
        orders = counted(len(report.held), "order")
        write_line(f"{orders} held by another run until {format_time(until)}; run again after that")
    if not settings.is_quiet:
        _write_end(report)


def _orders(orders: tuple[Ordered, ...]) -> str:
    return f"{counted(len(orders), 'order')} {'is' if len(orders) == 1 else 'are'}"


def _write_done(report: Report, *, everything: bool) -> None:
    lines = [*map(_revoked_line, report.revoked), *map(_signed_line, report.signed)]
    shown = lines if everything else lines[:_SHOWN]
    for line in shown:
        write_line(*line)
    if len(shown) < len(lines):
        write_line(f"… and {len(lines) - len(shown)} more; --verbose shows all")


def _revoked_line(revoked: Revoked) -> list[Piece]:
    what = f"{revoked.ca} {revoked.serial}" if revoked.serial else f"key {revoked.key}"
    return [Styled("revoked ", "red"), f"{what}: {revoked.reason} ({revoked.document.path})"]


def _signed_line(ordered: Ordered) -> list[Piece]:
    given = ordered.particulars
    if isinstance(given, CrlParticulars):
        what = f"CRL {given.number} of CA {ordered.ca}, next {format_time(given.next_update)}"
    elif isinstance(given, CsrParticulars):
        what = f"CSR of CA {given.authority}, for its external issuer"
    elif given.cross is not None:
        what = f"cross-certificate for CA {given.cross}, by {ordered.ca}, until"
        what = f"{what} {given.not_after:%Y-%m-%d}"
    elif given.authority is not None:
        what = f"CA {given.authority}, by {ordered.ca}, until {given.not_after:%Y-%m-%d}"
    else:
        what = f"{given.request}, by {ordered.ca}, until {given.not_after:%Y-%m-%d}"
    return [Styled("signed  ", "green"), what]


def _write_end(report: Report) -> None:
    done = ", ".join(_totals(report))
    idle = "Nothing done" if report.held or report.waiting else "Nothing to do"
    write_line(f"{done or idle}; {tally(report.findings)}.")
    if report.working_tree:
        write_line(Styled("note: ", "yellow"), report.working_tree)


def _totals(report: Report) -> Iterator[str]:
    kinds = Counter(
        "CRL" if isinstance(ordered.particulars, CrlParticulars) else "certificate"
        for ordered in report.signed
    )
    for kind, number in sorted(kinds.items()):
        yield f"{counted(number, kind)} signed"
    if report.revoked:
        yield f"{len(report.revoked)} revoked"
    if report.resumed:
        yield f"{counted(len(report.resumed), 'order')} of an earlier run finished"
    if report.abandoned:
        yield f"{counted(len(report.abandoned), 'order')} abandoned"
