"""The checks of `gitca doctor` for people: an outcome, what it is about, and what was seen."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence

from gitca.cli.doctor_check import Check, Outcome
from gitca.cli.output import Styled, counted, terminal_columns, write_line

_STYLES = {
    Outcome.OK: "green",
    Outcome.NOTE: "cyan",
    Outcome.WARNING: "yellow",
    Outcome.FAILED: "red",
}
_OUTCOME_WIDTH = max(len(outcome) for outcome in Outcome) + 2
_NARROWEST = 40  # columns for what was seen, however narrow the terminal is
_WIDEST = 100  # further the eye does not follow a line


def write_checks(checks: Sequence[Check], *, quiet: bool) -> None:
    """Write one paragraph a check, and how many came out how; with `quiet` what is amiss alone."""
    amiss = (Outcome.WARNING, Outcome.FAILED)
    shown = [check for check in checks if not quiet or check.outcome in amiss]
    width = max((len(_name(check)) for check in shown), default=0) + 2
    for check in shown:
        _write(check, width)
    if not quiet:
        write_line()
        write_line(_tally(checks))
        _write_steps(steps(checks))


def steps(checks: Sequence[Check]) -> tuple[str, ...]:
    """Return what to do about what failed, in order, each once; nothing where nothing failed.

    Keys that are yet to be made come with what failed, the CA above before the one below; the push
    of a branch, which starts pipelines, last; then the look again, and the run.
    """
    amiss = [check for check in checks if check.outcome is Outcome.FAILED]
    if not amiss:
        return ()
    absent = [check for check in checks if check.outcome is Outcome.NOTE and check.about == "key"]
    wanted = [check for check in checks if check in amiss or check in absent]
    wanted.sort(key=lambda check: check.about == "branch")
    told = ((check, check.remedy or (check.seen if check in amiss else "")) for check in wanted)
    found = dict.fromkeys(f"{_name(check)}: {what}" for check, what in told if what)
    return (*found, "gitca doctor, until nothing fails", "gitca reconcile")


def _write_steps(told: Sequence[str]) -> None:
    if not told:
        return
    write_line("Next, in this order:")
    room = min(max(terminal_columns() - 5, _NARROWEST), _WIDEST)
    for number, step in enumerate(told, start=1):
        first, *rest = _wrapped(step, room)
        write_line(f" {number:>2}. ", first)
        for line in rest:
            write_line("     ", line)


def _write(check: Check, width: int) -> None:
    margin = _OUTCOME_WIDTH + width
    room = min(max(terminal_columns() - margin, _NARROWEST), _WIDEST)
    first, *rest = _wrapped(check.seen, room) or [""]
    outcome = Styled(f"{check.outcome:<{_OUTCOME_WIDTH}}", _STYLES[check.outcome])
    write_line(outcome, f"{_name(check):<{width}}", first)
    remedy = _wrapped(check.remedy, room - 3)
    marks = ["-> ", *["   "] * len(remedy)]
    for line in (*rest, *(mark + text for mark, text in zip(marks, remedy, strict=False))):
        write_line(" " * margin, line)


def _wrapped(text: str, width: int) -> list[str]:
    # An ARN or a digest stays whole, to be copied, even where it is longer than the line.
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _name(check: Check) -> str:
    return f"{check.ca} {check.about}" if check.ca else check.about


def _tally(checks: Sequence[Check]) -> Styled:
    counts = Counter(check.outcome for check in checks)
    words = [
        f"{counts[Outcome.OK]} ok",
        counted(counts[Outcome.NOTE], "note"),
        counted(counts[Outcome.WARNING], "warning"),
        f"{counts[Outcome.FAILED]} failed",
    ]
    text = ", ".join(word for word in words if not word.startswith("0 "))
    worst = next((o for o in (Outcome.FAILED, Outcome.WARNING) if counts[o]), Outcome.OK)
    return Styled(f"{counted(len(checks), 'check')}: {text}.", _STYLES[worst])
