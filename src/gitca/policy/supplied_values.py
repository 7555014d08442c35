"""Values that a policy gives to every certificate and that it, or its CA, would not let pass."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from gitca.documents.document import Document
from gitca.documents.issuance_policy import AttributeRule, IssuancePolicySpec
from gitca.findings import Finding, Severity
from gitca.policy.name_constraints import constraint_problem, subject_name
from gitca.policy.pattern_lists import listed_patterns, pattern_list
from gitca.policy.pattern_relations import is_open
from gitca.policy.patterns import PatternKind
from gitca.policy.wording import KIND_WORDS
from gitca.x509.attributes import ATTRIBUTE_OIDS, check_attribute
from gitca.x509.refusal import quoted
from gitca.x509.template import CONSTRAINED_KINDS, NameAttribute, NameConstraints

Policy = Document[IssuancePolicySpec]


def examine_supplied_values(
    policy: Policy, constraints: NameConstraints | None
) -> Iterator[Finding]:
    """`policy.subject.value`: a default or fixed value is one that a certificate may have.

    It is well-formed, denied by no pattern, outside of no constraint of the CA, and (where it must
    be one of the alternative names) a name that may be asked for.
    """
    for type_name, rule in policy.spec.subject.items():
        for field, value in (("default", rule.default), ("fixed", rule.fixed)):
            if value is None:
                continue
            for problem in _problems(policy, type_name, rule, value, constraints):
                yield Finding(
                    rule="policy.subject.value",
                    severity=Severity.ERROR,
                    message=f"{type_name} {quoted(value)} of {field} {problem}",
                    location=policy.at("spec", "subject", type_name, field),
                    remedy="change the value, or what stands against it",
                    policy=policy.name,
                )


def _problems(
    policy: Policy,
    type_name: str,
    rule: AttributeRule,
    value: str,
    constraints: NameConstraints | None,
) -> Iterator[str]:
    oid = ATTRIBUTE_OIDS.get(type_name, type_name)
    unsound = check_attribute(oid, value)
    if unsound:
        yield f"is none: {unsound.message}"
        return
    denying = pattern_list("value", rule.deny).forbidding(value)
    if denying is not None:
        yield f"is denied by {quoted(denying)}"
    name = subject_name(NameAttribute(oid, value))
    problem = constraint_problem(name, constraints) if name and constraints else None
    if name and problem:
        yield f"is read as a {KIND_WORDS[name.kind]}, and {problem} of the CA"
    if rule.must_be_in_sans and not _may_be_a_name(policy, value):
        yield "must be one of the alternative names, and no such name may be asked for"


def _may_be_a_name(policy: Policy, value: str) -> bool:
    """Whether some allow-list of alternative names may allow a value."""
    return any(
        any(is_open(text) for text in texts) or _admits(kind, texts, value)
        for pointer, kind, texts in listed_patterns(policy.spec)
        if pointer[0] == "sans" and pointer[-1] in {"allow", "paths"} and kind in CONSTRAINED_KINDS
    )


def _admits(kind: PatternKind, texts: tuple[str, ...], value: str) -> bool:
    if kind == "ip" and not _is_address(value):
        return False
    return pattern_list(kind, texts).admits(value.lower() if kind == "dns" else value)


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True
