"""Documents of the working tree, judged as a plan would judge them, without ledger and key."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from gitca.cli.policies.trial_run import TrialRun, run_trials
from gitca.cli.progress import tracked
from gitca.cli.worktree import WorkingTreeReader, certified_names, entries_of, read_regular
from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import Document
from gitca.documents.load import (
    Governing,
    Known,
    Requests,
    TreeEntry,
    load_governing,
    load_requests,
    request_paths,
)
from gitca.documents.load_tests import Tests
from gitca.errors import ContradictionError
from gitca.findings import Finding, Severity, has_errors, in_order
from gitca.ledger.image import authority_path
from gitca.ledger.state import LedgerState
from gitca.plan.issuers import Issuer, read_issuers
from gitca.plan.policies import examine_policies
from gitca.plan.requested_keys import KeyOrders, RequestedKeys
from gitca.policy.case import Case, Verdict
from gitca.policy.evaluate import evaluate
from gitca.policy.waivers import examine_waivers, waivers_for
from gitca.x509.certificate import Certificate, parse_certificate
from gitca.x509.csr import CsrError
from gitca.x509.pem import pem_blocks

_CERTIFICATE_LIMIT = 256 * 1024
_GOVERNING = ("ca/", "policies/")


@dataclass(frozen=True, slots=True)
class Examination:
    """The documents that were looked at (paths, sorted), and what was found."""

    documents: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Examiner:
    """Judges requests by the governing documents of one working tree, at one moment."""

    root: Path
    governing: Governing
    issuers: Mapping[str, Issuer]
    now: datetime

    def keys_of(self, requests: Requests) -> RequestedKeys:
        """Return the requests' CSRs, and what the working tree, without a ledger, tells of them."""
        keys = RequestedKeys.read(requests, KeyOrders(LedgerState()), requests.requests)
        authorities = {
            issuer.certificate.template.key_identifier: name
            for name, issuer in self.issuers.items()
            if issuer.certificate is not None
        }
        return replace(keys, authorities=authorities)

    def judge(
        self, document: Document[CertificateRequestSpec], keys: RequestedKeys
    ) -> Verdict | None:
        """Return the verdict; None where its policy or CA has no sound document.

        Raises: CsrError when the request's CSR is none.
        """
        case = self.case_of(document, keys)
        return evaluate(case) if case else None

    def case_of(
        self, document: Document[CertificateRequestSpec], keys: RequestedKeys
    ) -> Case | None:
        """Return what is judged; None where its policy or CA has no sound document.

        Raises: CsrError when the request's CSR is none.
        """
        policy = self.governing.policies.get(document.spec.policy)
        issuer = self.issuers.get(policy.spec.issuer) if policy else None
        if policy is None or issuer is None:
            return None
        csr = keys.csrs[document.name]
        if isinstance(csr, CsrError):
            raise csr
        return Case(
            request=document,
            csr=csr,
            csr_at=document.at("spec", "csr" if document.spec.csr is not None else "csrFile"),
            policy=policy,
            authority=issuer.document,
            issuer=issuer.facts(self.now),
            now=self.now,
            refused_keys=self.governing.blocked_keys,
            key_history=keys.history(document.name),
            waivers=waivers_for(self.governing.waivers, document.name),
        )

    def findings_of(
        self, requests: Requests, names: Collection[str], *, quiet: bool
    ) -> Iterator[Finding]:
        """Yield what the policies say of each request; `names` are those of all that there are."""
        keys = self.keys_of(requests)
        judged: set[str] = set()
        needed: set[str] = set()
        for name, document in tracked(requests.requests.items(), "validating", quiet=quiet):
            csr = requests.csrs.get(name)
            if csr is None:
                continue
            try:
                verdict = self.judge(document, keys)
            except CsrError as error:
                at = csr.location
                yield Finding(error.rule, Severity.ERROR, error.message, at, error.remedy)
                continue
            if verdict is not None:
                judged.add(name)
                needed.update(waiver.name for waiver in verdict.waivers)
                yield from verdict.findings
        yield from examine_waivers(
            self.governing.waivers, needed=needed, judged=judged, requests=names, now=self.now
        )

    def run_tests(self, entries: Iterable[TreeEntry], only: Collection[str] | None) -> TrialRun:
        """Run the tests of policies; with `only`, those of the tests and policies in it."""

        def is_wanted(tests: Tests) -> bool:
            return (
                only is None or tests.path in only or f"policies/{tests.spec.policy}.yaml" in only
            )

        read = WorkingTreeReader(self.root)
        ran = run_trials(entries, read, self.governing, self.now, wanted=is_wanted)
        if only is None:
            return ran
        cases = {finding for report in ran.reports for finding in report.failures}
        told = tuple(f for f in ran.findings if f in cases or f.location.file in only)
        return replace(ran, findings=told)

    def findings_of_policies(self, names: Collection[str], ran: TrialRun) -> Iterator[Finding]:
        """Yield what is wrong with the policies; `names` are those of all requests.

        A policy that no request fits yet, and that a case of its tests is allowed by, is one that
        waits for its first request.
        """
        waiting = {
            report.policy
            for report in ran.reports
            if any(trial.has_passed and not trial.seen for trial in report.trials)
        }
        for finding in examine_policies(self.governing, self.issuers, names, self.now):
            is_early = finding.rule == "policy.selector" and not finding.is_error
            if not (is_early and finding.policy in waiting):
                yield finding

    def governs(self, requests: Requests) -> frozenset[str]:
        """The paths of the policies, waivers and CAs that the requests are judged by."""
        policies = {document.spec.policy for document in requests.requests.values()}
        paths = {f"policies/{policy}.yaml" for policy in policies}
        for name in requests.requests:
            paths.update(item.path for item in waivers_for(self.governing.waivers, name))
        authorities = [
            self.governing.policies[policy].spec.issuer
            for policy in policies
            if policy in self.governing.policies
        ]
        while authorities:
            name = authorities.pop()
            if f"ca/{name}.yaml" in paths:
                continue
            paths.add(f"ca/{name}.yaml")
            if name in self.governing.authorities:
                authorities.append(self.governing.authorities[name].spec.issuer)
        return frozenset(paths)


def examiner_of(root: Path, now: datetime) -> Examiner:
    """Return the judge for a working tree, with the CA certificates that `issued/` shows."""
    entries = entries_of(root, ("ca", "policies"))
    governing = load_governing(entries, WorkingTreeReader(root))
    issuers = {
        name: _with_certificate(root, issuer)
        for name, issuer in read_issuers(governing, LedgerState(), now).items()
    }
    return Examiner(root, governing, issuers, now)


def examine(
    root: Path, now: datetime, *, only: Collection[str] | None = None, quiet: bool = True
) -> Examination:
    """Return what is wrong with the documents, or with those whose paths are in `only`.

    Of the others it says only what stands in the way of judging those.
    """
    examiner = examiner_of(root, now)
    governing = examiner.governing
    entries = entries_of(root)
    requests = load_requests(
        entries,
        WorkingTreeReader(root),
        only=only,
        governing=governing,
        known=Known(certified_names(root)),
    )
    ran = examiner.run_tests(entries, only)
    findings = (
        *governing.findings,
        *(finding for issuer in examiner.issuers.values() for finding in issuer.findings),
        *requests.findings,
        *examiner.findings_of(requests, request_paths(entries), quiet=quiet),
        *examiner.findings_of_policies(request_paths(entries), ran),
        *ran.findings,
    )
    paths = {entry.path for entry in entries if _is_document(entry.path)}
    if only is None:
        return Examination(tuple(sorted(paths)), in_order(findings))
    wanted = frozenset(only) | examiner.governs(requests)
    tested = {finding.location.file for finding in ran.findings}
    shown = (finding for finding in findings if finding.location.file in wanted | tested)
    return Examination(tuple(sorted(paths & frozenset(only))), in_order(shown))


@dataclass(frozen=True, slots=True)
class Judgement:
    """One request's document, as far as it is sound, with the verdict and all findings."""

    path: str
    document: Document[CertificateRequestSpec] | None
    case: Case | None
    verdict: Verdict | None
    findings: tuple[Finding, ...]

    @property
    def verdict_word(self) -> str:
        """`allowed`, `denied`, or `not judged` where a document does not let it be."""
        if has_errors(self.findings):
            return "denied"
        return "allowed" if self.verdict else "not judged"


def judge_one(root: Path, name: str, now: datetime) -> Judgement | None:
    """Return the judgement of a request by name; None where the working tree has no such one."""
    entry = request_paths(entries_of(root, ("requests",))).get(name)
    if entry is None:
        return None
    examiner, read = examiner_of(root, now), WorkingTreeReader(root)
    requests = load_requests(
        entries_of(root), read, only={entry.path}, governing=examiner.governing
    )
    document, csr = requests.requests.get(name), requests.csrs.get(name)
    case = None
    with contextlib.suppress(CsrError):  # it is among the findings
        keys = examiner.keys_of(requests)
        case = examiner.case_of(document, keys) if document and csr else None
    found = examine(root, now, only={entry.path})
    verdict = evaluate(case) if case else None
    return Judgement(entry.path, document, case, verdict, found.findings)


def _is_document(path: str) -> bool:
    return path.endswith(".yaml")


def _with_certificate(root: Path, issuer: Issuer) -> Issuer:
    """Return the issuer with the certificate that the working tree has of it, if any."""
    certificate = _certificate_of(root, issuer.name)
    if certificate is None:
        return issuer
    # What its making was judged by is past; the plan compares the document with the certificate.
    return replace(issuer, certificate=certificate, held_up=False, findings=())


def _certificate_of(root: Path, ca: str) -> Certificate | None:
    path = root / authority_path(ca)
    try:
        data = read_regular(path, _CERTIFICATE_LIMIT)
    except FileNotFoundError:
        return None
    try:
        return parse_certificate(pem_blocks(data)[0].decode())
    except (ValueError, IndexError) as error:
        raise ContradictionError(
            f"{authority_path(ca)} holds no certificate", remedy="`gitca verify` tells more"
        ) from error
