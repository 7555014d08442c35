"""What `gitca sign` did, for people and for programs, and what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitca.cli.done import order_record, signed_line, waiting_lines, waiting_record
from gitca.cli.output import Styled, counted, write_line
from gitca.cli.report import tally, write_findings
from gitca.cli.settings import Settings
from gitca.plan.render_json import finding_record

if TYPE_CHECKING:
    from gitca.cli.sign import Signing
    from gitca.reconcile.carry_over import CarriedOver
    from gitca.reconcile.report import Report


def signing_record(done: Signing, ca: str) -> dict[str, object]:
    """What was done, as `gitca sign --format json` gives it."""
    report, carried = done.report, done.carried
    return {
        "ca": ca or None,
        "carried": carried and _carried_record(carried),
        "localBranch": done.branch,
        "declined": report is not None and report.declined,
        "run": report and report.run,
        "tip": report.tip if report else carried and carried.commit,
        "signed": [order_record(ordered) for ordered in report.signed] if report else [],
        "abandoned": list(report.abandoned) if report else [],
        "waiting": [waiting_record(item) for item in report.waiting] if report else [],
        "findings": [finding_record(item) for item in report.findings] if report else [],
        "workingTree": report.working_tree if report else carried.working_tree if carried else "",
    }


def _carried_record(carried: CarriedOver) -> dict[str, object]:
    return {
        "local": carried.local,
        "commit": carried.commit,
        "signed": [order_record(ordered) for ordered in carried.signed],
        "spent": [order_record(ordered) for ordered in carried.spent],
    }


def write_signing(done: Signing, settings: Settings, ca: str) -> None:
    """Write what was carried over and signed, the findings, and what to do next."""
    if done.carried is not None and not settings.is_quiet:
        _write_carried(done.carried)
    elif done.report is None and not settings.is_quiet:
        write_line("Nothing to carry over: origin has all that is signed here.")
    if done.report is not None:
        _write_report(done, done.report, settings, ca)


def _write_carried(carried: CarriedOver) -> None:
    if carried.local == carried.commit:
        write_line(f"Pushed what was signed on the local branch, {carried.local[:12]}, to origin:")
    else:
        write_line(
            f"Carried over what was signed on the local branch: {carried.local[:12]} is now"
            f" {carried.commit[:12]} on origin's."
        )
    for ordered in carried.signed:
        write_line(*signed_line(ordered))
    if carried.spent:
        number = counted(len(carried.spent), "signature")
        write_line(f"{number} recorded as spent: origin had another outcome for the order.")
    if carried.local != carried.commit:
        write_line(f"The local commit is kept as refs/gitca/carried/{carried.local}.")
    if carried.working_tree:
        write_line(Styled("note: ", "yellow"), carried.working_tree)


def _write_report(done: Signing, report: Report, settings: Settings, ca: str) -> None:
    if not settings.is_quiet:
        for ordered in report.signed:
            write_line(*signed_line(ordered))
    write_findings(report.findings)
    for line in waiting_lines(report.waiting):
        write_line(line)
    if settings.is_quiet:
        return
    abandoned = counted(len(report.abandoned), "order")
    parts = [f"{counted(len(report.signed), 'object')} signed"] if report.signed else []
    parts += [f"{abandoned} given up"] if report.abandoned else []
    idle = "Nothing was signed" if report.declined else f"Nothing awaits the key of CA {ca}"
    write_line(f"{', '.join(parts) or idle}; {tally(report.findings)}.")
    if report.working_tree:
        write_line(Styled("note: ", "yellow"), report.working_tree)
    if done.branch is not None and (report.signed or report.abandoned):
        write_line(f"This is on the local branch {done.branch} alone. Next, where origin answers:")
        write_line("  gitca sign        here, or in a clone that has this branch (git bundle)")
        write_line("  gitca reconcile   goes on with what is signed")
    elif report.abandoned:
        write_line("Next: `gitca reconcile`, which orders anew what is still wanted.")
