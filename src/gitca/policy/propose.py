"""Request, CSR, policy and CA documents become the proposal of a certificate, and its template.

Nothing is repaired and nothing dropped in silence: what cannot be represented is a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from gitca.documents.usages import extended_key_usage_oid
from gitca.findings import Finding, Location
from gitca.policy.case import Case, objection
from gitca.policy.proposal import Proposal, StatedAttribute, StatedName, StatedUsages
from gitca.x509.attributes import ATTRIBUTE_OIDS, attribute_name, check_attribute
from gitca.x509.names import general_name
from gitca.x509.refusal import Problem, RefusedError
from gitca.x509.template import (
    CertificateTemplate,
    GeneralName,
    GeneralNameKind,
    NameAttribute,
)

NAME_KINDS: tuple[GeneralNameKind, ...] = ("dns", "ip", "uri", "email")
MAX_NAMES = 1000
"""Attributes and alternative names of one certificate: no verifier needs more, and judging them is
bounded by it."""

KEY_USAGE_BITS = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
"""RFC 5280 section 4.2.1.3, in bit order."""

_PartT = TypeVar("_PartT", StatedAttribute, StatedName)
_Parts = Iterator[_PartT | Finding]


def propose(case: Case) -> Proposal:
    """Return what the certificate would say, and what of it cannot be said."""
    findings = list(_too_many(case))
    from_csr = case.policy.spec.names_from == "csr"
    subject: list[StatedAttribute] = []
    sans: list[StatedName] = []
    if not findings:
        findings += _names_in_yaml(case) if from_csr else ()
        stated = _csr_attributes(case) if from_csr else _attributes(case)
        subject = _sound(stated, findings)
        supplied = _sound(_supplied(case, {part.type for part in subject}), findings)
        subject = [*supplied, *subject]
        sans = _sound(_csr_names(case) if from_csr else _names(case), findings)
    request, policy = case.request, case.policy.spec
    return Proposal(
        subject=tuple(subject),
        sans=tuple(sorted(sans, key=lambda part: NAME_KINDS.index(part.name.kind))),
        key_usage=_usages(case, "keyUsage", request.spec.key_usage, policy.key_usage.default),
        extended_key_usage=_usages(
            case,
            "extendedKeyUsage",
            request.spec.extended_key_usage,
            policy.extended_key_usage.default,
        ),
        validity=request.spec.validity or policy.validity.default,
        validity_at=request.at("spec", "validity"),
        findings=tuple(findings),
    )


def stated_names(case: Case, kind: GeneralNameKind) -> tuple[str, ...]:
    """Return the alternative names of a type as they are written, sound or not."""
    if case.policy.spec.names_from == "csr":
        return tuple(name.value for name in case.csr.sans if name.kind == kind)
    names: tuple[str, ...] = getattr(case.request.spec.sans, kind)
    return names


def template_of(case: Case, proposal: Proposal) -> CertificateTemplate | None:
    """Return the template of a proposal, or None where a part of it could not be represented."""
    if proposal.findings:
        return None
    authority = case.authority.spec
    usages = proposal.extended_key_usage.values
    return CertificateTemplate(
        subject=tuple(part.attribute for part in proposal.subject),
        spki_der=case.csr.spki_der,
        sans=tuple(part.name for part in proposal.sans),
        key_usage=tuple(bit for bit in KEY_USAGE_BITS if bit in proposal.key_usage.values),
        extended_key_usage=tuple(extended_key_usage_oid(usage) for usage in usages),
        certificate_policies=case.policy.spec.certificate_policies,
        crl_urls=authority.crl.urls,
        ca_issuers_urls=authority.ca_issuers_urls,
    )


def _sound(parts: Iterable[_PartT | Finding], findings: list[Finding]) -> list[_PartT]:
    """Return the parts; the findings among them go to `findings`."""
    sound: list[_PartT] = []
    for part in parts:
        if isinstance(part, Finding):
            findings.append(part)
        else:
            sound.append(part)
    return sound


def _too_many(case: Case) -> Iterator[Finding]:
    spec, csr = case.request.spec, case.csr
    stated = sum(len(values) for values in spec.subject.values())
    stated += sum(len(getattr(spec.sans, kind)) for kind in NAME_KINDS)
    in_csr = len(csr.subject) + len(csr.sans) + len(csr.other_names)
    places = ((stated, case.request.at("spec", "sans")), (in_csr, case.csr_at))
    for count, at in places:
        if count > MAX_NAMES:
            message = f"{count} names in one certificate; allowed are {MAX_NAMES}"
            yield objection("names.count", message, at, remedy="part them over several requests")


def _attributes(case: Case) -> _Parts[StatedAttribute]:
    for type_name, values in case.request.spec.subject.items():
        for index, value in enumerate(values):
            at = case.request.at("spec", "subject", type_name, index)
            yield _attribute(NameAttribute(ATTRIBUTE_OIDS[type_name], value), at)


def _csr_attributes(case: Case) -> _Parts[StatedAttribute]:
    for attribute in case.csr.subject:
        yield _attribute(attribute, case.csr_at)
    for name in case.csr.other_names:
        message = (
            f"the CSR states {name}; allowed are attributes and names that a request can state"
        )
        yield objection("csr.names", message, case.csr_at, remedy="make the CSR again without it")


def _supplied(case: Case, stated: set[str]) -> _Parts[StatedAttribute]:
    """Yield the attributes that the policy gives to a request that does not state them."""
    for type_name, rule in case.policy.spec.subject.items():
        field = "default" if rule.fixed is None else "fixed"
        value = rule.default if rule.fixed is None else rule.fixed
        if value is not None and type_name not in stated:
            at = case.policy.at("spec", "subject", type_name, field)
            yield _attribute(NameAttribute(ATTRIBUTE_OIDS[type_name], value), at, supplied=True)


def _attribute(
    attribute: NameAttribute, at: Location, *, supplied: bool = False
) -> StatedAttribute | Finding:
    problem = check_attribute(attribute.oid, attribute.value)
    if problem:
        return _unsound(problem, at)
    return StatedAttribute(attribute_name(attribute.oid), attribute, at, supplied)


def _names(case: Case) -> _Parts[StatedName]:
    for kind in NAME_KINDS:
        for index, text in enumerate(getattr(case.request.spec.sans, kind)):
            yield _name(kind, text, case.request.at("spec", "sans", kind, index))


def _csr_names(case: Case) -> _Parts[StatedName]:
    for name in case.csr.sans:
        yield _name(name.kind, name.value, case.csr_at)


def _name(kind: GeneralNameKind, text: str, at: Location) -> StatedName | Finding:
    try:
        name: GeneralName = general_name(kind, text)
    except RefusedError as error:
        return _unsound(Problem(error.rule, error.message, error.remedy), at)
    return StatedName(name, at)


def _unsound(problem: Problem, at: Location) -> Finding:
    return objection(problem.rule, problem.message, at, remedy=problem.remedy)


def _names_in_yaml(case: Case) -> Iterator[Finding]:
    """Yield a finding for names of the request where the policy takes them from the CSR."""
    spec = case.request.spec
    stated: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("subject", lambda: bool(spec.subject)),
        ("sans", lambda: any(getattr(spec.sans, kind) for kind in NAME_KINDS)),
    )
    for field, is_stated in stated:
        if is_stated():
            yield case.denial(
                "namesFrom",
                f"the request states {field}; allowed are the names of the CSR alone"
                " (namesFrom: csr)",
                case.request.at("spec", field),
                remedy=f"remove {field}, or change the policy",
            )


def _usages(
    case: Case, field: str, asked: tuple[str, ...] | None, default: tuple[str, ...]
) -> StatedUsages:
    values = default if asked is None else asked
    places = tuple(case.request.at("spec", field, index) for index in range(len(values)))
    return StatedUsages(values, places, case.request.at("spec", field), asked is not None)
