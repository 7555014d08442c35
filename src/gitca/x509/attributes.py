"""Distinguished name attributes: their names in documents, their bounds, their string types.

RFC 5280 section 4.1.2.4 and appendix A; X.520 for the bounds that RFC 5280 leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from gitca.documents.attribute_types import ATTRIBUTE_NAMES, ATTRIBUTE_OIDS, attribute_name
from gitca.x509.names import check_email
from gitca.x509.refusal import Problem, quoted
from gitca.x509.visible_text import text_flaw

__all__ = [
    "ATTRIBUTE_NAMES",
    "ATTRIBUTE_OIDS",
    "ATTRIBUTE_TYPES",
    "AttributeType",
    "attribute_name",
    "check_attribute",
    "string_type",
]

StringType = Literal["UTF8String", "PrintableString", "IA5String"]

_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")
_COUNTRY = re.compile(r"[A-Z]{2}")
_DOMAIN_COMPONENT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
# Characters of an attribute without a name, for which no standard gives a bound: as many as of
# those that X.520 bounds most widely.
_LONGEST_OTHER = 256


@dataclass(frozen=True, slots=True)
class AttributeType:
    """One attribute type: `max_length` counts characters, `string_type` is its encoding."""

    name: str
    oid: str
    max_length: int
    string_type: StringType = "UTF8String"


def _named(name: str, max_length: int, string_type: StringType = "UTF8String") -> AttributeType:
    return AttributeType(name, ATTRIBUTE_OIDS[name], max_length, string_type)


_TYPES = (
    _named("commonName", 64),
    _named("organization", 64),
    _named("organizationalUnit", 64),
    _named("organizationIdentifier", 256),
    _named("country", 2, "PrintableString"),
    _named("stateOrProvince", 128),
    _named("locality", 128),
    _named("street", 128),
    _named("postalCode", 40),
    _named("serialNumber", 64, "PrintableString"),
    _named("dnQualifier", 64, "PrintableString"),
    _named("userId", 256),
    _named("domainComponent", 63, "IA5String"),
    _named("email", 255, "IA5String"),
    _named("givenName", 64),
    _named("surname", 64),
    _named("title", 64),
    _named("pseudonym", 128),
)

ATTRIBUTE_TYPES: Mapping[str, AttributeType] = MappingProxyType({row.oid: row for row in _TYPES})


def string_type(oid: str) -> StringType:
    """Return the ASN.1 string type that an attribute's values are encoded as."""
    found = ATTRIBUTE_TYPES.get(oid)
    return found.string_type if found else "UTF8String"


def check_attribute(oid: str, value: str) -> Problem | None:
    """Return what is wrong with one attribute of a distinguished name, or None.

    An attribute without a name is a UTF8String of at most 256 characters.
    """
    row = ATTRIBUTE_TYPES.get(oid) or AttributeType(oid, oid, _LONGEST_OTHER)
    return _length(row, value) or _characters(row, value) or _form(row, value)


def _length(row: AttributeType, value: str) -> Problem | None:
    if not value:
        return Problem("subject.empty", f"subject {row.name} is empty", "write it or leave it out")
    if len(value) > row.max_length:
        message = (
            f"subject {row.name} {quoted(value)} has {len(value)} characters, "
            f"{row.max_length} are allowed (RFC 5280 appendix A)"
        )
        return Problem("subject.length", message, "shorten it")
    return None


def _characters(row: AttributeType, value: str) -> Problem | None:
    flaw = text_flaw(value)
    if flaw:
        message = f"subject {row.name} {quoted(value)} {flaw.seen}"
        return Problem(f"subject.{flaw.rule}", message, flaw.remedy)
    return _repertoire(row, value)


def _repertoire(row: AttributeType, value: str) -> Problem | None:
    fits = {"UTF8String": True, "IA5String": value.isascii()}
    if fits.get(row.string_type, bool(_PRINTABLE.fullmatch(value))):
        return None
    message = f"subject {row.name} {quoted(value)} does not fit its string type, {row.string_type}"
    return Problem("subject.characters", message, "write ASCII letters, digits and '()+,-./:=?")


def _form(row: AttributeType, value: str) -> Problem | None:
    if row.name == "country" and not _COUNTRY.fullmatch(value):
        message = f"subject country {quoted(value)} is not two letters A-Z (ISO 3166)"
        return Problem("subject.country", message, "write one such as GB")
    if row.name == "domainComponent" and not _DOMAIN_COMPONENT.fullmatch(value):
        message = f"subject domainComponent {quoted(value)} is not one label of a DNS name"
        return Problem("subject.domain-component", message, "write one label each")
    if row.name == "email" and (problem := check_email(value)):
        return Problem("subject.email", f"subject email: {problem.message}", problem.remedy)
    return None
