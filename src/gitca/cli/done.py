"""What a reconcile did, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from gitca.cli.output import Piece, Styled, counted, write_line
from gitca.cli.published import published_record, write_published
from gitca.cli.report import tally, write_findings
from gitca.cli.settings import Settings
from gitca.cli.times import format_time
from gitca.findings import Finding
from gitca.ledger.events import Adopted, CrlParticulars, CsrParticulars, Ordered, Revoked
from gitca.plan.model import CreateAuthority, RequestAuthority
from gitca.plan.render_json import finding_record
from gitca.reconcile.report import Missing, Report, Waiting

_SHOWN = 40  # lines; beyond them the numbers say more


def report_record(report: Report) -> dict[str, object]:
    """The report as `gitca reconcile --format json` gives it."""
    return {
        "run": report.run,
        "tip": report.tip,
        "signed": [order_record(ordered) for ordered in report.signed],
        "resumed": [ordered.order for ordered in report.resumed],
        "abandoned": list(report.abandoned),
        "revoked": [_revoked_record(revoked) for revoked in report.revoked],
        "adopted": [_adopted_record(event) for event in report.adopted],
        "held": [
            {"order": held.ordered.order, "until": format_time(held.until)} for held in report.held
        ],
        "waiting": [waiting_record(waiting) for waiting in report.waiting],
        "absent": dict(report.absent),
        "unreachable": dict(report.unreachable),
        "findings": [finding_record(finding) for finding in all_findings(report)],
        "published": published_record(report.published),
        "workingTree": report.working_tree,
    }


def waiting_record(waiting: Waiting) -> dict[str, object]:
    """An order that stays recorded, and what it waits for, as JSON gives it."""
    record = order_record(waiting.ordered)
    why = {"ca": waiting.ca, "missing": waiting.missing.value, "reason": waiting.reason}
    return record | {"waitsFor": why}


def order_record(ordered: Ordered) -> dict[str, object]:
    """An order as JSON gives it."""
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


def _adopted_record(event: Adopted) -> dict[str, object]:
    return {
        "authority": event.authority,
        "fingerprint": event.fingerprint,
        "file": event.file.path,
        "above": len(event.chain),
    }


def write_report(report: Report, settings: Settings) -> None:
    """Write the findings, and unless quiet what was done."""
    if not settings.is_quiet:
        _write_done(report, everything=settings.is_verbose)
    write_findings(all_findings(report))
    for ca, reason in report.unreachable.items():
        write_line(Styled(f"CA {ca}: ", "yellow"), f"its key is out of reach: {reason}")
    for line in waiting_lines(report.waiting):
        write_line(line)
    for line in _unmade(report):
        write_line(line)
    if report.held:
        until = max(held.until for held in report.held)
        orders = counted(len(report.held), "order")
        after = f"until {format_time(until)}; run again after that"
        write_line(f"{orders} held by another run, or dated ahead, {after}")
    if report.published is not None:
        write_published(
            report.published, is_quiet=settings.is_quiet, is_verbose=settings.is_verbose
        )
    if not settings.is_quiet:
        _write_end(report)


def all_findings(report: Report) -> tuple[Finding, ...]:
    """The findings of a run, with those of publishing."""
    return report.findings + (report.published.findings if report.published else ())


def waiting_lines(waiting: Iterable[Waiting]) -> Iterator[str]:
    """Yield in words which orders wait, for what, and what is to be done."""
    groups = Counter((item.missing, item.ordered.ca, item.ca, item.reason) for item in waiting)
    for (missing, signing, ca, reason), number in groups.items():
        orders = f"{counted(number, 'order')} {'waits' if number == 1 else 'wait'}"
        if missing is Missing.DOCUMENT:
            yield f"{orders} for a document: {reason} (CA {signing} is to sign)"
            continue
        yield f"{orders} for the key of CA {ca}, {_whereabouts(missing, signing, ca)}"


def _whereabouts(missing: Missing, signing: str, ca: str) -> str:
    match missing:
        case Missing.ABSENT if signing != ca:
            return (
                f"which is not at this machine: what is ordered of CA {signing} for it cannot be"
                f" compared with it here; run `gitca sign --ca {signing}`, and compare"
            )
        case Missing.ABSENT:
            return f"which is not at this machine; run `gitca sign --ca {signing}` where it is"
        case Missing.NOT_SELECTED:
            return "which --ca left out"
        case Missing.UNREACHABLE:
            return "whose signer does not answer; run again when it does"
        case _:
            return "which cannot sign"


def _unmade(report: Report) -> Iterator[str]:
    """Yield in words which CAs cannot be made here, for want of the key that they are to be on."""
    for action in report.plan.actions if report.plan else ():
        if isinstance(action, RequestAuthority) and action.authority in report.absent:
            yield (
                f"CA {action.authority} has no CSR as its document asks, and its key is not at this"
                " machine; run `gitca reconcile` where it is"
            )
        if isinstance(action, CreateAuthority) and action.authority in report.absent:
            command = f"sign --ca {action.ca}" if action.ca == action.authority else "reconcile"
            yield (
                f"CA {action.authority} has no certificate yet, and its key is not at this machine;"
                f" run `gitca {command}` where it is"
            )


def _write_done(report: Report, *, everything: bool) -> None:
    done = (map(_revoked_line, report.revoked), map(_adopted_line, report.adopted))
    lines = [*(line for kind in done for line in kind), *map(signed_line, report.signed)]
    shown = lines if everything else lines[:_SHOWN]
    for line in shown:
        write_line(*line)
    if len(shown) < len(lines):
        write_line(f"… and {len(lines) - len(shown)} more; --verbose shows all")


def _revoked_line(revoked: Revoked) -> list[Piece]:
    what = f"{revoked.ca} {revoked.serial}" if revoked.serial else f"key {revoked.key}"
    return [Styled("revoked ", "red"), f"{what}: {revoked.reason} ({revoked.document.path})"]


def _adopted_line(event: Adopted) -> list[Piece]:
    what = f"certificate of CA {event.authority} from {event.file.path}, {event.fingerprint}"
    return [Styled("adopted ", "green"), what]


def signed_line(ordered: Ordered) -> list[Piece]:
    """What was signed, in one line."""
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
    write_line(f"{done or idle}; {tally(all_findings(report))}.")
    if report.working_tree:
        write_line(Styled("note: ", "yellow"), report.working_tree)


def _totals(report: Report) -> Iterator[str]:
    kinds = Counter(_kind(ordered) for ordered in report.signed)
    for kind, number in sorted(kinds.items()):
        yield f"{counted(number, kind)} signed"
    if report.revoked:
        yield f"{len(report.revoked)} revoked"
    if report.adopted:
        yield f"{counted(len(report.adopted), 'certificate')} adopted"
    if report.resumed:
        yield f"{counted(len(report.resumed), 'order')} of an earlier run finished"
    if report.abandoned:
        yield f"{counted(len(report.abandoned), 'order')} abandoned"


def _kind(ordered: Ordered) -> str:
    if isinstance(ordered.particulars, CrlParticulars):
        return "CRL"
    return "CSR" if isinstance(ordered.particulars, CsrParticulars) else "certificate"
