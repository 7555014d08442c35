"""Distinguished name attributes: their names in documents, their bounds, their string types.

RFC 5280 section 4.1.2.4 and appendix A; X.520 for the bounds that RFC 5280 leaves out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from gitca.x509.names import check_email
from gitca.x509.refusal import Problem, quoted

StringType = Literal["UTF8String", "PrintableString", "IA5String"]

_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")
_COUNTRY = re.compile(r"[A-Z]{2}")
_DOMAIN_COMPONENT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
# Controls, formats (bidirectional overrides, zero width), surrogates, private and unassigned ones,
# line and paragraph separators: none can be seen, all change what is seen.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class AttributeType:
    """One attribute type: `max_length` counts characters, `string_type` is its encoding."""

    name: str
    oid: str
    max_length: int
    string_type: StringType = "UTF8String"


_TYPES = (
    AttributeType("commonName", "2.5.4.3", 64),
    AttributeType("organization", "2.5.4.10", 64),
    AttributeType("organizationalUnit", "2.5.4.11", 64),
    AttributeType("organizationIdentifier", "2.5.4.97", 256),
    AttributeType("country", "2.5.4.6", 2, "PrintableString"),
    AttributeType("stateOrProvince", "2.5.4.8", 128),
    AttributeType("locality", "2.5.4.7", 128),
    AttributeType("street", "2.5.4.9", 128),
    AttributeType("postalCode", "2.5.4.17", 40),
    AttributeType("serialNumber", "2.5.4.5", 64, "PrintableString"),
    AttributeType("dnQualifier", "2.5.4.46", 64, "PrintableString"),
    AttributeType("userId", "0.9.2342.19200300.100.1.1", 256),
    AttributeType("domainComponent", "0.9.2342.19200300.100.1.25", 63, "IA5String"),
    AttributeType("email", "1.2.840.113549.1.9.1", 255, "IA5String"),
    AttributeType("givenName", "2.5.4.42", 64),
    AttributeType("surname", "2.5.4.4", 64),
    AttributeType("title", "2.5.4.12", 64),
    AttributeType("pseudonym", "2.5.4.65", 128),
)

ATTRIBUTE_TYPES: Mapping[str, AttributeType] = MappingProxyType({row.oid: row for row in _TYPES})
ATTRIBUTE_OIDS: Mapping[str, str] = MappingProxyType({row.name: row.oid for row in _TYPES})
ATTRIBUTE_NAMES: Mapping[str, str] = MappingProxyType({row.oid: row.name for row in _TYPES})


def attribute_name(oid: str) -> str:
    """Return the name that documents use for an attribute type, or its OID."""
    return ATTRIBUTE_NAMES.get(oid, oid)


def string_type(oid: str) -> StringType:
    """Return the ASN.1 string type that an attribute's values are encoded as."""
    found = ATTRIBUTE_TYPES.get(oid)
    return found.string_type if found else "UTF8String"


def check_attribute(oid: str, value: str) -> Problem | None:
    """Return what is wrong with one attribute of a distinguished name, or None."""
    row = ATTRIBUTE_TYPES.get(oid)
    if row is None:
        return Problem(
            "subject.attribute",
            f"subject attribute {oid} is unknown; known are {', '.join(ATTRIBUTE_OIDS)}",
            "leave it out",
        )
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
    if any(unicodedata.category(character) in _INVISIBLE for character in value):
        message = (
            f"subject {row.name} {quoted(value)} has a NUL, control, bidirectional or other "
            "invisible character"
        )
        return Problem("subject.invisible", message, "write what a reader can see alone")
    if value != unicodedata.normalize("NFC", value):
        message = f"subject {row.name} {quoted(value)} is not in Unicode's NFC form"
        return Problem("subject.normalization", message, "write composed characters")
    if value != value.strip():
        message = f"subject {row.name} {quoted(value)} begins or ends with white space"
        return Problem("subject.space", message, "remove it")
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
