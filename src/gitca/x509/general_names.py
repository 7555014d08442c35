"""General names of every type that gitca writes: canonical form, and to and from their bytes.

RFC 5280 section 4.2.1.6. An otherName is one whose value is a UTF8String, a directoryName one whose
relative names have one attribute each; x400Address and ediPartyName are never written.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from gitca.x509 import der
from gitca.x509.attributes import check_attribute
from gitca.x509.distinguished_name import flatten, read_name, write_name
from gitca.x509.names import check_email, general_name
from gitca.x509.refusal import Problem, RefusedError, quoted
from gitca.x509.template import GeneralName, GeneralNameKind, NameAttribute
from gitca.x509.visible_text import text_flaw

UPN_OID = "1.3.6.1.4.1.311.20.2.3"
"""The type of Microsoft's user principal name, an otherName."""

MAX_OTHER_NAME_LENGTH = 1024  # characters; more is no name

_OTHER_NAME = 0xA0
_DIRECTORY_NAME = 0xA4
_IP_ADDRESS = 0x87
_REGISTERED_ID = 0x88
_UTF8_STRING = 0x0C
_TEXTUAL: Mapping[int, GeneralNameKind] = MappingProxyType(
    {0x81: "email", 0x82: "dns", 0x86: "uri"}
)
_TAGS: Mapping[GeneralNameKind, int] = MappingProxyType(
    {kind: tag for tag, kind in _TEXTUAL.items()}
)
_WORDS = {
    _OTHER_NAME: "otherName",
    0xA3: "x400Address",
    _DIRECTORY_NAME: "directoryName",
    0xA5: "ediPartyName",
}


def canonical_name(name: GeneralName) -> GeneralName:
    """Return a general name, as somebody wrote it, in its canonical form.

    Raises: RefusedError where a check of its type speaks.
    """
    if name.kind == "otherName":
        problem = check_other_name(name.type_id, name.value)
    elif name.kind == "directoryName":
        problem = check_directory_name(name.attributes)
    else:
        return general_name(name.kind, name.value)
    if problem:
        raise RefusedError(problem.rule, problem.message, problem.remedy)
    return name


def check_other_name(type_id: str, value: str) -> Problem | None:
    """Return what is wrong with an otherName's text; a UPN has the form of a mail address."""
    shown = f"otherName {type_id} {quoted(value)}"
    if not 0 < len(value) <= MAX_OTHER_NAME_LENGTH:
        message = f"{shown} has {len(value)} characters; allowed are 1 to {MAX_OTHER_NAME_LENGTH}"
        return Problem("otherName.length", message, "write a shorter one, or leave it out")
    flaw = text_flaw(value)
    if flaw:
        return Problem(f"otherName.{flaw.rule}", f"{shown} {flaw.seen}", flaw.remedy)
    if type_id == UPN_OID and check_email(value):
        message = f"{shown} is no user principal name of the form user@domain in ASCII"
        return Problem("otherName.upn", message, "write one such as jo@example.internal")
    return None


def check_directory_name(attributes: tuple[NameAttribute, ...]) -> Problem | None:
    """Return what is wrong with a directory name: it is empty, or with one of its attributes."""
    if not attributes:
        message = "the directory name is empty; allowed is one with an attribute"
        return Problem("directoryName.empty", message, "write an attribute or leave it out")
    for attribute in attributes:
        problem = check_attribute(attribute.oid, attribute.value)
        if problem:
            rule = problem.rule.replace("subject.", "directoryName.", 1)
            message = problem.message.replace("subject ", "directory name's ", 1)
            return Problem(rule, message, problem.remedy)
    return None


def write_general_names(names: Iterable[GeneralName]) -> bytes:
    """Return GeneralNames in DER. Raises: ValueError for what none can hold."""
    return der.sequence(*map(_write, names))


def _write(name: GeneralName) -> bytes:
    match name.kind:
        case "ip":
            return der.tlv(_IP_ADDRESS, ipaddress.ip_address(name.value).packed)
        case "registeredID":
            oid_der = der.object_identifier(name.value)
            return der.tlv(_REGISTERED_ID, der.content(oid_der, der.OID))
        case "otherName":
            value_der = der.tlv(_UTF8_STRING, name.value.encode())
            oid_der = der.object_identifier(name.type_id)
            return der.explicit(0, oid_der, der.explicit(0, value_der))
        case "directoryName":
            return der.tlv(_DIRECTORY_NAME, write_name(name.attributes))
        case _:
            return der.tlv(_TAGS[name.kind], name.value.encode("ascii"))


def read_general_name(name_der: bytes) -> GeneralName | None:
    """Return a general name from its DER, None for one in a form that gitca does not write.

    A DNS name comes in lower case. Raises: DerError, ValueError for what is no general name;
    RefusedError (rule `csr.name-control`) for text with a NUL or control character.
    """
    tag = name_der[0]
    match tag:
        case 0xA0:
            return _read_other_name(name_der)
        case 0xA4:
            return _read_directory_name(name_der)
        case 0xA3 | 0xA5:
            return None
        case 0x87:
            return GeneralName("ip", str(ipaddress.ip_address(der.content(name_der, tag))))
        case 0x88:
            oid_der = der.tlv(der.OID, der.content(name_der, tag))
            return GeneralName("registeredID", der.read_object_identifier(oid_der))
    if tag not in _TEXTUAL:
        raise der.DerError(f"tag 0x{tag:02x} is no GeneralName")
    kind = _TEXTUAL[tag]
    text = _plain(kind, der.content(name_der, tag).decode("ascii"))
    return GeneralName(kind, text.lower() if kind == "dns" else text)


def words_of(name_der: bytes) -> str:
    """Return what a general name is that `read_general_name` has no form for, in words."""
    tag = name_der[0]
    if tag != _OTHER_NAME:
        return _WORDS[tag]
    oid_der, *_ = der.parts(name_der, tag)
    return f"otherName {der.read_object_identifier(oid_der)}"


def _read_other_name(name_der: bytes) -> GeneralName | None:
    parts = der.parts(name_der, _OTHER_NAME)
    type_id = der.read_object_identifier(parts[0]) if parts else ""
    if len(parts) != 2:
        raise der.DerError("an otherName that is not an OID and a value")
    values = der.parts(parts[1], der.CONTEXT)
    if len(values) != 1 or values[0][0] != _UTF8_STRING:
        return None
    text = der.content(values[0], _UTF8_STRING).decode()
    return GeneralName("otherName", _plain("otherName", text), type_id)


def _read_directory_name(name_der: bytes) -> GeneralName | None:
    names = read_name(der.content(name_der, _DIRECTORY_NAME))
    if not names or any(len(relative) != 1 for relative in names):
        return None
    attributes = flatten(names)
    for attribute in attributes:
        _plain("directoryName", attribute.value)
    return GeneralName("directoryName", attributes=attributes)


def _plain(kind: GeneralNameKind, text: str) -> str:
    if any(character < " " or character == "\x7f" for character in text):
        message = f"the CSR's {kind} name {quoted(text)} has a NUL or control character"
        raise RefusedError("csr.name-control", message, "make the CSR again without it")
    return text
