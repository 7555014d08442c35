"""What became of publishing, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator

from gitca.cli.output import Piece, Styled, counted, write_line
from gitca.reconcile.published import Published, TargetReport

_SHOWN = 20  # lines a target; beyond them the numbers say more


def published_record(published: Published | None) -> list[dict[str, object]]:
    """What was published as JSON gives it, a value for each target."""
    return [_target_record(target) for target in published.targets] if published else []


def _target_record(target: TargetReport) -> dict[str, object]:
    return {
        "target": target.number,
        "to": target.to,
        "sent": list(target.sent),
        "unchanged": target.unchanged,
        "notes": list(target.notes),
        "failures": [
            {"message": error.message, "remedy": error.remedy, "exitCode": error.exit_code}
            for error in target.failures
        ],
    }


def write_published(published: Published, *, is_quiet: bool, is_verbose: bool) -> None:
    """Write what was sent where, unless quiet; and what failed and was strange, always."""
    for target in published.targets:
        if target.sent and not is_quiet:
            for line in _sent_lines(target, everything=is_verbose):
                write_line(*line)
        if not is_quiet and not target.failures:
            write_line(_total(target))
        for note in target.notes:
            write_line(Styled("note: ", "yellow"), f"{_name(target)}: {note}")
        for error in target.failures:
            write_line(Styled(f"{_name(target)}: ", "red"), str(error))


def _name(target: TargetReport) -> str:
    return f"target {target.number} ({target.to})"


def _sent_lines(target: TargetReport, *, everything: bool) -> Iterator[list[Piece]]:
    shown = target.sent if everything else target.sent[:_SHOWN]
    for path in shown:
        yield [Styled("published ", "green"), path]
    if len(shown) < len(target.sent):
        yield [f"… and {len(target.sent) - len(shown)} more; --verbose shows all"]


def _total(target: TargetReport) -> str:
    if not target.sent:
        return f"Nothing to publish to {_name(target)}: all of it is there."
    there = f", {target.unchanged} were there" if target.unchanged else ""
    return f"{counted(len(target.sent), 'object')} published to {_name(target)}{there}."
