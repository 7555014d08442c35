"""Entries of a policy that nothing can match, and what it asks for and never allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.findings import Finding, Severity
from gitca.policy.pattern_lists import listed_patterns
from gitca.policy.pattern_relations import is_denied, is_inside, is_outside
from gitca.policy.patterns import PatternKind
from gitca.policy.wording import allowed
from gitca.x509.key_usage import allowed_key_usage
from gitca.x509.keys import KeyDescription
from gitca.x509.refusal import quoted
from gitca.x509.template import CONSTRAINED_KINDS, GeneralName, NameConstraints

Policy = Document[IssuancePolicySpec]
Pointer = tuple[str | int, ...]

_CA_USAGES = frozenset({"keyCertSign", "cRLSign"})
_USAGE_LISTS = ("default", "allow", "required")


def examine_allow_lists(policy: Policy, constraints: NameConstraints | None) -> Iterator[Finding]:
    """`policy.allow`: every entry of an allow-list can match, and (an error) at least one can.

    An entry is dead where the deny-list beside it denies all that it allows, or where no such name
    may be certified by the CA. An empty list is none of them: it says that nothing is allowed.
    """
    lists = {pointer: (kind, texts) for pointer, kind, texts in listed_patterns(policy.spec)}
    for pointer, (kind, texts) in lists.items():
        if pointer[-1] not in {"allow", "paths"} or pointer[0] == "selector":
            continue
        _, denied = lists.get((*pointer[:-1], "deny"), (kind, ()))
        bounds = constraints if pointer[0] == "sans" and kind in CONSTRAINED_KINDS else None
        dead = [_why_dead(kind, text, denied, bounds) for text in texts]
        for index, (text, reason) in enumerate(zip(texts, dead, strict=True)):
            if reason:
                message = f"pattern {quoted(text)} allows nothing: {reason}"
                remedy = "remove it, or what stands against it"
                yield _about(policy, Severity.WARNING, message, (*pointer, index), remedy)
        if texts and all(dead):
            field = ".".join(map(str, pointer))
            message = f"no name can match {field}: none of its entries allows anything"
            remedy = "mend the entries, or remove the field"
            yield _about(policy, Severity.ERROR, message, pointer, remedy)


def _why_dead(
    kind: PatternKind, text: str, denied: tuple[str, ...], constraints: NameConstraints | None
) -> str:
    """Return why nothing can match an entry, or nothing."""
    for other in denied:
        if is_denied(kind, text, other):
            return f"all that it matches is denied by {quoted(other)}"
    if constraints is None:
        return ""
    permitted = [base for base in constraints.permitted if base.kind == kind]
    if permitted and all(is_outside(kind, text, base) for base in permitted):
        return f"it lies outside of the permitted nameConstraints of the CA ({_texts(permitted)})"
    excluded = [base for base in constraints.excluded if base.kind == kind]
    inside = [base for base in excluded if is_inside(kind, text, base)]
    if inside:
        return f"it lies in the excluded nameConstraints of the CA ({_texts(inside)})"
    return ""


def _texts(bases: list[GeneralName]) -> str:
    return ", ".join(base.value for base in bases)


def examine_requirements(policy: Policy) -> Iterator[Finding]:
    """`policy.required`: what a request must have, it may have."""
    for type_name, rule in policy.spec.subject.items():
        supplied = rule.fixed is not None or rule.default is not None
        if rule.required and not rule.allow and not supplied:
            yield _never(policy, ("subject", type_name), type_name)
    sans = policy.spec.sans
    for name, field in type(sans).model_fields.items():
        rules, key = getattr(sans, name), field.alias or name
        if hasattr(rules, "required"):
            yield from _required_names(policy, ("sans", key), rules)
    for oid, rules in sans.other_name.items():
        yield from _required_names(policy, ("sans", "otherName", oid), rules)


def _required_names(policy: Policy, pointer: Pointer, rules: Any) -> Iterator[Finding]:
    has_some = rules.allow or getattr(rules, "spiffe", None) is not None
    if rules.required and (not has_some or rules.max == 0):
        yield _never(policy, pointer, ".".join(map(str, pointer)))


def _never(policy: Policy, pointer: Pointer, what: str) -> Finding:
    return Finding(
        rule="policy.required",
        severity=Severity.ERROR,
        message=f"{what} is required, and none is allowed: no request can be issued",
        location=policy.at("spec", *pointer, "required"),
        remedy="allow some, or do not require it",
        policy=policy.name,
    )


def examine_usages(policy: Policy) -> Iterator[Finding]:
    """`policy.keyUsage`: each key usage is one that a key which the policy allows can have."""
    types = sorted({algorithm.type for algorithm in policy.spec.key.algorithms})
    if not types:
        return
    possible = {usage for name in types for usage in allowed_key_usage(KeyDescription(name, 0))}
    possible -= _CA_USAGES if policy.spec.ca is None else set()
    for field in _USAGE_LISTS:
        for index, usage in enumerate(getattr(policy.spec.key_usage, field) or ()):
            if usage not in possible:
                severity = Severity.WARNING if field == "allow" else Severity.ERROR
                yield Finding(
                    rule="policy.keyUsage",
                    severity=severity,
                    message=f"keyUsage {usage} is nothing for keys of type {' or '.join(types)},"
                    f" the only ones allowed; {allowed(sorted(possible), quote=False)}",
                    location=policy.at("spec", "keyUsage", field, index),
                    remedy="remove it, or allow keys that it is for",
                    policy=policy.name,
                )


def _about(
    policy: Policy, severity: Severity, message: str, pointer: Pointer, remedy: str
) -> Finding:
    at = policy.at("spec", *pointer)
    return Finding("policy.allow", severity, message, at, remedy, policy.name)
