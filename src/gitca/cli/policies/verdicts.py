"""`gitca policy check`: each rule's word on a request."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.completion import request_names
from gitca.cli.output import Format, Styled, terminal_columns, write_json, write_line
from gitca.cli.settings import settings_of
from gitca.cli.times import clock
from gitca.errors import UsageError

if TYPE_CHECKING:
    from gitca.cli.examine import Judgement
    from gitca.policy.rule_verdicts import RuleVerdict

_STYLES = {"allowed": "green", "denied": "red", "not asked": "dim"}


def check(
    context: typer.Context,
    request: Annotated[
        str,
        typer.Argument(
            metavar="REQUEST",
            help="The request's path below requests/.",
            autocompletion=request_names,
        ),
    ],
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Say what each rule makes of a request, and why.

    Every rule is allowed, denied, or not asked: the policy does not say it, or the request has
    nothing that it judges. Reads the working tree; what only the ledger knows `gitca plan` tells.
    Exits with 1 if the request is denied.
    """
    from gitca.cli.examine import judge_one
    from gitca.cli.report import FINDINGS, write_findings
    from gitca.findings import has_errors
    from gitca.policy.rule_verdicts import rule_verdicts

    settings = settings_of(context)
    judgement = judge_one(settings.root, request, clock())
    if judgement is None:
        raise UsageError(
            f"there is no requests/{request}.yaml", remedy="name a request below requests/"
        )
    verdicts = rule_verdicts(judgement.case) if judgement.case else ()
    if output_format is Format.JSON:
        write_json(_record(judgement, verdicts))
    else:
        if judgement.document is not None:
            policy = judgement.document.spec.policy
            write_line(f"{judgement.path}: {judgement.verdict_word} by policy {policy}")
        if verdicts and not settings.is_quiet:
            _tell(verdicts)
        write_findings(judgement.findings)
    if has_errors(judgement.findings):
        raise typer.Exit(FINDINGS)


def _tell(verdicts: tuple[RuleVerdict, ...]) -> None:
    """Write a line a rule; reasons that are too long for it go on below."""
    width = max(len(verdict.rule) for verdict in verdicts)
    before = 11 + width + 2
    for verdict in verdicts:
        reason = textwrap.wrap(
            verdict.reason, max(30, terminal_columns() - before), break_on_hyphens=False
        )
        word = Styled(f"{verdict.outcome:<11}", _STYLES[verdict.outcome])
        write_line(word, f"{verdict.rule:<{width}}  ", *reason[:1])
        for line in reason[1:]:
            write_line(" " * before, line)


def _record(judgement: Judgement, verdicts: tuple[RuleVerdict, ...]) -> dict[str, object]:
    from gitca.plan.render_json import finding_record

    document = judgement.document
    return {
        "document": judgement.path,
        "policy": document.spec.policy if document else None,
        "verdict": judgement.verdict_word,
        "rules": [
            {"rule": verdict.rule, "verdict": verdict.outcome, "reason": verdict.reason}
            for verdict in verdicts
        ],
        "findings": [finding_record(finding) for finding in judgement.findings],
    }
