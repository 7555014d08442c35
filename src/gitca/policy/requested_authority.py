"""CA certificates by request: within what the policy and the issuing CA's certificate allow.

keyCertSign, cRLSign and basicConstraints reach a certificate by the request's field `ca` alone.
What the CA goes on to issue is no longer judged here: its path length and name constraints are all
that binds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitca.findings import Finding
from gitca.policy.case import Case, objection
from gitca.policy.constraint_bounds import Problem, not_excluded, too_wide, unsound_subtrees
from gitca.policy.name_constraints import (
    StatedSubtree,
    constraints_of,
    stated_constraints,
    stated_subtrees,
)
from gitca.policy.proposal import Proposal
from gitca.x509.template import NameAttribute, NameConstraints

_FIELD = ("spec", "ca", "nameConstraints")
_NARROW = "narrow the request's nameConstraints"


def check_mentioned(case: Case, _: Proposal) -> Iterator[Finding]:
    """`ca`: a request asks for a CA only where the policy speaks of CAs."""
    if case.request.spec.ca is not None and case.policy.spec.ca is None:
        yield case.denial(
            "ca",
            "the request asks for a CA certificate; allowed are certificates of end entities",
            case.request.at("spec", "ca"),
            remedy="remove ca, or name a policy that allows CAs",
        )


def check_path_length(case: Case, _: Proposal) -> Iterator[Finding]:
    """`ca.pathLength.max`: no more CAs may follow than the policy allows."""
    asked, rules = case.request.spec.ca, case.policy.spec.ca
    if asked is None or rules is None:
        return
    longest = rules.path_length.max
    if asked.path_length is None or asked.path_length > longest:
        yield case.denial(
            "ca.pathLength.max",
            f"{_length_words(asked.path_length)} is above {longest}",
            case.request.at("spec", "ca", "pathLength"),
            remedy=f"state pathLength: {longest} or less, or change the policy",
        )


def check_issuer_path_length(case: Case, _: Proposal) -> Iterator[Finding]:
    """`issuer.pathLength`: less than the issuing CA's own (RFC 5280 section 4.2.1.9)."""
    asked, longest = case.request.spec.ca, _issuer_path_length(case)
    if asked is None or longest is None:
        return
    name, at = case.authority.name, case.request.at("spec", "ca", "pathLength")
    if longest == 0:
        message = f"CA {name} has pathLength 0; allowed below it is no CA"
        yield objection("issuer.pathLength", message, at, remedy="name a policy of another CA")
    elif asked.path_length is None or asked.path_length >= longest:
        seen = _length_words(asked.path_length)
        message = f"{seen} is above {longest - 1}, what pathLength {longest} of CA {name} leaves"
        remedy = f"state pathLength: {longest - 1} or less"
        yield objection("issuer.pathLength", message, at, remedy=remedy)


def check_constraints_required(case: Case, _: Proposal) -> Iterator[Finding]:
    """`ca.nameConstraints.required`: the request states name constraints."""
    asked, rules = case.request.spec.ca, case.policy.spec.ca
    if asked is None or rules is None or asked.name_constraints is not None:
        return
    if rules.name_constraints.required:
        yield case.denial(
            "ca.nameConstraints.required",
            "the request states no nameConstraints; allowed is a CA with some",
            case.request.at("spec", "ca"),
            remedy="state the names that the CA may certify, or change the policy",
        )


def check_subtrees(case: Case, _: Proposal) -> Iterator[Finding]:
    """`ca.nameConstraints.syntax`: the host of a subtree is a DNS name, IDNA 2008 included."""
    remedy = "write a domain, an address, or .domain for the hosts below it"
    for message, pointer in unsound_subtrees(_stated(case)):
        at = case.request.at(*_FIELD, *pointer)
        yield objection("ca.nameConstraints.syntax", message, at, remedy=remedy)


def check_permitted(case: Case, _: Proposal) -> Iterator[Finding]:
    """`ca.nameConstraints.permitted`: what is permitted lies within what the policy permits."""
    outer = _policy_constraints(case)
    if outer is not None:
        problems = too_wide(_stated(case), outer, f"policy {case.policy.name}")
        yield from _denials(case, "ca.nameConstraints.permitted", problems)


def check_excluded(case: Case, _: Proposal) -> Iterator[Finding]:
    """`ca.nameConstraints.excluded`: what the policy excludes is excluded or not permitted."""
    outer = _policy_constraints(case)
    if outer is not None:
        problems = not_excluded(_stated(case), outer, f"policy {case.policy.name}")
        yield from _denials(case, "ca.nameConstraints.excluded", problems)


def check_issuer_constraints(case: Case, _: Proposal) -> Iterator[Finding]:
    """`issuer.nameConstraints`: within those of the issuing CA, and stating all of them."""
    planned = stated_constraints(case.authority.spec)
    outer = case.issuer.template.name_constraints if case.issuer else planned
    if case.request.spec.ca is None or outer is None:
        return
    stated, who = _stated(case), f"CA {case.authority.name}"
    for message, pointer in (*too_wide(stated, outer, who), *not_excluded(stated, outer, who)):
        at = case.request.at(*_FIELD, *pointer)
        yield objection("issuer.nameConstraints", message, at, remedy=_NARROW)


def check_subject(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`ca.subject`: a CA has a name (RFC 5280 section 4.1.2.6)."""
    if case.request.spec.ca is not None and not proposal.subject:
        at = case.request.at("spec", "subject")
        message = "the subject is empty; allowed is a CA with a name (RFC 5280 section 4.1.2.6)"
        yield objection("ca.subject", message, at, remedy="give the CA a commonName")


def check_name_is_not_issuers(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`subject.issuer`: nothing is named as the CA that issues it.

    Such a certificate is self-issued: it does not count for the path length, name constraints do
    not bind it, and a CRL that it signs passes for the CA's (RFC 5280 sections 6.1.3 and 6.1.4).
    """
    own = [part.attribute for part in proposal.subject]
    issuer = case.issuer.template.subject if case.issuer else ()
    if own and _folded(own) == _folded(issuer):
        yield objection(
            "subject.issuer",
            f"the subject is that of CA {case.authority.name} itself; allowed is a name of its own",
            case.request.at("spec", "subject"),
            remedy="change the subject",
        )


def _folded(subject: Iterable[NameAttribute]) -> list[tuple[str, str]]:
    """Return a name as verifiers compare it: case and spaces say nothing (RFC 5280 section 7.1)."""
    return [(item.oid, " ".join(item.value.casefold().split())) for item in subject]


def _stated(case: Case) -> tuple[StatedSubtree, ...]:
    asked = case.request.spec.ca
    return tuple(stated_subtrees(asked.name_constraints if asked else None))


def _policy_constraints(case: Case) -> NameConstraints | None:
    """Return the policy's constraints where they bind a CA that is asked for."""
    asked, rules = case.request.spec.ca, case.policy.spec.ca
    if asked is None or rules is None:
        return None
    # Not required and not stated is allowed; stated constraints are within the policy's always.
    if asked.name_constraints is None and not rules.name_constraints.required:
        return None
    return constraints_of(rules.name_constraints)


def _denials(case: Case, rule: str, problems: Iterable[Problem]) -> Iterator[Finding]:
    for message, pointer in problems:
        at = case.request.at(*_FIELD, *pointer)
        yield case.denial(rule, message, at, remedy=f"{_NARROW}, or change the policy")


def _issuer_path_length(case: Case) -> int | None:
    basic = case.issuer.template.basic_constraints if case.issuer else None
    return basic.path_length if basic else case.authority.spec.path_length


def _length_words(path_length: int | None) -> str:
    return "no pathLength, which is any," if path_length is None else f"pathLength {path_length}"
