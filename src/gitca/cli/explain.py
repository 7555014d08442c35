"""`gitca request show`: what a request asks for, what it has, and what its policy says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.completion import request_names
from gitca.cli.output import Format, field_lines, terminal_columns, write_json, write_line
from gitca.cli.settings import settings_of
from gitca.cli.times import clock, distance
from gitca.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from gitca.cli.certificates import Row
    from gitca.cli.examine import Judgement


def show(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="The request's path below requests/.", autocompletion=request_names
        ),
    ],
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Explain a request.

    What its certificate would say, the policy's verdict, and what it has now. The document is the
    working tree's; the certificate is what the checked-out commit knows of. Exits with 1 if the
    policy denies the request.
    """
    from gitca.cli.certificates import row_of
    from gitca.cli.clone import open_clone
    from gitca.cli.examine import judge_one
    from gitca.cli.report import FINDINGS, write_findings
    from gitca.findings import has_errors
    from gitca.plan.render_json import finding_record

    settings, now = settings_of(context), clock()
    judgement = judge_one(settings.root, name, now)
    if judgement is None:
        raise UsageError(
            f"there is no requests/{name}.yaml",
            remedy="`gitca show` knows the certificates of deleted requests",
        )
    with open_clone(settings.repo) as clone:
        record = clone.state.requests.get(name)
        orders = [order for order in (record.orders if record else ()) if not order.is_given_up]
        rows = [row_of(clone, order, now) for order in orders]
    if output_format is Format.JSON:
        findings = [finding_record(finding) for finding in judgement.findings]
        certificates = [row.as_json() for row in rows]
        write_json(_record(judgement) | {"certificates": certificates, "findings": findings})
    else:
        for field, value in (*_facts(judgement), *_standing(rows, now)):
            for line in field_lines(field, value, terminal_columns()):
                write_line(line)
        write_findings(judgement.findings)
    if has_errors(judgement.findings):
        raise typer.Exit(FINDINGS)


def _record(judgement: Judgement) -> dict[str, object]:
    facts = {"document": judgement.path, "verdict": judgement.verdict_word}
    return {**facts, **{name.replace(" ", ""): value for name, value in _asked(judgement)}}


def _facts(judgement: Judgement) -> Iterator[tuple[str, str]]:
    yield "document", judgement.path
    yield from _asked(judgement)
    yield "verdict", judgement.verdict_word


def _asked(judgement: Judgement) -> Iterator[tuple[str, str]]:
    """What the request would be given, as far as it could be read."""
    from gitca.cli.name_text import name_text
    from gitca.plan.words import (
        authority_words,
        extension_lines,
        key_words,
        period_words,
        usage_words,
    )

    document, verdict = judgement.document, judgement.verdict
    if document is not None:
        yield "policy", document.spec.policy
        if document.metadata.owner:
            yield "owner", document.metadata.owner
    if verdict is None or verdict.template is None:
        return
    template = verdict.template
    yield "subject", name_text(template.subject) or "(empty)"
    yield "names", ", ".join(map(str, template.sans))
    yield "key", f"{key_words(template.spki_der)}, {template.key_identifier}"
    yield "usages", ", ".join(usage_words(template))
    if template.basic_constraints:
        yield "authority", authority_words(template)
    extensions = extension_lines(template)
    if extensions:
        yield "extensions", "; ".join(extensions)
    yield "validity", period_words(verdict.period)


def _standing(rows: list[Row], now: datetime) -> Iterator[tuple[str, str]]:
    if not rows:
        yield "certificate", "none yet"
    for row in rows:
        given = row.record.certificate
        ends = f"{given.not_after:%Y-%m-%d} ({distance(given.not_after, now)})"
        yield "certificate", f"{row.status.value}, {given.serial}, notAfter {ends}"
