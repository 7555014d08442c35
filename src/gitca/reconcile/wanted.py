"""Wanted: whether the documents of this moment still ask for what a run ordered and left unsigned.

Recorded is what was allowed then. What is signed now must be allowed now: a key may have been
blocked since, a request deleted, changed or denied, a CA closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import Document
from gitca.ledger.events import CertificateParticulars, CrlParticulars, CsrParticulars, Ordered
from gitca.ledger.state import LedgerState
from gitca.plan.dates import date_changes
from gitca.plan.desired import Desired, asks_for_requesters
from gitca.plan.issuers import read_issuers
from gitca.plan.requested_keys import KeyOrders, RequestedKeys
from gitca.plan.requests import Judged, RequestPlanner
from gitca.plan.revocations import plan_revocations
from gitca.reconcile.keys import Keys
from gitca.reconcile.objection import Objection, denials, too_long
from gitca.reconcile.wanted_authorities import WantedAuthorities


@dataclass(frozen=True, slots=True)
class Wanted:
    """Judges orders once more, by the documents and the ledger of one moment."""

    desired: Desired
    state: LedgerState
    now: datetime
    planner: RequestPlanner
    authorities: WantedAuthorities
    _planners: dict[int, RequestPlanner] = field(default_factory=dict)

    @classmethod
    def read(cls, desired: Desired, state: LedgerState, keys: Keys, now: datetime) -> Wanted:
        """Return the judge of a snapshot's orders."""
        revocations = plan_revocations(desired, state, now)
        issuers = read_issuers(desired.governing, state, now, will_revoke=revocations.will_revoke)
        requested = RequestedKeys.read(desired.requests, KeyOrders(state), desired.entries)
        planner = RequestPlanner(desired, state, issuers, revocations, now, requested)
        authorities = WantedAuthorities(desired.governing, state, keys, issuers, now)
        return cls(desired, state, now, planner, authorities)

    def objection(self, ordered: Ordered) -> Objection | None:
        """Return the first that speaks against signing an order now."""
        match ordered.particulars:
            case CrlParticulars() as crl:
                objections = self.authorities.against_crl(ordered, crl)
            case CsrParticulars() as csr:
                objections = self._against_csr(ordered, csr)
            case CertificateParticulars(request=str(name)) as given:
                asked = self._against_request(ordered, given, name)
                objections = chain(self._common(ordered, given), asked)
            case CertificateParticulars() as given:
                made = self.authorities.against(ordered, given)
                objections = chain(self._common(ordered, given), made)
        return next(chain(objections, self.authorities.against_algorithm(ordered)), None)

    def _against_csr(self, ordered: Ordered, given: CsrParticulars) -> Iterator[Objection]:
        if self.planner.revocations.holds_up("", given.key, given.authority):
            yield Objection("a revocation that names it is to be mended first", final=False)
        yield from self.authorities.against_csr(ordered, given)

    def _common(self, ordered: Ordered, given: CertificateParticulars) -> Iterator[Objection]:
        if (ordered.ca, given.serial) in self.planner.revocations.serials:
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
        yield from denials(verdict.findings)
        if issuer.held_up:
            yield Objection(f"CA {issuer.name} is held up", final=False)
        if verdict.template is None or verdict.template.digest != given.template:
            yield Objection("the documents ask for another certificate by now")
        for change in date_changes(self.state.orders[ordered.order], verdict, self.now):
            yield Objection(f"the documents state other times by now: {change}")
        record = self.state.orders[ordered.order]
        yield from too_long(record, verdict.period, issuer.certificate, verdict.ends_by)
