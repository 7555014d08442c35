"""Wanted: whether the documents of this moment still ask for what a run ordered and left unsigned.

Recorded is what was allowed then. What is signed now must be allowed now: a key may have been
blocked since, a request deleted, changed or denied, a CA closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import Document
from gitca.findings import Finding
from gitca.ledger.draft import recorded_at
from gitca.ledger.events import CertificateParticulars, Ordered
from gitca.ledger.state import LedgerState
from gitca.plan.dates import certificate_dates, date_changes
from gitca.plan.desired import Desired, asks_for_requesters
from gitca.plan.issuers import Issuer, authority_template, read_issuers
from gitca.plan.requested_keys import KeyOrders, RequestedKeys
from gitca.plan.requests import Judged, RequestPlanner
from gitca.plan.revocations import plan_revocations
from gitca.policy.period import Period
from gitca.reconcile.keys import Keys
from gitca.x509.template import spki_identifier


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an order is not to be signed now.

    One that is `final` will not be signed at all. Any other waits for a person to mend a document,
    or for a revocation that this run is about to record.
    """

    reason: str
    final: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """Judges orders for certificates once more, by the documents and the ledger of one moment."""

    desired: Desired
    state: LedgerState
    keys: Keys
    now: datetime
    planner: RequestPlanner
    _planners: dict[int, RequestPlanner] = field(default_factory=dict)

    @classmethod
    def read(cls, desired: Desired, state: LedgerState, keys: Keys, now: datetime) -> Wanted:
        """Return the judge of a snapshot's orders."""
        issuers = read_issuers(desired.governing, state, now)
        revocations = plan_revocations(desired, state, now)
        requested = RequestedKeys.read(desired.requests, KeyOrders(state), desired.entries)
        planner = RequestPlanner(desired, state, issuers, revocations, now, requested)
        return cls(desired, state, keys, now, planner)

    def objection(self, ordered: Ordered) -> Objection | None:
        """Return the first that speaks against signing an order now; nothing does for a CRL's."""
        given = ordered.particulars
        if not isinstance(given, CertificateParticulars):
            return None
        objections = (
            self._against_authority(ordered, given, given.authority)
            if given.authority is not None
            else self._against_request(ordered, given, given.request or "")
        )
        return next(chain(self._common(ordered, given), objections), None)

    def _common(self, ordered: Ordered, given: CertificateParticulars) -> Iterator[Objection]:
        planned = ((action.ca, action.serial) for action in self.planner.revocations.actions)
        if (ordered.ca, given.serial) in planned:
            # Given up now, it would leave that revocation, and its word on the key, with no object.
            yield Objection("its revocation is to be recorded first", final=False)
        if self.planner.revocations.holds_up(given.request or "", given.key, ordered.ca):
            yield Objection("a revocation that names it is to be mended first", final=False)
        governing = self.desired.governing
        if given.key in governing.blocked_keys:
            yield Objection("a blocklist refuses its key by now")
        signing = governing.authorities.get(ordered.ca)
        if signing is not None and signing.spec.state != "active":
            yield Objection(f"CA {ordered.ca} is {signing.spec.state} by now")

    def _against_request(
        self, ordered: Ordered, given: CertificateParticulars, name: str
    ) -> Iterator[Objection]:
        requests = self.desired.requests
        document = requests.requests.get(name)
        if document is None:
            is_there = name in self.desired.entries and name not in requests.revocations
            is_broken = is_there or f"requests/{name}.yaml" in requests.broken
            reason = "the request is broken" if is_broken else "the request is gone"
            yield Objection(reason, final=not is_broken)
            return
        judged = self._judge(ordered, document)
        if judged is None:
            yield Objection("what the request stands on is broken", final=False)
            return
        yield from self._against_verdict(ordered, given, judged)

    def _judge(self, ordered: Ordered, document: Document[CertificateRequestSpec]) -> Judged | None:
        """Return the verdict on the order's request, with its key's past before the order."""
        if self._is_untold(document):
            return None
        segment = self.state.orders[ordered.order].segment
        if segment not in self._planners:
            orders = KeyOrders(self.state, segment)
            keys = replace(self.planner.keys, orders=orders, authorities=orders.authorities())
            self._planners[segment] = replace(self.planner, keys=keys)
        planner = self._planners[segment]
        judged = planner.judge(document)
        return planner.judge_anew(judged) if isinstance(judged, Judged) else None

    def _is_untold(self, document: Document[CertificateRequestSpec]) -> bool:
        """Whether the policy asks who changed the request, and this clone cannot tell."""
        policy = self.desired.governing.policies.get(document.spec.policy)
        paths = {document.path, self.desired.requests.csrs[document.name].path}
        return asks_for_requesters(policy) and not paths <= self.desired.requesters.keys()

    def _against_verdict(
        self, ordered: Ordered, given: CertificateParticulars, judged: Judged
    ) -> Iterator[Objection]:
        verdict, issuer = judged.verdict, judged.issuer
        if issuer.name != ordered.ca:
            yield Objection(f"its policy issues from CA {issuer.name} by now")
        for denial in filter(_is_error, verdict.findings):
            yield Objection(f"the documents deny it by now: {denial.message} ({denial.rule})")
        if issuer.held_up:
            yield Objection(f"CA {issuer.name} is held up", final=False)
        if verdict.template is None or verdict.template.digest != given.template:
            yield Objection("the documents ask for another certificate by now")
        for change in date_changes(self.state.orders[ordered.order], verdict, self.now):
            yield Objection(f"the documents state other times by now: {change}")
        yield from self._too_long(ordered, verdict.period, issuer, verdict.ends_by)

    def _against_authority(
        self, ordered: Ordered, given: CertificateParticulars, name: str
    ) -> Iterator[Objection]:
        governing = self.desired.governing
        document = governing.authorities.get(name)
        if document is None:
            is_broken = f"ca/{name}.yaml" in governing.broken
            reason = "the document of the CA is broken" if is_broken else _GONE
            yield Objection(reason, final=not is_broken)
            return
        if document.spec.state != "active":
            yield Objection(f"CA {name} is {document.spec.state} by now")
        issuer = self.planner.issuers.get(name)
        if issuer is None:
            yield Objection("what the CA stands on is broken", final=False)
            return
        if issuer.parent != ordered.ca:
            yield Objection(f"the document of the CA names the issuer {issuer.parent} by now")
        yield from self._against_key(ordered, given, document)
        for denial in filter(_is_error, issuer.findings):
            yield Objection(f"the documents deny it by now: {denial.message} ({denial.rule})")
        if issuer.held_up:
            yield Objection(f"CA {ordered.ca} is held up", final=False)
        parent = None if issuer.parent == name else self.planner.issuers.get(issuer.parent)
        yield from self._too_long(ordered, Period(document.spec.validity), parent, None)

    def _against_key(
        self,
        ordered: Ordered,
        given: CertificateParticulars,
        document: Document[CertificateAuthoritySpec],
    ) -> Iterator[Objection]:
        """Yield what only who has the new CA's key can see; without it the order waits anyway."""
        signing = self.desired.governing.authorities.get(ordered.ca)
        spki_der = self.keys.public_key(document)
        if spki_der is None or signing is None:
            return
        if spki_identifier(spki_der) != given.key:
            yield Objection("the document of the CA names another key since")
        above = self.planner.issuers.get(ordered.ca)
        certificate = above.certificate if above else None
        signing_spki = certificate.template.spki_der if certificate else spki_der
        wanted = authority_template(document, signing, spki_der, signing_spki)
        if wanted.digest != given.template:
            yield Objection("the documents ask for another certificate by now")

    def _too_long(
        self, ordered: Ordered, period: Period, issuer: Issuer | None, ends_by: datetime | None
    ) -> Iterator[Objection]:
        given = self.state.orders[ordered.order].certificate
        certificate = issuer.certificate if issuer else None
        _, end = certificate_dates(recorded_at(ordered), period, certificate, ends_by)
        if given.not_after > end:
            yield Objection(f"the documents let it end on {end:%Y-%m-%d} by now, which is earlier")


_GONE = "the document of the CA is gone"


def _is_error(finding: Finding) -> bool:
    return finding.is_error
