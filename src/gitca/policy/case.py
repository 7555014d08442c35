"""What is judged, and what comes out: the values that go through every policy rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.waiver import WaiverSpec
from gitca.findings import Finding, Location, Severity, has_errors
from gitca.policy.period import ONE_SECOND, Period
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
class KeyHistory:
    """What is known of a key besides the CSR.

    `holder` is the request that has it, by the first order on it at `since`; None for a new key.
    Where its document is gone, `left` is what its last certificate on the key says. `rivals` are
    other requests that ask now for a key that is new or left, `authority` is the CA whose own key
    it is.
    """

    holder: str | None = None
    since: datetime | None = None
    left: CertificateTemplate | None = None
    rivals: tuple[str, ...] = ()
    authority: str | None = None

    def of_others(self, request: str) -> KeyHistory:
        """Return the history without what the request itself did with the key."""
        return replace(self, holder=None, since=None) if self.holder == request else self


NEW_KEY = KeyHistory()


@dataclass(frozen=True, slots=True)
class Requester:
    """Who changed a file last, as Git has it: e-mail addresses, empty where Git has none.

    Nothing proves them but what the forge checks before it takes a commit.
    """

    author: str
    committer: str


@dataclass(frozen=True, slots=True)
class Case:
    """One request, with all that decides on it.

    `csr_at` is where the CSR's matters are reported. `issuer` is None while the CA has no
    certificate. `refused_keys` maps key identifiers (`sha256:…`) to the reason in words.
    `requesters` has who changed the request's document, and its CSR's file, last, by path: None for
    a path where this clone cannot tell. It is None itself where there is no commit to ask.
    """

    request: Document[CertificateRequestSpec]
    csr: Csr
    csr_at: Location
    policy: Document[IssuancePolicySpec]
    authority: Document[CertificateAuthoritySpec]
    issuer: IssuerFacts | None
    now: datetime
    refused_keys: Mapping[str, str]
    key_history: KeyHistory = NEW_KEY
    requesters: Mapping[str, Requester | None] | None = None
    waivers: tuple[Document[WaiverSpec], ...] = ()

    def denial(self, rule: str, message: str, at: Location, *, remedy: str) -> Finding:
        """Return the error that a field of the policy (`rule` is its path) speaks."""
        return Finding(rule, Severity.ERROR, message, at, remedy, self.policy.name)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a case.

    `template` is None exactly when it could not be formed. `validity` is the whole period from
    notBefore on, `backdate` how far notBefore lies before the moment of issuance, both at this
    moment; `period` says the same for every moment, and `issuer_end` when the CA's certificate
    ends. Errors among the findings are a denial, whether or not there is a template. `hold` is no
    denial and says why nothing is to be issued now. `waivers` are those that were needed: the
    certificate may not last longer than the first of them to end.
    """

    template: CertificateTemplate | None
    period: Period
    hold: Finding | None
    issuer_end: datetime | None
    validity: timedelta
    backdate: timedelta
    findings: tuple[Finding, ...]
    waivers: tuple[Document[WaiverSpec], ...] = ()

    @property
    def ends_by(self) -> datetime | None:
        """The time by which the certificate must end; None where no waiver says so."""
        return min((waiver.spec.until for waiver in self.waivers), default=None)

    @property
    def latest_end(self) -> datetime | None:
        """The time, inclusive, that a stated notAfter comes to; None where none is stated."""
        ends = [self.period.not_after, self.issuer_end, self.ends_by and self.ends_by - ONE_SECOND]
        return self.period.not_after and min(end for end in ends if end is not None)

    @property
    def is_denied(self) -> bool:
        """Whether nothing may be issued for the case."""
        return has_errors(self.findings)


def objection(rule: str, message: str, at: Location, *, remedy: str) -> Finding:
    """Return the error of a check that holds under every policy."""
    return Finding(rule, Severity.ERROR, message, at, remedy)
