"""make_plan: from documents, the state and the time to a plan; pure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from gitca.findings import Finding, in_order
from gitca.ledger.events import CertificateParticulars, CrlParticulars
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState
from gitca.plan.authorities import plan_authorities, plan_crls
from gitca.plan.crosses import plan_crosses
from gitca.plan.desired import Desired
from gitca.plan.external import plan_external
from gitca.plan.foresight import foresee
from gitca.plan.issuers import read_issuers
from gitca.plan.limits import hold_surplus
from gitca.plan.model import Action, IssueCertificate, PendingOrder, Plan
from gitca.plan.policies import examine_policies
from gitca.plan.published_urls import judge_names, judge_urls
from gitca.plan.requested_keys import KeyOrders, RequestedKeys
from gitca.plan.requests import RequestPlanner
from gitca.plan.reserved_keys import standing_on_blocked
from gitca.plan.revocations import plan_revocations
from gitca.plan.unlisted import find_unlisted


def make_plan(desired: Desired, state: LedgerState, now: datetime) -> Plan:
    """Return what a reconcile of these documents would do at this moment, and every finding.

    The same documents, state and time give the same plan (I4); a plan made right after its
    reconcile has no action.
    """
    revocations = plan_revocations(desired, state, now)
    issuers = read_issuers(desired.governing, state, now, will_revoke=revocations.will_revoke)
    keys = RequestedKeys.read(desired.requests, KeyOrders(state), desired.entries)
    planned = tuple(RequestPlanner(desired, state, issuers, revocations, now, keys).plan())
    asked = [item for item in planned if isinstance(item, IssueCertificate)]
    issues, above_limits = hold_surplus(asked, desired, state, now)
    revoking = Counter(action.ca for action in revocations.actions if action.ca is not None)
    authorities = (
        *plan_authorities(issuers, now),
        *plan_external(issuers, desired.governing, revocations, state, now),
        *plan_crosses(issuers, state, now),
    )
    actions: tuple[Action, ...] = (
        *(item for item in authorities if not isinstance(item, Finding)),
        *revocations.actions,
        *plan_crls(issuers, revoking, now),
        *issues,
    )
    findings = (
        *desired.governing.findings,
        *desired.requests.findings,
        *(finding for issuer in issuers.values() for finding in issuer.findings),
        *(item for item in authorities if isinstance(item, Finding)),
        *standing_on_blocked(desired.governing, state, now),
        *revocations.findings,
        *(item for item in planned if isinstance(item, Finding)),
        *above_limits,
        # That a policy selects no request is a matter of validate, which runs its tests too.
        *examine_policies(desired.governing, issuers, (), now),
        *judge_urls(desired.governing, issuers),
        *judge_names(desired.governing, state),
        *foresee(desired.governing, issuers, state, actions, now),
        *find_unlisted(desired.governing, state, actions, now),
    )
    return Plan(actions, in_order(findings), tuple(map(_pending_order, state.pending.values())))


def _pending_order(record: OrderRecord) -> PendingOrder:
    ordered = record.ordered
    given = ordered.particulars if isinstance(ordered.particulars, CertificateParticulars) else None
    return PendingOrder(
        order=ordered.order,
        ca=ordered.ca,
        request=given.request if given else None,
        authority=given.authority if given else None,
        lease=ordered.lease,
        about="CRL" if isinstance(ordered.particulars, CrlParticulars) else record.about,
    )
