"""Lint drafts before they are recorded; certificates on every core when they are many."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

from gitca.findings import Finding, Location, Severity, has_errors
from gitca.ledger.draft import Draft
from gitca.ledger.events import CrlParticulars, SourceDocuments
from gitca.x509.lint import LintResult, lint_certificate, lint_crl

# Starting workers costs some 0.6 s, as much as linting 400 certificates here.
MANY = 200
CHUNK = 50


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One draft, and its object under a placeholder signature as the linter sees it (DER)."""

    draft: Draft
    der: bytes
    documents: SourceDocuments


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
    certificates: list[Rehearsed], crls: list[Rehearsed]
) -> tuple[tuple[Draft, ...], tuple[Finding, ...]]:
    """Return the drafts without an error of the linter's, and all that the linter said."""
    results = [
        *zip(certificates, lint_certificates([item.der for item in certificates]), strict=True),
        *((item, lint_crl(item.der)) for item in crls),
    ]
    sound: list[Draft] = []
    findings: list[Finding] = []
    for item, said in results:
        about = [_lint_finding(item, result) for result in said]
        findings += about
        if not has_errors(about):
            sound.append(item.draft)
    return tuple(sound), tuple(findings)


def _lint_finding(item: Rehearsed, result: LintResult) -> Finding:
    finding = build_finding(
        item.documents,
        f"lint.{result.code}",
        f"the linter refuses the {_noun(item.draft)} as built: {result.message or result.code}",
        "change what the document asks for, or the policy's or CA's part in it",
    )
    return replace(finding, severity=result.severity)


def _noun(draft: Draft) -> str:
    return "CRL" if isinstance(draft.ordered.particulars, CrlParticulars) else "certificate"


def build_finding(documents: SourceDocuments, rule: str, message: str, remedy: str) -> Finding:
    """Return the error of a build, at the request or, where there is none, at the CA's document."""
    document = documents.request or documents.ca
    return Finding(rule, Severity.ERROR, message, Location(document.path), remedy)
