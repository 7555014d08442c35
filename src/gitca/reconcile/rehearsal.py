"""Rehearsal: build and lint what a plan would issue, with no key, for whoever reviews the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import count

from gitca.documents.load import Governing
from gitca.errors import BackendUnavailableError
from gitca.findings import in_order
from gitca.git.store import Snapshot
from gitca.plan.model import IssueCertificate, Plan
from gitca.reconcile.build import Builder
from gitca.reconcile.keys import Keys
from gitca.reconcile.moment import Moment
from gitca.signers import Signer

# Serial numbers of full length: what is rehearsed is as long as what will be signed.
FIRST_SERIAL = 1 << 158


def rehearse_plan(plan: Plan, governing: Governing, snapshot: Snapshot, now: datetime) -> Plan:
    """Return the plan with what building and linting its certificates finds.

    A certificate that the linter refuses is no action of the plan any more. Those whose CA has no
    certificate yet cannot be built and are left as they are.
    """
    issues = [action for action in plan.actions if isinstance(action, IssueCertificate)]
    if not issues:
        return plan
    moment = Moment(now, "rehearsal", snapshot.source, count(FIRST_SERIAL).__next__)
    built = Builder(governing, snapshot.state, Keys(_no_key), moment).build(issues)
    refused = {finding.location.file for finding in built.findings if finding.is_error}
    actions = tuple(
        action
        for action in plan.actions
        if not isinstance(action, IssueCertificate) or refused.isdisjoint(_documents(action))
    )
    return replace(plan, actions=actions, findings=in_order((*plan.findings, *built.findings)))


def _documents(action: IssueCertificate) -> set[str]:
    """Return the documents at which a finding stops an action: its request's and its CA's."""
    request = action.documents.request
    return {action.documents.ca.path, *([request.path] if request else [])}


def _no_key(uri: str) -> Signer:
    raise BackendUnavailableError(f"a rehearsal uses no key, {uri!r} neither")
