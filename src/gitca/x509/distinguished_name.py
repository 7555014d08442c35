"""Distinguished names, read from their bytes (RFC 5280 section 4.1.2.4).

`cryptography` refuses names in the older string types that CAs of the last century carry and that
must be kept byte for byte; here every string type of RFC 5280 has its text.
"""

from __future__ import annotations

from gitca.x509 import der
from gitca.x509.attributes import attribute_name
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

RelativeName = tuple[NameAttribute, ...]


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


def flatten(names: tuple[RelativeName, ...]) -> tuple[NameAttribute, ...]:
    """Return the attributes of all relative distinguished names in order."""
    return tuple(attribute for relative in names for attribute in relative)


def relative_name_text(relative: RelativeName) -> str:
    """Return a multi-valued relative name for a message: `commonName+organization`."""
    return "+".join(attribute_name(attribute.oid) for attribute in relative)
