"""Which requests a policy speaks for, and which CA may answer."""

from __future__ import annotations

from collections.abc import Iterator

from gitca.findings import Finding, Location, Severity
from gitca.policy.case import Case, Requester, objection
from gitca.policy.pattern_lists import pattern_list
from gitca.policy.proposal import Proposal
from gitca.policy.wording import allowed
from gitca.x509.refusal import quoted


def check_selector(case: Case, _: Proposal) -> Iterator[Finding]:
    """`selector.paths`: the policy selects the request's path."""
    paths = case.policy.spec.selector.paths
    if not pattern_list("path", paths).admits(case.request.name):
        yield case.denial(
            "selector.paths",
            f"the policy does not select request {quoted(case.request.name)}; {allowed(paths)}",
            case.request.at("spec", "policy"),
            remedy="name a policy that selects it, or change the policy",
        )


def check_labels(case: Case, _: Proposal) -> Iterator[Finding]:
    """`selector.labels`: the request has each label that the policy asks for, with such a value."""
    labels = case.request.metadata.labels
    for name, pattern in case.policy.spec.selector.labels.items():
        value = labels.get(name)
        if value is not None and pattern_list("value", (pattern,)).admits(value):
            continue
        seen = "is missing" if value is None else f"is {quoted(value)}"
        yield case.denial(
            "selector.labels",
            f"label {name} {seen}; {allowed((pattern,))}",
            case.request.at("metadata", "labels", name),
            remedy="label the request so, or name a policy that selects it",
        )


def check_requesters(case: Case, _: Proposal) -> Iterator[Finding]:
    """`selector.requesters`: who changed the request and its CSR last is one of those named."""
    wanted = case.policy.spec.selector.requesters
    if wanted is None:
        return
    at = case.request.at("spec", "policy")
    if case.requesters is None:
        message = "who asks is not judged here: a commit says who changed the request last"
        remedy = "commit it, and see gitca plan"
        policy = case.policy.name
        yield Finding("selector.requesters", Severity.NOTE, message, at, remedy, policy)
        return
    for path, requester in case.requesters.items():
        place = at if path == case.request.path else case.csr_at
        yield from _judge_requester(case, path, requester, place)


def _judge_requester(
    case: Case, path: str, requester: Requester | None, at: Location
) -> Iterator[Finding]:
    wanted = case.policy.spec.selector.requesters
    if requester is None:
        yield case.denial(
            "selector.requesters",
            f"who changed {path} last is not in this clone's history",
            at,
            remedy="fetch the whole history (git fetch --unshallow)",
        )
        return
    for role, address in (("author", requester.author), ("committer", requester.committer)):
        patterns = getattr(wanted, f"{role}s")
        if patterns is None or pattern_list("email", patterns).admits(_plain(address)):
            continue
        yield case.denial(
            f"selector.requesters.{role}s",
            f"the {role} who changed {path} last is {quoted(address)}; {allowed(patterns)}",
            at,
            remedy="let one of them commit the change, or name a policy that selects it",
        )


def _plain(address: str) -> str:
    """Return an address with its domain in lower case, as patterns have it."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.lower()}"


def check_authority_state(case: Case, _: Proposal) -> Iterator[Finding]:
    """`authority.state`: a CA that is crl-only or retired issues nothing."""
    state = case.authority.spec.state
    if state != "active":
        yield objection(
            "authority.state",
            f"CA {case.authority.name} is {state}; allowed is a CA that is active",
            case.request.at("spec", "policy"),
            remedy="name a policy of another CA, or give the policy another issuer",
        )


def check_authority_named(case: Case, _: Proposal) -> Iterator[Finding]:
    """`issuer`: the CA that answers is the one that the policy names."""
    if case.authority.name != case.policy.spec.issuer:
        yield case.denial(
            "issuer",
            f"CA {case.authority.name} would issue; allowed is {case.policy.spec.issuer}",
            case.request.at("spec", "policy"),
            remedy="name a policy of that CA",
        )
