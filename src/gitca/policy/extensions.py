"""Extensions that gitca writes as they are given: by the policy, by the request, or by the CSR."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from gitca.documents.extensions import (
    LONGEST_VALUE,
    AllowedExtension,
    CsrExtension,
    ExtensionValue,
)
from gitca.documents.extensions import Extension as ExtensionDocument
from gitca.findings import Finding, Location
from gitca.policy.case import Case, objection
from gitca.policy.identity import Request, allow_list
from gitca.policy.proposal import Proposal
from gitca.policy.wording import allowed
from gitca.x509.extension_values import (
    ocsp_no_check,
    tls_feature,
    value_der,
    value_problem,
    value_words,
)
from gitca.x509.template import Extension, PolicyInformation


@dataclass(frozen=True, slots=True)
class StatedExtension:
    """One extension that a certificate would carry, and who gives it."""

    extension: Extension
    at: Location
    origin: Literal["policy", "request", "csr"]


def certificate_policies(case: Case) -> tuple[PolicyInformation, ...]:
    """Return the certificate policies of every certificate under the policy."""
    stated = case.policy.spec.extensions.certificate_policies
    return tuple(PolicyInformation(item.oid, item.cps, item.notice) for item in stated)


def stated_extensions(case: Case) -> Iterator[StatedExtension]:
    """Yield the extensions in the order of encoding: the policy's, the request's, the CSR's."""
    rules, at = case.policy.spec.extensions, case.policy.at
    if rules.tls_feature:
        feature = tls_feature(rules.tls_feature)
        yield StatedExtension(feature, at("spec", "extensions", "tlsFeature"), "policy")
    if rules.ocsp_no_check:
        yield StatedExtension(ocsp_no_check(), at("spec", "extensions", "ocspNoCheck"), "policy")
    for index, item in enumerate(rules.other):
        place = at("spec", "extensions", "other", index, "value")
        yield StatedExtension(_extension(item), place, "policy")
    for index, item in enumerate(case.request.spec.extensions):
        place = case.request.at("spec", "extensions", index, "value")
        yield StatedExtension(_extension(item), place, "request")
    taken = {item.oid for item in rules.from_request}
    for extension in case.csr.extensions:
        if extension.oid in taken:
            yield StatedExtension(extension, case.csr_at, "csr")


def _extension(item: ExtensionDocument) -> Extension:
    return Extension(item.oid, item.critical, value_der(item.value))


def unsound_values(case: Case) -> Iterator[Finding]:
    """Yield `extensions.value` for each value that is not the DER of one ASN.1 value."""
    for stated in stated_extensions(case):
        value = stated.extension.value_der
        problem = value_problem(value)
        if len(value) > LONGEST_VALUE:
            problem = f"it has {len(value)} octets, allowed are {LONGEST_VALUE}"
        if problem:
            yield objection(
                "extensions.value",
                f"the value of extension {stated.extension.oid} is not the DER of one ASN.1 value:"
                f" {problem}",
                stated.at,
                remedy="give the whole value in DER, and nothing behind it",
            )


def check_allowed(case: Case, _: Proposal) -> Iterator[Finding]:
    """`extensions.allow`: a request states no extension but those listed, with listed values."""
    rules = case.policy.spec.extensions.allow
    for index, item in enumerate(case.request.spec.extensions):
        of_oid = [rule for rule in rules if rule.oid == item.oid]
        fitting = [rule for rule in of_oid if rule.critical == item.critical]
        at, remedy = ("spec", "extensions", index), "remove it or change the policy"
        if not of_oid:
            message = f"extension {item.oid} is not allowed; {allowed(_oids(rules), quote=False)}"
            place = case.request.at(*at, "oid")
        elif not fitting:
            wanted = str(not item.critical).lower()
            message = f"extension {item.oid} is critical: {str(item.critical).lower()};"
            message += f" allowed is {wanted}"
            place = case.request.at(*at, "critical")
        elif not any(_admits(rule, item.value, case.request) for rule in fitting):
            values = dict.fromkeys(value for rule in fitting for value in rule.values or ())
            seen = value_words(value_der(item.value))
            message = f"extension {item.oid} has value {seen}; {allowed(values)}"
            place = case.request.at(*at, "value")
        else:
            continue
        yield case.denial("extensions.allow", message, place, remedy=remedy)


def check_csr_criticality(case: Case, _: Proposal) -> Iterator[Finding]:
    """`extensions.fromRequest`: what is taken from the CSR is as critical as the policy says."""
    listed = case.policy.spec.extensions.from_request
    wanted = {oid: {item.critical for item in listed if item.oid == oid} for oid in _oids(listed)}
    for extension in case.csr.extensions:
        if extension.critical not in wanted.get(extension.oid, {extension.critical}):
            seen, wants = ("critical", "not critical")[:: 1 if extension.critical else -1]
            yield case.denial(
                "extensions.fromRequest",
                f"the CSR asks for extension {extension.oid} as {seen}; allowed is {wants}",
                case.csr_at,
                remedy="make the CSR again, or change the policy",
            )


def check_once(case: Case, _: Proposal) -> Iterator[Finding]:
    """`extensions.duplicate`: no extension stands twice, whoever states it."""
    first: dict[str, str] = {}
    for stated in stated_extensions(case):
        oid, origin = stated.extension.oid, _ORIGINS[stated.origin]
        other = first.setdefault(oid, origin)
        if other != origin or (stated.origin == "request" and _stands_twice(case, oid)):
            message = f"extension {oid} is given by the {origin} and by the {other}"
            yield objection(
                "extensions.duplicate",
                f"{message}; allowed is once (RFC 5280 section 4.2)",
                stated.at,
                remedy="leave it to one of them",
            )


_ORIGINS = {"policy": "policy", "request": "request", "csr": "CSR"}


def _stands_twice(case: Case, oid: str) -> bool:
    return sum(item.oid == oid for item in case.request.spec.extensions) > 1


def _admits(rule: AllowedExtension, value: ExtensionValue, request: Request) -> bool:
    if rule.values is None:
        return True
    if value.der is not None:
        # A star would let through whatever can be encoded.
        return value.der in rule.values
    return allow_list("value", rule.values, request).admits(_text(value))


def _text(value: ExtensionValue) -> str:
    """Return a value that is no DER as patterns are held against it."""
    if value.integer is not None:
        return str(value.integer)
    if value.boolean is not None:
        return str(value.boolean).lower()
    return value.utf8 if value.utf8 is not None else value.ia5 or ""


def _oids(rules: Iterable[AllowedExtension | CsrExtension]) -> list[str]:
    return list(dict.fromkeys(rule.oid for rule in rules))
