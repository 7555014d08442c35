"""A policy's tests: each case is judged as a request in `requests/` would be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec, KeyAlgorithm
from gitca.documents.key_rules import EcdsaKeys, MlDsaKeys, RsaKeys
from gitca.documents.load_tests import Tests, case_request
from gitca.documents.policy_tests import EcdsaCaseKey, MlDsaCaseKey, PolicyCase, RsaCaseKey
from gitca.findings import Finding, Location, Severity
from gitca.policy.authority import propose_authority
from gitca.policy.case import Case, IssuerFacts, Requester
from gitca.policy.evaluate import evaluate
from gitca.policy.rule_names import configured_rules, is_part
from gitca.x509.csr import CsrError, parse_csr
from gitca.x509.keys import KeyDescription
from gitca.x509.refusal import quoted

MakeCsr = Callable[[KeyDescription], str]
"""A kind of key to the PEM of a CSR without names on such a key."""

ALLOWED = "allow"
_SHOWN = 4  # findings that one line about a case repeats; the others are named by their rules
_MOST_BITS = 4096  # of an RSA key that is made for a case: a longer one takes minutes


@dataclass(frozen=True, slots=True)
class Trial:
    """One case with what the policy said of it; `seen` are the rules that denied it."""

    case: PolicyCase
    at: Location
    seen: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def has_passed(self) -> bool:
        """Whether exactly the rules spoke that were expected to."""
        return set(self.seen) == set(self.case.expect)

    @property
    def unexpected(self) -> tuple[Finding, ...]:
        """The errors of rules that the case does not expect."""
        return tuple(
            finding
            for finding in self.findings
            if finding.is_error and finding.rule not in self.case.expect
        )

    def failure(self) -> Finding | None:
        """Return the finding of a case whose expectation was not met."""
        if self.has_passed:
            return None
        return Finding(
            rule="tests.case",
            severity=Severity.ERROR,
            message=f"case {quoted(self.case.name)} expects {_text(self.case.expect)};"
            f" seen: {_text(self.seen)}{self._because()}",
            location=self.at,
            remedy="mend the policy, or the case",
        )

    def _because(self) -> str:
        words = [f"{finding.rule}: {finding.message}" for finding in self.unexpected[:_SHOWN]]
        return f" ({'; '.join(words)})" if words else ""


@dataclass(frozen=True, slots=True)
class TrialReport:
    """The trials of a policy, over all documents with tests of it.

    `configured` are the rules that the policy's text can deny a request by.
    """

    policy: str
    trials: tuple[Trial, ...]
    configured: tuple[str, ...]

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings of the cases whose expectations were not met."""
        return tuple(failure for trial in self.trials if (failure := trial.failure()))

    @property
    def unexercised(self) -> tuple[str, ...]:
        """The configured rules that no case was denied by."""
        denied = {rule for trial in self.trials for rule in trial.seen}
        return tuple(
            rule for rule in self.configured if not any(is_part(rule, seen) for seen in denied)
        )


@dataclass(frozen=True, slots=True)
class TrialBench:
    """What a policy's cases are judged with; `refused_keys` are those of the blocklists."""

    policy: Document[IssuancePolicySpec]
    authority: Document[CertificateAuthoritySpec]
    make_csr: MakeCsr
    now: datetime
    refused_keys: Mapping[str, str]

    def report(self, documents: Iterable[Tests]) -> TrialReport:
        """Return what the policy says of every case of the documents.

        The CA is one that is made at the moment of the case, so that a verdict does not change with
        the age of a certificate. Not known here: what only a ledger knows.
        """
        trials = (trial for document in documents for trial in self._trials(document))
        return TrialReport(self.policy.name, tuple(trials), configured_rules(self.policy))

    def _trials(self, tests: Tests) -> Iterator[Trial]:
        for index, case in enumerate(tests.spec.cases):
            errors = self._judge(tests, index, case)
            seen = dict.fromkeys(finding.rule for finding in errors if finding.is_error)
            at = tests.at("spec", "cases", index, "expect")
            yield Trial(case, at, tuple(seen), errors)

    def _judge(self, tests: Tests, index: int, case: PolicyCase) -> tuple[Finding, ...]:
        asked = case.request.spec
        pem = asked.csr or self.make_csr(_key_of(case, self.policy.spec.key.algorithms))
        request, findings = case_request(tests, index, pem)
        if request is None:
            return findings
        at = request.at("spec", "csr")
        try:
            csr = parse_csr(pem.encode())
        except CsrError as error:
            return (Finding(error.rule, Severity.ERROR, error.message, at, error.remedy),)
        now = case.now or self.now
        verdict = evaluate(
            Case(
                request=request,
                csr=csr,
                csr_at=at,
                policy=self.policy,
                authority=self.authority,
                issuer=self._issuer(now),
                now=now,
                refused_keys=self.refused_keys,
                requesters=_requesters(request.path, case),
            )
        )
        # A case of a moment outside of the policy's hours asks whether anything is issued then.
        hold = verdict.hold if case.now else None
        return verdict.findings + ((replace(hold, severity=Severity.ERROR),) if hold else ())

    def _issuer(self, now: datetime) -> IssuerFacts:
        return IssuerFacts(
            name=self.authority.name,
            not_before=now,
            not_after=now + self.authority.spec.validity - timedelta(seconds=1),
            template=propose_authority(self.authority, b""),
        )


def _requesters(path: str, case: PolicyCase) -> Mapping[str, Requester | None] | None:
    by = case.request.requester
    return None if by is None else {path: Requester(by.author, by.committer or by.author)}


def expectation(rules: tuple[str, ...]) -> str | list[str]:
    """Return an expectation as a document writes it: `allow`, or the list of rules."""
    return list(rules) or ALLOWED


def _text(rules: tuple[str, ...]) -> str:
    return ", ".join(rules) or ALLOWED


def _key_of(case: PolicyCase, allowed: tuple[KeyAlgorithm, ...]) -> KeyDescription:
    """Return the kind of key that a case asks for, or else the first that the policy allows."""
    match case.request.spec.key:
        case RsaCaseKey(bits=bits, exponent=exponent):
            return KeyDescription("rsa", bits, None, exponent)
        case EcdsaCaseKey(curve=curve):
            return _ecdsa(curve)
        case MlDsaCaseKey(parameter_set=parameter_set):
            return _ml_dsa(parameter_set)
        case None:
            return next((_sample(algorithm) for algorithm in allowed), _ecdsa("P-256"))
    return KeyDescription("ed25519", 256)


def _sample(algorithm: KeyAlgorithm) -> KeyDescription:
    if isinstance(algorithm, RsaKeys):
        return KeyDescription("rsa", min(algorithm.min_bits, _MOST_BITS), None, 65537)
    if isinstance(algorithm, EcdsaKeys):
        return _ecdsa(next(iter(algorithm.curves), "P-256"))
    if isinstance(algorithm, MlDsaKeys):
        return _ml_dsa(next(iter(algorithm.parameter_sets), "ML-DSA-65"))
    return KeyDescription("ed25519", 256)


def _ecdsa(curve: str) -> KeyDescription:
    return KeyDescription("ecdsa", int(curve.removeprefix("P-")), curve)


def _ml_dsa(parameter_set: str) -> KeyDescription:
    return KeyDescription("ml-dsa", int(parameter_set.removeprefix("ML-DSA-")))
