"""`gitca policy test`: the cases that lie beside policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.completion import policy_names
from gitca.cli.output import Format, Styled, counted, write_json, write_line
from gitca.cli.settings import settings_of
from gitca.cli.times import clock

if TYPE_CHECKING:
    from gitca.policy.trials import Trial, TrialReport


def run_tests(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Policies, by their paths below policies/; all without one.",
            autocompletion=policy_names,
        ),
    ] = None,
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Run the tests of policies.

    The cases of policies/NAME.tests.yaml (kind PolicyTests) are judged as requests are; each that
    is not allowed or denied as it expects is told, and so are the rules of a policy that no case
    is denied by. Needs no key, no network and no commit. Exits with 1 if a case fails.
    """
    from gitca.cli.policies.trial_run import run_trials
    from gitca.cli.policies.working_tree import check_policies
    from gitca.cli.report import FINDINGS, write_findings
    from gitca.cli.worktree import WorkingTreeReader, entries_of
    from gitca.documents.load import load_governing
    from gitca.findings import has_errors, in_order
    from gitca.plan.render_json import finding_record

    settings = settings_of(context)
    entries, read = entries_of(settings.root, ("ca", "policies")), WorkingTreeReader(settings.root)
    governing = load_governing(entries, read)
    check_policies(governing, names or ())
    chosen = frozenset(names or governing.policies)
    ran = run_trials(
        entries, read, governing, clock(), wanted=lambda tests: tests.spec.policy in chosen
    )
    findings = in_order((*governing.findings, *ran.findings))
    if output_format is Format.JSON:
        records = [finding_record(finding) for finding in findings]
        write_json({"policies": [_record(r) for r in ran.reports], "findings": records})
    else:
        write_findings(findings)
        if not settings.is_quiet:
            _tell(ran.reports, chosen)
    if has_errors(findings):
        raise typer.Exit(FINDINGS)


def _tell(reports: tuple[TrialReport, ...], chosen: frozenset[str]) -> None:
    for report in reports:
        failed = len(report.failures)
        count, rules = len(report.trials), len(report.configured)
        write_line(
            Styled(report.policy, "bold"),
            f": {counted(count, 'case')}, ",
            Styled(f"{failed} failed", "red") if failed else Styled("all as expected", "green"),
            f"; {rules - len(report.unexercised)} of {counted(rules, 'rule')} exercised",
        )
        if report.unexercised:
            write_line(f"  no case is denied by: {', '.join(report.unexercised)}")
    for name in sorted(chosen - {report.policy for report in reports}):
        write_line(Styled(name, "bold"), ": no tests")


def _record(report: TrialReport) -> dict[str, object]:
    return {
        "policy": report.policy,
        "cases": [_case_record(trial) for trial in report.trials],
        "rules": list(report.configured),
        "unexercised": list(report.unexercised),
    }


def _case_record(trial: Trial) -> dict[str, object]:
    from gitca.plan.render_json import finding_record
    from gitca.policy.trials import expectation

    return {
        "name": trial.case.name,
        "file": trial.at.file,
        "line": trial.at.line,
        "column": trial.at.column,
        "passed": trial.has_passed,
        "expected": expectation(trial.case.expect),
        "seen": expectation(trial.seen),
        "findings": [finding_record(finding) for finding in trial.findings],
    }
