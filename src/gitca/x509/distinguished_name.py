"""Distinguished names, to and from their bytes (RFC 5280 section 4.1.2.4).

`cryptography` refuses names in the older string types that CAs of the last century carry, and holds
RFC 5280's bounds, which count characters, against octets of UTF-8.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from gitca.x509 import der
from gitca.x509.attributes import StringType, attribute_name, check_attribute, string_type
from gitca.x509.refusal import RefusedError
from gitca.x509.template import NameAttribute

_CODECS = {
    0x0C: "utf-8",
    0x12: "ascii",  # NumericString
    0x13: "ascii",  # PrintableString
    0x14: "latin-1",  # TeletexString, as everybody has read it since PKCS #6
    0x16: "ascii",  # IA5String
    0x1A: "ascii",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}

_TAGS: Mapping[StringType, int] = MappingProxyType(
    {"UTF8String": 0x0C, "PrintableString": 0x13, "IA5String": 0x16}
)

RelativeName = tuple[NameAttribute, ...]


def write_name(attributes: tuple[NameAttribute, ...]) -> bytes:
    """Return the DER Name of attributes, each in a relative distinguished name of its own.

    Raises: RefusedError for an attribute that `check_attribute` refuses.
    """
    return der.sequence(*[der.tlv(der.SET, _write_attribute(found)) for found in attributes])


def _write_attribute(attribute: NameAttribute) -> bytes:
    problem = check_attribute(attribute.oid, attribute.value)
    if problem:
        raise RefusedError(problem.rule, problem.message, problem.remedy)
    tag = _TAGS[string_type(attribute.oid)]
    value_der = der.tlv(tag, attribute.value.encode(_CODECS[tag]))
    return der.sequence(der.object_identifier(attribute.oid), value_der)


def read_name(name_der: bytes) -> tuple[RelativeName, ...]:
    """Return the relative distinguished names of a DER Name, each with its attributes in order.

    Raises: DerError, also for a value that is no string of RFC 5280 or not in its alphabet.
    """
    return tuple(
        tuple(_read_attribute(attribute) for attribute in der.parts(relative, der.SET))
        for relative in der.parts(name_der)
    )


def _read_attribute(attribute_der: bytes) -> NameAttribute:
    oid_der, *values = der.parts(attribute_der)
    oid = der.read_object_identifier(oid_der)
    if len(values) != 1:
        raise der.DerError(f"attribute {attribute_name(oid)} has {len(values)} values, one is due")
    tag = values[0][0]
    if tag not in _CODECS:
        raise der.DerError(f"attribute {attribute_name(oid)} is no string (tag 0x{tag:02x})")
    try:
        return NameAttribute(oid, der.content(values[0], tag).decode(_CODECS[tag]))
    except UnicodeDecodeError as error:
        message = f"attribute {attribute_name(oid)} is not in the alphabet of its string type"
        raise der.DerError(message) from error


def same_name(one_der: bytes, other_der: bytes) -> bool:
    """Whether two DER Names are one by RFC 5280 section 7.1, whatever their string types.

    Letter case and the amount of white space say nothing; Unicode is compared in form KC.
    Raises: DerError.
    """
    return one_der == other_der or _compared(one_der) == _compared(other_der)


def _compared(name_der: bytes) -> tuple[tuple[tuple[str, str], ...], ...]:
    return tuple(
        tuple(sorted((item.oid, _compared_text(item.value)) for item in relative))
        for relative in read_name(name_der)
    )


def _compared_text(value: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def flatten(names: tuple[RelativeName, ...]) -> tuple[NameAttribute, ...]:
    """Return the attributes of all relative distinguished names in order."""
    return tuple(attribute for relative in names for attribute in relative)


def relative_name_text(relative: RelativeName) -> str:
    """Return a multi-valued relative name for a message: `commonName+organization`."""
    return "+".join(attribute_name(attribute.oid) for attribute in relative)
