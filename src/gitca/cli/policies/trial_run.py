"""The tests of a working tree's policies, run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from gitca.cli.throwaway import throwaway_csr
from gitca.documents.load import Governing, Read, TreeEntry
from gitca.documents.load_tests import Tests, load_policy_tests
from gitca.findings import Finding
from gitca.policy.trials import TrialBench, TrialReport


@dataclass(frozen=True, slots=True)
class TrialRun:
    """What the tests of policies said, policy by policy, and every finding.

    `findings` are those of the documents with tests, and the cases that failed.
    """

    reports: tuple[TrialReport, ...]
    findings: tuple[Finding, ...]


def run_trials(
    entries: Iterable[TreeEntry],
    read: Read,
    governing: Governing,
    now: datetime,
    *,
    wanted: Callable[[Tests], bool] = lambda _: True,
) -> TrialRun:
    """Run the tests that `wanted` picks; the findings of documents are told of all."""
    loaded = load_policy_tests(entries, read, governing)
    chosen: dict[str, list[Tests]] = {}
    for document in loaded.documents.values():
        if wanted(document):
            chosen.setdefault(document.spec.policy, []).append(document)
    reports = []
    for name, documents in sorted(chosen.items()):
        policy = governing.policies[name]
        bench = TrialBench(
            policy=policy,
            authority=governing.authorities[policy.spec.issuer],
            make_csr=throwaway_csr,
            now=now,
            refused_keys=governing.blocked_keys,
        )
        reports.append(bench.report(documents))
    failures = [failure for report in reports for failure in report.failures]
    return TrialRun(tuple(reports), (*loaded.findings, *failures))
