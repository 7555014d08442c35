"""Which requests a policy speaks for, and which CA may answer."""

from __future__ import annotations

from collections.abc import Iterator

from gitca.findings import Finding
from gitca.policy.case import Case, objection
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
