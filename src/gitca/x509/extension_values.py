"""The values of extensions that gitca writes as they are given: to DER, and to words for people."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from gitca.documents.extensions import OCSP_NO_CHECK_OID, TLS_FEATURE_OID, ExtensionValue
from gitca.x509 import der
from gitca.x509.refusal import quoted
from gitca.x509.template import Extension

UTF8_STRING = 0x0C
IA5_STRING = 0x16

TLS_FEATURES: Mapping[str, int] = MappingProxyType({"statusRequest": 5, "statusRequestV2": 17})
"""TLS extensions by the names of RFC 7633 section 6, and their numbers."""

_NAMES: Mapping[str, str] = MappingProxyType(
    {TLS_FEATURE_OID: "TLS feature", OCSP_NO_CHECK_OID: "OCSP no check"}
)
_SHOWN = 64  # octets of a value that is no text


def value_der(value: ExtensionValue) -> bytes:
    """Return the DER of a value as a document gives it; base64 is taken as it is."""
    if value.utf8 is not None:
        return der.tlv(UTF8_STRING, value.utf8.encode())
    if value.ia5 is not None:
        return der.tlv(IA5_STRING, value.ia5.encode("ascii"))
    if value.integer is not None:
        return der.integer(value.integer)
    if value.boolean is not None:
        return der.tlv(der.BOOLEAN, b"\xff" if value.boolean else b"\x00")
    return base64.b64decode(value.der or "")


def tls_feature(names: Iterable[str]) -> Extension:
    """Return the TLS feature extension (RFC 7633 section 4.1), in the order of the names."""
    features = b"".join(der.integer(TLS_FEATURES[name]) for name in names)
    return Extension(TLS_FEATURE_OID, False, der.tlv(der.SEQUENCE, features))


def ocsp_no_check() -> Extension:
    """Return the extension that spares an OCSP responder (RFC 6960 section 4.2.2.2.1)."""
    return Extension(OCSP_NO_CHECK_OID, False, der.NULL_DER)


def value_problem(value: bytes) -> str | None:
    """Return why octets are not the DER of one value, or None; only its outermost layer is read."""
    try:
        _, _, end = der.read_header(value)
    except der.DerError as error:
        return str(error)
    return None if end == len(value) else f"{len(value) - end} octets follow the value"


def extension_words(extension: Extension) -> str:
    """Return an extension in words: name or OID, criticality, and its value, long ones in part."""
    name = _NAMES.get(extension.oid)
    critical = " (critical)" if extension.critical else ""
    value = _feature_words(extension) or value_words(extension.value_der)
    return f"{name or f'extension {extension.oid}'}{critical}: {value}"


def value_words(value: bytes) -> str:
    """Return a value in words: `utf8 “x”`, `integer 3`, `null`, or the octets of its DER."""
    try:
        tag, start, end = der.read_header(value)
        content = value[start:end]
        if end == len(value) and tag in _WORDS and (words := _simple_words(tag, content, value)):
            return words
    except ValueError:
        pass  # no DER: shown as the octets that it is
    if len(value) <= _SHOWN:
        return f"der {value.hex()}"
    digest = hashlib.sha256(value).hexdigest()
    return f"der {value[:_SHOWN].hex()}… ({len(value)} octets, sha256:{digest})"


_WORDS = frozenset({UTF8_STRING, IA5_STRING, der.INTEGER, der.BOOLEAN, der.NULL})


def _simple_words(tag: int, content: bytes, value: bytes) -> str:
    """Return a simple value in words, nothing for octets that are none of its type's."""
    if tag == UTF8_STRING:
        return f"utf8 {quoted(content.decode())}" if len(content) <= _SHOWN else ""
    if tag == IA5_STRING:
        return f"ia5 {quoted(content.decode('ascii'))}" if len(content) <= _SHOWN else ""
    if tag == der.INTEGER:
        return f"integer {der.read_integer(value)}" if len(content) <= 16 else ""
    if tag == der.BOOLEAN:
        return {b"\xff": "boolean true", b"\x00": "boolean false"}.get(content, "")
    return "" if content else "null"


def _feature_words(extension: Extension) -> str:
    if extension.oid != TLS_FEATURE_OID:
        return ""
    names = {number: name for name, number in TLS_FEATURES.items()}
    try:
        numbers = [der.read_integer(part) for part in der.parts(extension.value_der)]
    except der.DerError:
        return ""
    return ", ".join(names.get(number, str(number)) for number in numbers)
