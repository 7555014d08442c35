"""Policies by themselves, beside the CAs and the requests that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from gitca.documents.load import Governing
from gitca.findings import Finding
from gitca.plan.issuers import Issuer
from gitca.policy.examination import examine_policy


def examine_policies(
    governing: Governing, issuers: Mapping[str, Issuer], requests: Collection[str], now: datetime
) -> Iterator[Finding]:
    """Yield what is wrong with each sound policy; `requests` are the names of all requests."""
    for name in governing.policies:
        yield from examine_named_policy(name, governing, issuers, requests, now)


def examine_named_policy(
    name: str,
    governing: Governing,
    issuers: Mapping[str, Issuer],
    requests: Collection[str],
    now: datetime,
) -> Iterator[Finding]:
    """Yield what is wrong with one policy."""
    policy = governing.policies[name]
    issuer = issuers.get(policy.spec.issuer)
    constraints = issuer.facts(now).template.name_constraints if issuer else None
    yield from examine_policy(policy, constraints, requests, now)
