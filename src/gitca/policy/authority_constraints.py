"""A CA's name constraints, held against those of the CA that issues it.

The constraints of a CA must say all that binds it, so that people read them in one place and its
leaves can be judged by them alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitca.findings import Finding, Location
from gitca.policy.authority_case import AuthorityCase, ca_attributes
from gitca.policy.case import objection
from gitca.policy.name_constraints import (
    constraint_problem,
    stated_constraints,
    stated_subtrees,
    subject_name,
    subtree_within,
)
from gitca.policy.propose import NAME_KINDS
from gitca.policy.wording import KIND_WORDS
from gitca.x509.names import check_dns, is_wildcard
from gitca.x509.refusal import quoted
from gitca.x509.template import GeneralName, GeneralNameKind, NameConstraints

_NONE = NameConstraints()


def check_subtrees(case: AuthorityCase) -> Iterator[Finding]:
    """`authority.nameConstraints`: the host of a subtree is a DNS name, IDNA 2008 included."""
    for base, pointer in stated_subtrees(case.authority.spec):
        host = base.value.rpartition("@")[2].removeprefix(".")
        problem = None if base.kind == "ip" else check_dns(host)
        if problem or is_wildcard(host):
            message = f"subtree {quoted(base.value)} is none: {problem or 'it has a wildcard'}"
            remedy = "write a domain, an address, or .domain for the hosts below it"
            at = case.authority.at(*pointer)
            yield objection("authority.nameConstraints", message, at, remedy=remedy)


def check_permitted(case: AuthorityCase) -> Iterator[Finding]:
    """`authority.nameConstraints`: what is permitted lies within what the parent permits."""
    outer = case.constraints
    if case.parent is None or outer is None:
        return
    stated = [
        (base, pointer)
        for base, pointer in stated_subtrees(case.authority.spec)
        if pointer[2] == "permitted"
    ]
    for kind in NAME_KINDS:
        allowed = _of_kind(outer.permitted, kind)
        own = [(base, pointer) for base, pointer in stated if base.kind == kind]
        seen = f"CA {case.parent.name} permits only {_texts(allowed)}"
        if allowed and not own:
            message = f"no {KIND_WORDS[kind]} is constrained, and {seen}"
            yield _objection(message, case.authority.at("spec", "nameConstraints", "permitted"))
        for base, pointer in own:
            if allowed and not any(subtree_within(base, other) for other in allowed):
                message = f"permitted {KIND_WORDS[kind]} {quoted(base.value)} is too wide: {seen}"
                yield _objection(message, case.authority.at(*pointer))


def check_excluded(case: AuthorityCase) -> Iterator[Finding]:
    """`authority.nameConstraints`: what the parent excludes is excluded or not permitted here."""
    outer = case.constraints
    if case.parent is None or outer is None:
        return
    own = stated_constraints(case.authority.spec) or _NONE
    for base in outer.excluded:
        permitted = _of_kind(own.permitted, base.kind)
        excluded = _of_kind(own.excluded, base.kind)
        apart = permitted and not any(_overlap(base, other) for other in permitted)
        if not apart and not any(subtree_within(base, other) for other in excluded):
            message = (
                f"{KIND_WORDS[base.kind]} {quoted(base.value)} is excluded by CA"
                f" {case.parent.name} and not here"
            )
            yield _objection(message, case.authority.at("spec", "nameConstraints", "excluded"))


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


def _of_kind(bases: Iterable[GeneralName], kind: GeneralNameKind) -> tuple[GeneralName, ...]:
    return tuple(base for base in bases if base.kind == kind)


def _overlap(one: GeneralName, other: GeneralName) -> bool:
    return subtree_within(one, other) or subtree_within(other, one)


def _texts(bases: Iterable[GeneralName]) -> str:
    return ", ".join(base.value for base in bases)


def _objection(message: str, at: Location) -> Finding:
    remedy = "state nameConstraints within those of the issuer"
    return objection("authority.nameConstraints", message, at, remedy=remedy)
