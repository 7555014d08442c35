"""The extensions that a CSR asks for (RFC 2985 section 5.4.2): their OIDs, and its names.

Microsoft's tools ask under an OID of their own (1.3.6.1.4.1.311.2.1.14, in the same syntax). Every
other attribute is passed over unread, a challengePassword with care: it is never repeated.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from gitca.x509 import der
from gitca.x509.refusal import RefusedError, quoted
from gitca.x509.template import GeneralName, GeneralNameKind

_EXTENSION_REQUESTS = ("1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14")
_SUBJECT_ALTERNATIVE_NAME = "2.5.29.17"
_IP_ADDRESS = 0x87
_TEXTUAL: dict[int, GeneralNameKind] = {0x81: "email", 0x82: "dns", 0x86: "uri"}
_OTHER = {
    0xA0: "otherName",
    0xA3: "x400Address",
    0xA4: "directoryName",
    0xA5: "ediPartyName",
    0x88: "registeredID",
}


@dataclass(frozen=True, slots=True)
class RequestedExtensions:
    """The OIDs of the extensions in order, and the subject alternative names."""

    oids: tuple[str, ...] = ()
    sans: tuple[GeneralName, ...] = ()
    other_names: tuple[str, ...] = ()


def read_attributes(attributes_der: bytes) -> RequestedExtensions:
    """Return what the `[0]` attributes of a CertificationRequestInfo ask for.

    Raises: DerError, RefusedError.
    """
    extensions: dict[str, bytes] = {}
    for attribute_der in der.parts(attributes_der, der.CONTEXT):
        oid_der, values_der = der.parts(attribute_der)
        if der.read_object_identifier(oid_der) in _EXTENSION_REQUESTS:
            for oid, value in _extensions(values_der):
                if oid in extensions:
                    message = f"the CSR asks for extension {oid} twice"
                    raise RefusedError("csr.duplicate-extension", message)
                extensions[oid] = value
    sans, other = _names(extensions.get(_SUBJECT_ALTERNATIVE_NAME))
    return RequestedExtensions(tuple(extensions), sans, other)


def _extensions(values_der: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        for extensions_der in der.parts(values_der, der.SET):
            for extension_der in der.parts(extensions_der):
                oid_der, *_, value_der = der.parts(extension_der)
                yield der.read_object_identifier(oid_der), der.content(value_der, der.OCTET_STRING)
    except ValueError as error:
        message = f"the extensions that the CSR asks for are malformed: {error}"
        raise RefusedError("csr.extensions", message) from error


def _names(value: bytes | None) -> tuple[tuple[GeneralName, ...], tuple[str, ...]]:
    sans: list[GeneralName] = []
    other: list[str] = []
    try:
        for name_der in der.parts(value) if value is not None else ():
            if name_der[0] in _OTHER:
                other.append(_other_name(name_der))
            else:
                sans.append(_general_name(name_der))
    except RefusedError:
        raise
    except ValueError as error:
        message = (
            "the CSR's subject alternative name is malformed: one of its names has not the form of"
            " its type (RFC 5280 section 4.2.1.6)"
        )
        raise RefusedError("csr.san", message) from error
    return tuple(sans), tuple(other)


def _general_name(name_der: bytes) -> GeneralName:
    tag = name_der[0]
    octets = der.content(name_der, tag)
    if tag == _IP_ADDRESS:
        return GeneralName("ip", str(ipaddress.ip_address(octets)))
    if tag not in _TEXTUAL:
        raise der.DerError(f"tag 0x{tag:02x} is no GeneralName")
    text = octets.decode("ascii")
    if any(character < " " or character == "\x7f" for character in text):
        message = f"the CSR's {_TEXTUAL[tag]} name {quoted(text)} has a NUL or control character"
        raise RefusedError("csr.name-control", message, "make the CSR again without it")
    return GeneralName(_TEXTUAL[tag], text.lower() if tag == 0x82 else text)


def _other_name(name_der: bytes) -> str:
    tag = name_der[0]
    if tag != 0xA0:
        return _OTHER[tag]
    oid_der, *_ = der.parts(name_der, tag)
    return f"otherName {der.read_object_identifier(oid_der)}"
