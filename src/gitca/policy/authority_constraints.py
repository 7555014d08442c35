"""A CA's name constraints, held against those of the CA that issues it."""

from __future__ import annotations

from collections.abc import Iterator

from gitca.findings import Finding, Location
from gitca.policy.authority_case import AuthorityCase, ca_attributes
from gitca.policy.case import objection
from gitca.policy.constraint_bounds import not_excluded, too_wide, unsound_subtrees
from gitca.policy.name_constraints import (
    StatedSubtree,
    constraint_problem,
    stated_subtrees,
    subject_name,
)
from gitca.x509.refusal import quoted

_FIELD = ("spec", "nameConstraints")


def check_subtrees(case: AuthorityCase) -> Iterator[Finding]:
    """`authority.nameConstraints`: the host of a subtree is a DNS name, IDNA 2008 included."""
    for message, pointer in unsound_subtrees(_stated(case)):
        remedy = "write a domain, an address, or .domain for the hosts below it"
        at = case.authority.at(*_FIELD, *pointer)
        yield objection("authority.nameConstraints", message, at, remedy=remedy)


def check_permitted(case: AuthorityCase) -> Iterator[Finding]:
    """`authority.nameConstraints`: what is permitted lies within what the parent permits."""
    if case.parent is not None and case.constraints is not None:
        who = f"CA {case.parent.name}"
        for message, pointer in too_wide(_stated(case), case.constraints, who):
            yield _objection(message, case.authority.at(*_FIELD, *pointer))


def check_excluded(case: AuthorityCase) -> Iterator[Finding]:
    """`authority.nameConstraints`: what the parent excludes is excluded or not permitted here."""
    if case.parent is not None and case.constraints is not None:
        who = f"CA {case.parent.name}"
        for message, pointer in not_excluded(_stated(case), case.constraints, who):
            yield _objection(message, case.authority.at(*_FIELD, *pointer))


def check_subject_permitted(case: AuthorityCase) -> Iterator[Finding]:
    """`authority.nameConstraints`: an e-mail address in the CA's own subject is permitted."""
    outer = case.constraints
    if case.parent is None or outer is None:
        return
    for attribute, at in ca_attributes(case.authority):
        name = subject_name(attribute)
        problem = constraint_problem(name, outer) if name and name.kind == "email" else None
        if problem:
            message = f"subject email {quoted(attribute.value)} {problem} of CA {case.parent.name}"
            yield _objection(message, at)


def _stated(case: AuthorityCase) -> tuple[StatedSubtree, ...]:
    return tuple(stated_subtrees(case.authority.spec.name_constraints))


def _objection(message: str, at: Location) -> Finding:
    remedy = "state nameConstraints within those of the issuer"
    return objection("authority.nameConstraints", message, at, remedy=remedy)
