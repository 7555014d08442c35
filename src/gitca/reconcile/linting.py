"""Lint drafts before they are recorded; certificates on every core when they are many."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from gitca.documents.lint_rules import LintRules
from gitca.findings import Finding, Location, Severity, has_errors
from gitca.ledger.draft import Draft
from gitca.ledger.events import CrlParticulars, SourceDocuments
from gitca.policy.lint import ignored_by, stopping_severity
from gitca.x509.lint import LintResult, lint_certificate, lint_crl

# Starting workers costs some 0.6 s, as much as linting 400 certificates here.
MANY = 200
CHUNK = 50


DEFAULT_RULES = LintRules()
"""For what no policy speaks of: CRLs, and the certificates of the CAs themselves."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One draft, and its object under a placeholder signature as the linter sees it (DER).

    `lint` is what the policy says of the linter's results.
    """

    draft: Draft
    der: bytes
    documents: SourceDocuments
    lint: LintRules = DEFAULT_RULES


def lint_certificates(ders: Sequence[bytes]) -> list[tuple[LintResult, ...]]:
    """Return the lint results of each certificate (DER), in order."""
    workers = os.cpu_count() or 1
    if len(ders) < MANY or workers == 1:
        return [lint_certificate(der) for der in ders]
    # Not fork: this process may have threads. The server imports the linter once for all workers.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gitca.x509.lint"])
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        return list(pool.map(lint_certificate, ders, chunksize=CHUNK))


def lint_drafts(
    certificates: list[Rehearsed], crls: list[Rehearsed], now: datetime
) -> tuple[tuple[Draft, ...], tuple[Finding, ...]]:
    """Return the drafts that the linter stops not, and all that the linter said.

    What a policy ignores at this moment is a warning that says so.
    """
    results = [
        *zip(certificates, lint_certificates([item.der for item in certificates]), strict=True),
        *((item, lint_crl(item.der)) for item in crls),
    ]
    sound: list[Draft] = []
    findings: list[Finding] = []
    for item, said in results:
        about = [_lint_finding(item, result, now) for result in said]
        findings += about
        if not has_errors(about):
            sound.append(item.draft)
    return tuple(sound), tuple(findings)


def _lint_finding(item: Rehearsed, result: LintResult, now: datetime) -> Finding:
    said = result.message or result.code
    severity = stopping_severity(item.lint, result.severity)
    verb = "refuses" if severity is Severity.ERROR else "remarks on"
    finding = build_finding(
        item.documents,
        f"lint.{result.code}",
        f"the linter {verb} the {_noun(item.draft)} as built: {said}",
        "change what the document asks for, or the policy's or CA's part in it",
    )
    ignored = ignored_by(item.lint, result.code, now)
    if ignored is None:
        return replace(finding, severity=severity)
    message = (
        f"{finding.message}: IGNORED by the policy until {ignored.until:%Y-%m-%dT%H:%M:%SZ}"
        f" ({ignored.reason})"
    )
    weight = Severity.WARNING if severity is Severity.ERROR else severity
    return replace(finding, severity=weight, message=message)


def _noun(draft: Draft) -> str:
    return "CRL" if isinstance(draft.ordered.particulars, CrlParticulars) else "certificate"


def build_finding(documents: SourceDocuments, rule: str, message: str, remedy: str) -> Finding:
    """Return the error of a build, at the request or, where there is none, at the CA's document."""
    document = documents.request or documents.ca
    return Finding(rule, Severity.ERROR, message, Location(document.path), remedy)
