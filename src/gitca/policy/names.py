"""The names that a certificate would carry: of the request or, where the policy says so, the CSR.

Nothing is repaired and nothing dropped in silence: a name that no certificate can carry is a
finding at its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from gitca.documents.alternative_names import SubjectAlternativeNames
from gitca.documents.attribute_types import attribute_name, attribute_oid
from gitca.documents.subject import Subject
from gitca.findings import Finding, Location
from gitca.policy.case import Case, objection
from gitca.policy.proposal import StatedAttribute, StatedName
from gitca.x509.attributes import check_attribute
from gitca.x509.general_names import canonical_name
from gitca.x509.refusal import Problem, RefusedError
from gitca.x509.template import GeneralName, NameAttribute

MAX_NAMES = 1000
"""Attributes and alternative names of one certificate: no verifier needs more, and judging them is
bounded by it."""

_PartT = TypeVar("_PartT", StatedAttribute, StatedName)
_Parts = Iterator[_PartT | Finding]
_Pointer = tuple[str | int, ...]


def stated_names(case: Case) -> tuple[GeneralName, ...]:
    """Return the alternative names as they are written, sound or not."""
    if case.policy.spec.names_from == "csr":
        return case.csr.sans
    return tuple(name for name, _ in written_names(case.request.spec.sans))


def written_names(sans: SubjectAlternativeNames) -> Iterator[tuple[GeneralName, _Pointer]]:
    """Yield the alternative names of a request, as written, with their pointers below `sans`."""
    for index, text in enumerate(sans.dns):
        yield GeneralName("dns", text), ("dns", index)
    for index, text in enumerate(sans.ip):
        yield GeneralName("ip", text), ("ip", index)
    for index, text in enumerate(sans.uri):
        yield GeneralName("uri", text), ("uri", index)
    for index, text in enumerate(sans.email):
        yield GeneralName("email", text), ("email", index)
    for index, other in enumerate(sans.other_name):
        yield GeneralName("otherName", other.utf8, other.oid), ("otherName", index)
    for index, name in enumerate(sans.directory_name):
        attributes = tuple(attribute for attribute, _ in written_attributes(name))
        yield GeneralName("directoryName", attributes=attributes), ("directoryName", index)
    for index, oid in enumerate(sans.registered_id):
        yield GeneralName("registeredID", oid), ("registeredID", index)


def written_attributes(name: Subject) -> Iterator[tuple[NameAttribute, _Pointer]]:
    """Yield the attributes of a distinguished name, as written, with their pointers below it."""
    for type_name, values in name.items():
        for index, value in enumerate(values):
            yield NameAttribute(attribute_oid(type_name), value), (type_name, index)


def too_many_names(case: Case) -> Iterator[Finding]:
    """Yield a finding for the request, and one for the CSR, that states more than 1,000 names."""
    spec, csr = case.request.spec, case.csr
    stated = sum(map(len, spec.subject.values()))
    stated += _count(name for name, _ in written_names(spec.sans))
    in_csr = len(csr.subject) + _count(csr.sans) + len(csr.other_names)
    places = ((stated, case.request.at("spec", "sans")), (in_csr, case.csr_at))
    for count, at in places:
        if count > MAX_NAMES:
            message = f"{count} names in one certificate; allowed are {MAX_NAMES}"
            yield objection("names.count", message, at, remedy="part them over several requests")


def _count(names: Iterable[GeneralName]) -> int:
    """Return the number of names, a directory name counting as its attributes."""
    return sum(max(1, len(name.attributes)) for name in names)


def proposed_attributes(case: Case) -> _Parts[StatedAttribute]:
    """Yield the attributes of the subject in order, those that the policy supplies first."""
    from_csr = case.policy.spec.names_from == "csr"
    stated = tuple(_csr_attributes(case) if from_csr else _attributes(case))
    types = {part.type for part in stated if isinstance(part, StatedAttribute)}
    yield from _supplied(case, types)
    yield from stated


def proposed_names(case: Case) -> _Parts[StatedName]:
    """Yield the alternative names, canonical, in the order of the types and of the document."""
    if case.policy.spec.names_from == "csr":
        for name in case.csr.sans:
            yield _name(name, case.csr_at)
        return
    for name, pointer in written_names(case.request.spec.sans):
        yield _name(name, case.request.at("spec", "sans", *pointer))


def names_in_both(case: Case) -> Iterator[Finding]:
    """Yield a finding for names of the request where the policy takes them from the CSR."""
    spec = case.request.spec
    stated: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("subject", lambda: bool(spec.subject)),
        ("sans", lambda: any(written_names(spec.sans))),
    )
    for field, is_stated in stated:
        if case.policy.spec.names_from == "csr" and is_stated():
            yield case.denial(
                "namesFrom",
                f"the request states {field}; allowed are the names of the CSR alone"
                " (namesFrom: csr)",
                case.request.at("spec", field),
                remedy=f"remove {field}, or change the policy",
            )


def _attributes(case: Case) -> _Parts[StatedAttribute]:
    for attribute, pointer in written_attributes(case.request.spec.subject):
        yield _attribute(attribute, case.request.at("spec", "subject", *pointer))


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
            attribute = NameAttribute(attribute_oid(type_name), value)
            yield _attribute(attribute, at, supplied=True)


def _attribute(
    attribute: NameAttribute, at: Location, *, supplied: bool = False
) -> StatedAttribute | Finding:
    problem = check_attribute(attribute.oid, attribute.value)
    if problem:
        return _unsound(problem, at)
    return StatedAttribute(attribute_name(attribute.oid), attribute, at, supplied)


def _name(written: GeneralName, at: Location) -> StatedName | Finding:
    try:
        return StatedName(canonical_name(written), at)
    except RefusedError as error:
        return _unsound(Problem(error.rule, error.message, error.remedy), at)


def _unsound(problem: Problem, at: Location) -> Finding:
    return objection(problem.rule, problem.message, at, remedy=problem.remedy)
