"""Limits: how many certificates a request and a policy may have, the plan's own among them.

What is above a limit is held up, and nothing else: renewals go first, then other replacements, so
that a runaway of new requests ends no standing certificate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.lifecycle_rules import Limits
from gitca.findings import Finding, Location, Severity
from gitca.ledger.draft import recorded_at
from gitca.ledger.state import LedgerState
from gitca.plan.desired import Desired
from gitca.plan.model import IssueCertificate

Policy = Document[IssuancePolicySpec]
Limit = Literal["livePerRequest", "livePerPolicy", "issuedPerDay"]

_DAY = timedelta(days=1)
_URGENCY = {"renew": 0, "rekey": 1, "issue": 2}
_SHOWN = 5
_COUNTED: Mapping[Limit, str] = MappingProxyType(
    {
        "livePerRequest": "live certificates of the request",
        "livePerPolicy": "requests with a live certificate",
        "issuedPerDay": "certificates ordered in 24 hours",
    }
)


def hold_surplus(
    issues: Sequence[IssueCertificate], desired: Desired, state: LedgerState, now: datetime
) -> tuple[tuple[IssueCertificate, ...], tuple[Finding, ...]]:
    """Return what may be issued, in its order, and a finding for each limit that holds some up.

    Counted are certificates that are ordered, signed or not, and those that this plan orders.
    """
    limited = {
        policy.path: policy
        for policy in desired.governing.policies.values()
        if policy.spec.limits != Limits()
    }
    if not limited:
        return tuple(issues), ()
    tally = _tally(state, limited, now)
    held: dict[tuple[str, Limit], list[str]] = {}
    kept: set[str] = set()
    for action in sorted(issues, key=lambda item: (_URGENCY[item.action], item.request)):
        path = action.documents.policy.path if action.documents.policy else ""
        limits = limited[path].spec.limits if path in limited else Limits()
        limit = tally.exceeded(limits, path, action.request)
        if limit is None:
            tally.add(path, action.request)
            kept.add(action.request)
        else:
            held.setdefault((path, limit), []).append(action.request)
    allowed = tuple(action for action in issues if action.request in kept)
    findings = (
        finding
        for (path, limit), names in held.items()
        for finding in _findings(limited[path], limit, names, desired)
    )
    return allowed, tuple(findings)


@dataclass(slots=True)
class _Tally:
    """What there is: requests with a live certificate, and orders of one day, by policy's path."""

    per_request: Counter[str] = field(default_factory=Counter)
    live: dict[str, set[str]] = field(default_factory=dict)
    issued: Counter[str] = field(default_factory=Counter)

    def exceeded(self, limits: Limits, path: str, request: str) -> Limit | None:
        """Return the limit that one more certificate for a request would exceed, if any."""
        if _is_full(self.per_request[request], limits.live_per_request):
            return "livePerRequest"
        live = self.live.get(path, set())
        if request not in live and _is_full(len(live), limits.live_per_policy):
            return "livePerPolicy"
        if _is_full(self.issued[path], limits.issued_per_day):
            return "issuedPerDay"
        return None

    def add(self, path: str, request: str) -> None:
        """Count one more certificate."""
        self.per_request[request] += 1
        self.live.setdefault(path, set()).add(request)
        self.issued[path] += 1


def _is_full(seen: int, most: int | None) -> bool:
    return most is not None and seen >= most


def _tally(state: LedgerState, limited: Mapping[str, Policy], now: datetime) -> _Tally:
    tally = _Tally()
    for name, known in state.requests.items():
        live = state.live(known.orders, now)
        tally.per_request[name] = len(live)
        for record in live:
            policy = record.ordered.documents.policy
            if policy is not None and policy.path in limited:
                tally.live.setdefault(policy.path, set()).add(name)
        for record in known.orders:
            policy = record.ordered.documents.policy
            is_new = not record.is_given_up and recorded_at(record.ordered) > now - _DAY
            if is_new and policy is not None and policy.path in limited:
                tally.issued[policy.path] += 1
    return tally


def _findings(
    policy: Policy, limit: Limit, names: Sequence[str], desired: Desired
) -> Iterator[Finding]:
    most = {
        "livePerRequest": policy.spec.limits.live_per_request,
        "livePerPolicy": policy.spec.limits.live_per_policy,
        "issuedPerDay": policy.spec.limits.issued_per_day,
    }[limit]
    reached = f"{most} {_COUNTED[limit]} are reached, which is what is allowed"
    if limit == "livePerRequest":
        remedy = "revoke one, wait until one expires, or raise the limit"
        for name in names:
            at = desired.requests.requests[name].at("spec")
            message = f"{reached}: the next one is held up"
            yield _finding(policy, limit, message, at=at, remedy=remedy)
        return
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    message = f"{reached}; held up: {shown}{more}"
    remedy = "look whether something asks in a loop, or raise the limit"
    at = policy.at("spec", "limits", limit)
    yield _finding(policy, limit, message, at=at, remedy=remedy)


def _finding(policy: Policy, limit: Limit, message: str, *, at: Location, remedy: str) -> Finding:
    return Finding(f"limits.{limit}", Severity.ERROR, message, at, remedy, policy.name)
