"""What is judged, and what comes out: the values that go through every policy rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.findings import Finding, Location, Severity, has_errors
from gitca.x509.csr import Csr
from gitca.x509.template import CertificateTemplate


@dataclass(frozen=True, slots=True)
class IssuerFacts:
    """What a CA's certificate says of what the CA may issue; `not_after` is inclusive."""

    name: str
    not_before: datetime
    not_after: datetime
    template: CertificateTemplate


@dataclass(frozen=True, slots=True)
class Case:
    """One request, with all that decides on it.

    `csr_at` is where the CSR's matters are reported. `issuer` is None while the CA has no
    certificate. `refused_keys` maps key identifiers (`sha256:…`) to the reason in words.
    """

    request: Document[CertificateRequestSpec]
    csr: Csr
    csr_at: Location
    policy: Document[IssuancePolicySpec]
    authority: Document[CertificateAuthoritySpec]
    issuer: IssuerFacts | None
    now: datetime
    refused_keys: Mapping[str, str]

    def denial(self, rule: str, message: str, at: Location, *, remedy: str) -> Finding:
        """Return the error that a field of the policy (`rule` is its path) speaks."""
        return Finding(rule, Severity.ERROR, message, at, remedy, self.policy.name)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a case.

    `template` is None exactly when it could not be formed. `validity` is the whole period from
    notBefore on, `backdate` how far notBefore lies before the moment of issuance. Errors among the
    findings are a denial, whether or not there is a template.
    """

    template: CertificateTemplate | None
    validity: timedelta
    backdate: timedelta
    findings: tuple[Finding, ...]

    @property
    def is_denied(self) -> bool:
        """Whether nothing may be issued for the case."""
        return has_errors(self.findings)


def objection(rule: str, message: str, at: Location, *, remedy: str) -> Finding:
    """Return the error of a check that holds under every policy."""
    return Finding(rule, Severity.ERROR, message, at, remedy)
