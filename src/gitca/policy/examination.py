"""What is wrong with a policy by itself, and beside the CA and the requests that there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.findings import Finding, Location, Severity
from gitca.policy.expressions import examine_expressions
from gitca.policy.lint import examine_lint
from gitca.policy.pattern_lists import examine_patterns, pattern_list
from gitca.policy.supplied_values import examine_supplied_values
from gitca.policy.unreachable import examine_allow_lists, examine_requirements, examine_usages
from gitca.policy.wording import allowed
from gitca.x509.template import NameConstraints

Policy = Document[IssuancePolicySpec]


def examine_policy(
    policy: Policy,
    constraints: NameConstraints | None,
    requests: Iterable[str],
    now: datetime,
) -> Iterator[Finding]:
    """Yield what is wrong with a policy, at its places in it.

    `constraints` are those of the CA that the policy names, `requests` the names of all requests
    that there are. What the fields of the document contradict each other in, its model tells.
    """
    yield from examine_patterns(policy)
    yield from examine_expressions(policy)
    yield from examine_allow_lists(policy, constraints)
    yield from examine_requirements(policy)
    yield from examine_usages(policy)
    yield from examine_supplied_values(policy, constraints)
    yield from examine_selector(policy, requests)
    yield from examine_lint(policy, now)


def examine_selector(policy: Policy, requests: Iterable[str]) -> Iterator[Finding]:
    """`policy.selector`: the policy can be named at all, and (a warning) some request's path fits.

    Labels and requesters are not looked at: the requests are not read for this.
    """
    paths, at = policy.spec.selector.paths, policy.at("spec", "selector", "paths")
    if not paths:
        message = "the policy selects nothing, as its list of paths is empty"
        yield _about(policy, Severity.ERROR, message, at, "list paths, or delete the policy")
        return
    names = list(requests)
    if names and not _selects_any(paths, names):
        message = (
            f"the policy selects none of the {len(names)} requests that there are; {allowed(paths)}"
        )
        remedy = "mend the paths, if requests were meant to be selected"
        yield _about(policy, Severity.WARNING, message, at, remedy)


def _selects_any(paths: tuple[str, ...], names: list[str]) -> bool:
    # Most names are told apart by how they begin; only the others are held against the pattern.
    for path in paths:
        beginning = path.partition("*")[0]
        patterns = pattern_list("path", (path,))
        if any(name.startswith(beginning) and patterns.admits(name) for name in names):
            return True
    return False


def _about(policy: Policy, severity: Severity, message: str, at: Location, remedy: str) -> Finding:
    return Finding("policy.selector", severity, message, at, remedy, policy.name)
