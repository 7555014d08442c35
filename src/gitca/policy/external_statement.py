"""What a certificate from an external CA must say: all that the CA's document says, and no more.

An external CA decides what it signs. One that constrains more than the document states would have
gitca issue what every verifier refuses; one that constrains less grants what nobody reviewed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography import x509

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.policy.authority import propose_authority
from gitca.x509.attributes import attribute_name
from gitca.x509.certificate import Certificate
from gitca.x509.distinguished_name import read_name
from gitca.x509.extensions import name_constraints_value
from gitca.x509.refusal import quoted
from gitca.x509.template import (
    CONSTRAINED_KINDS,
    CertificateTemplate,
    GeneralName,
    NameAttribute,
    NameConstraints,
)
from gitca.x509.template_reading import find


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A field of a CA's document that its certificate does not say: `field` is its key.

    `message` says what was seen and what was allowed, `remedy` what the document would have to say;
    it is empty where no document can say it.
    """

    field: str
    message: str
    remedy: str = ""


def discrepancies(
    document: Document[CertificateAuthoritySpec], certificate: Certificate
) -> Iterator[Discrepancy]:
    """Yield where a certificate does not say what the CA's document says.

    The string types of the subject, qualifiers of policies, and the order of subtrees are free.
    """
    wanted, seen = propose_authority(document, certificate.template.spki_der), certificate.template
    yield from _subject(wanted, certificate)
    yield from _path_length(wanted, seen)
    yield from _constraints(wanted, certificate)
    yield from _policies(wanted, seen)


def _subject(wanted: CertificateTemplate, certificate: Certificate) -> Iterator[Discrepancy]:
    seen = certificate.template.subject
    plain = all(len(relative) == 1 for relative in read_name(certificate.subject_der))
    if seen != wanted.subject or not plain:
        several = "" if plain else " (in relative names of several attributes)"
        message = f"the subject is {_name(seen)}{several}; allowed is {_name(wanted.subject)}"
        yield Discrepancy("subject", message)


def _name(subject: tuple[NameAttribute, ...]) -> str:
    named = (f"{attribute_name(item.oid)}={item.value}" for item in subject)
    return quoted(", ".join(named) or "(empty)")


def _path_length(wanted: CertificateTemplate, seen: CertificateTemplate) -> Iterator[Discrepancy]:
    basic, asked = seen.basic_constraints, wanted.basic_constraints
    if basic is None:
        message = "the certificate is none of a CA (basicConstraints); allowed is CA:TRUE"
        yield Discrepancy("pathLength", message)
    elif asked is not None and basic.path_length != asked.path_length:
        message = f"pathLength is {_length(basic.path_length)}; allowed is"
        state = (
            f"write pathLength: {basic.path_length}"
            if basic.path_length is not None
            else "take pathLength out"
        )
        yield Discrepancy("pathLength", f"{message} {_length(asked.path_length)}", state)


def _length(value: int | None) -> str:
    return "not stated" if value is None else str(value)


def _constraints(wanted: CertificateTemplate, certificate: Certificate) -> Iterator[Discrepancy]:
    asked = wanted.name_constraints or NameConstraints()
    seen = certificate.template.name_constraints or NameConstraints()
    if not constraints_are_read(certificate):
        message = (
            "the certificate has nameConstraints of a type or form that documents cannot state;"
            f" allowed are {', '.join(CONSTRAINED_KINDS)}"
        )
        yield Discrepancy("nameConstraints", message)
    elif (set(asked.permitted), set(asked.excluded)) != (set(seen.permitted), set(seen.excluded)):
        message = f"nameConstraints are {constraint_text(seen)}; allowed are"
        remedy = f"write nameConstraints: {constraint_text(seen)}"
        if certificate.template.name_constraints is None:
            remedy = "take nameConstraints out"
        yield Discrepancy("nameConstraints", f"{message} {constraint_text(asked)}", remedy)


def constraints_are_read(certificate: Certificate) -> bool:
    """Whether the name constraints of a certificate are those that its template has, all of them.

    A template has no constraints of other types of names, and no minimum or maximum.
    """
    parsed = x509.load_der_x509_certificate(certificate.der).extensions
    there = find(parsed, x509.NameConstraints)
    read = certificate.template.name_constraints
    if there is None or read is None:
        return there is None and read is None
    try:
        return name_constraints_value(read).public_bytes() == there.public_bytes()
    except ValueError:
        return False


def constraint_text(constraints: NameConstraints) -> str:
    """Return name constraints as a document writes them."""
    sides = (("permitted", constraints.permitted), ("excluded", constraints.excluded))
    parts = [f"{side}: {{{_subtrees(bases)}}}" for side, bases in sides if bases]
    return f"{{{', '.join(parts)}}}" if parts else "none"


def _subtrees(bases: Iterable[GeneralName]) -> str:
    kinds: dict[str, list[str]] = {}
    for base in bases:
        kinds.setdefault(base.kind, []).append(_value(base.value))
    return ", ".join(f"{kind}: [{', '.join(values)}]" for kind, values in kinds.items())


def _value(text: str) -> str:
    return quoted(text)[1:-1]


def _policies(wanted: CertificateTemplate, seen: CertificateTemplate) -> Iterator[Discrepancy]:
    asked = [policy.oid for policy in wanted.certificate_policies]
    given = [policy.oid for policy in seen.certificate_policies]
    if set(asked) != set(given):
        message = f"certificatePolicies are {_listed(given)}; allowed are {_listed(asked)}"
        remedy = "take certificatePolicies out"
        if given:
            remedy = f"write certificatePolicies: [{', '.join(given)}]"
        yield Discrepancy("certificatePolicies", message, remedy)


def _listed(oids: list[str]) -> str:
    return ", ".join(oids[:10]) or "none"
