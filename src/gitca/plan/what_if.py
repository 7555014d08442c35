"""What a change of policies and CAs would do to the requests that stand under them.

Only those requests are read that the change can reach: the policy that a request was last judged
under is in the ledger, so that the others cost a look into a dictionary (I11).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import Document
from gitca.documents.load import (
    Governing,
    Known,
    Read,
    Requests,
    TreeEntry,
    load_requests,
    request_paths,
)
from gitca.documents.references import request_findings
from gitca.findings import Finding, has_errors
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState
from gitca.plan.desired import Desired, ReadRequesters, certified, policy_name, requesters_of
from gitca.plan.issuers import read_issuers
from gitca.plan.policies import examine_named_policy
from gitca.plan.requested_keys import KeyOrders, RequestedKeys
from gitca.plan.requests import RequestPlanner
from gitca.plan.revocations import plan_revocations
from gitca.x509.differences import differences
from gitca.x509.template import CertificateTemplate

Effect = Literal["denied", "admitted", "reissued"]


@dataclass(frozen=True, slots=True)
class Consequence:
    """What the change does to one request, and the live certificates that the request has.

    `findings` are why: those of the new text where it denies, those of the old where it denied.
    `changes` say what a certificate that is issued anew says otherwise.
    """

    request: str
    policy: str
    effect: Effect
    findings: tuple[Finding, ...]
    changes: tuple[str, ...]
    certificates: tuple[OrderRecord, ...]

    @property
    def folder(self) -> str:
        """The top folder of the request, with its slash; empty for one that lies in none."""
        top, slash, _ = self.request.partition("/")
        return top + slash if slash else ""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The changed policies, how many requests were judged, and what became of which.

    `findings` are what is wrong with the new text of the changed policies by itself.
    """

    policies: tuple[str, ...]
    judged: int
    consequences: tuple[Consequence, ...]
    findings: tuple[Finding, ...] = ()

    def of(self, effect: Effect) -> tuple[Consequence, ...]:
        """Return the consequences of one kind, by request."""
        return tuple(item for item in self.consequences if item.effect == effect)


def by_folder(consequences: Iterable[Consequence]) -> Mapping[str, int]:
    """Return how many requests there are in each top folder, most first."""
    counted = Counter(item.folder for item in consequences)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True, slots=True)
class Standing:
    """The requests of a commit with the ledger that goes with them, at one moment."""

    entries: tuple[TreeEntry, ...]
    read: Read
    state: LedgerState
    now: datetime
    read_requesters: ReadRequesters


def what_if(standing: Standing, before: Governing, after: Governing) -> WhatIf:
    """Return what it would do to the standing requests if `after` took the place of `before`."""
    policies = changed_policies(before, after)
    named = _named(standing.state, before, after)
    if not (policies or named):
        return WhatIf((), 0, ())
    names = request_paths(standing.entries)
    only = {
        entry.path
        for name, entry in names.items()
        if name in named or _may_be_under(name, entry, policies, standing.state)
    }
    requests = load_requests(
        standing.entries, standing.read, only=only, known=Known(certified(standing.state))
    )
    reached = {
        name: document
        for name, document in sorted(requests.requests.items())
        if name in named or document.spec.policy in policies
    }
    old, new = (_Bench.of(standing, names, requests, governing) for governing in (before, after))
    found = (_consequence(document, old, new, standing) for document in reached.values())
    return WhatIf(
        policies=tuple(sorted(policies)),
        judged=len(reached),
        consequences=tuple(item for item in found if item is not None),
        findings=tuple(
            finding
            for name in sorted(policies & after.policies.keys())
            for finding in examine_named_policy(
                name, after, new.planner.issuers, names, standing.now
            )
        ),
    )


def changed_policies(before: Governing, after: Governing) -> frozenset[str]:
    """Return the policies that say something else, or whose CA's document does.

    One that is there on one side alone, or broken, is among them; one with other comments is not.
    """
    names = before.policies.keys() | after.policies.keys()
    return frozenset(name for name in names if _text(before, name) != _text(after, name))


def _text(governing: Governing, name: str) -> tuple[object, object] | None:
    policy = governing.policies.get(name)
    if policy is None:
        return None
    return policy.source.value, governing.authorities[policy.spec.issuer].source.value


def _named(state: LedgerState, before: Governing, after: Governing) -> frozenset[str]:
    """Return the requests that a changed waiver names, or that had a key whose listing changed."""
    keys = before.blocked_keys.keys() ^ after.blocked_keys.keys()
    on_keys = (record.certificate.request for key in keys for record in state.keys.get(key, ()))
    old = {name: waiver.source.value for name, waiver in before.waivers.items()}
    new = {name: waiver.source.value for name, waiver in after.waivers.items()}
    waived = (
        governing.waivers[name].spec.request
        for governing in (before, after)
        for name in governing.waivers
        if old.get(name) != new.get(name)
    )
    return frozenset((*filter(None, on_keys), *waived))


def _may_be_under(
    name: str, entry: TreeEntry, policies: frozenset[str], state: LedgerState
) -> bool:
    """Whether a request is under one of the policies, as far as the ledger can tell."""
    if entry.path in state.executed:
        return False
    record = state.requests.get(name)
    documents = record.orders[-1].ordered.documents if record else None
    if documents is None or documents.request is None or documents.policy is None:
        return True
    return documents.request.blob != entry.blob or policy_name(documents.policy) in policies


@dataclass(frozen=True, slots=True)
class _Opinion:
    """What one side says of a request: the errors, and the certificate without any."""

    errors: tuple[Finding, ...]
    template: CertificateTemplate | None


@dataclass(frozen=True, slots=True)
class _Bench:
    """Judges the requests by the policies of one side."""

    governing: Governing
    planner: RequestPlanner

    @classmethod
    def of(
        cls,
        standing: Standing,
        names: Mapping[str, TreeEntry],
        requests: Requests,
        governing: Governing,
    ) -> _Bench:
        state, now = standing.state, standing.now
        blobs = {entry.path: entry.blob for entry in standing.entries}
        requesters = requesters_of(governing, requests, standing.read_requesters)
        desired = Desired(governing, names, blobs, requests, requesters)
        planner = RequestPlanner(
            desired=desired,
            state=state,
            issuers=read_issuers(governing, state, now),
            revocations=plan_revocations(desired, state, now),
            now=now,
            keys=RequestedKeys.read(requests, KeyOrders(state), names),
        )
        return cls(governing, planner)

    def opinion(self, document: Document[CertificateRequestSpec]) -> _Opinion:
        judged = self.planner.judge(document)
        if isinstance(judged, Finding):
            return _Opinion((judged,), None)
        if judged is None:
            return _Opinion(tuple(self._missing(document)), None)
        held_up = judged.issuer.findings if judged.issuer.held_up else ()
        found = (*judged.verdict.findings, *held_up)
        errors = tuple(finding for finding in found if finding.is_error)
        return _Opinion(errors, None if has_errors(errors) else judged.verdict.template)

    def _missing(self, document: Document[CertificateRequestSpec]) -> Iterator[Finding]:
        broken = {
            path.removeprefix("policies/").removesuffix(".yaml")
            for path in self.governing.broken
            if path.startswith("policies/")
        }
        yield from request_findings([document], self.governing.policies, broken)


def _consequence(
    document: Document[CertificateRequestSpec], old: _Bench, new: _Bench, standing: Standing
) -> Consequence | None:
    record = standing.state.requests.get(document.name)
    current = record.current if record else None
    if current is not None and standing.state.is_revoked(current):
        return None  # it stays revoked, whatever the policies say
    was, will_be = old.opinion(document), new.opinion(document)
    certificates = standing.state.live(record.orders if record else (), standing.now)
    changes: tuple[str, ...] = ()
    effect: Effect
    if bool(was.errors) != bool(will_be.errors):
        effect = "denied" if will_be.errors else "admitted"
    elif was.template and will_be.template and certificates:
        effect, changes = "reissued", differences(was.template, will_be.template)
        if not changes:
            return None
    else:
        return None
    findings = will_be.errors if effect == "denied" else was.errors
    return Consequence(
        document.name, document.spec.policy, effect, findings, tuple(changes), certificates
    )
