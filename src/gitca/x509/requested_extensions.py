"""The extensions that a CSR asks for (RFC 2985 section 5.4.2), and the names among them.

Microsoft's tools ask under an OID of their own (1.3.6.1.4.1.311.2.1.14, in the same syntax). Every
other attribute is passed over unread, a challengePassword with care: it is never repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitca.x509 import der
from gitca.x509.extensions import read_extension
from gitca.x509.general_names import read_general_name, words_of
from gitca.x509.refusal import RefusedError
from gitca.x509.template import Extension, GeneralName

EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
_EXTENSION_REQUESTS = (EXTENSION_REQUEST, "1.3.6.1.4.1.311.2.1.14")
_SUBJECT_ALTERNATIVE_NAME = "2.5.29.17"


@dataclass(frozen=True, slots=True)
class RequestedExtensions:
    """The extensions in order, and the subject alternative names that one of them holds.

    `other_names` says in words which names are in forms that no document can state.
    """

    extensions: tuple[Extension, ...] = ()
    sans: tuple[GeneralName, ...] = ()
    other_names: tuple[str, ...] = ()


def read_attributes(attributes_der: bytes) -> RequestedExtensions:
    """Return what the `[0]` attributes of a CertificationRequestInfo ask for.

    Raises: DerError, RefusedError.
    """
    extensions: dict[str, Extension] = {}
    for attribute_der in der.parts(attributes_der, der.CONTEXT):
        oid_der, values_der = der.parts(attribute_der)
        if der.read_object_identifier(oid_der) in _EXTENSION_REQUESTS:
            for asked in _extensions(values_der):
                if asked.oid in extensions:
                    message = f"the CSR asks for extension {asked.oid} twice"
                    raise RefusedError("csr.duplicate-extension", message)
                extensions[asked.oid] = asked
    names = extensions.get(_SUBJECT_ALTERNATIVE_NAME)
    sans, other = _names(names.value_der if names else None)
    return RequestedExtensions(tuple(extensions.values()), sans, other)


def _extensions(values_der: bytes) -> Iterator[Extension]:
    try:
        for extensions_der in der.parts(values_der, der.SET):
            for extension_der in der.parts(extensions_der):
                yield read_extension(extension_der)
    except ValueError as error:
        message = f"the extensions that the CSR asks for are malformed: {error}"
        raise RefusedError("csr.extensions", message) from error


def _names(value: bytes | None) -> tuple[tuple[GeneralName, ...], tuple[str, ...]]:
    sans: list[GeneralName] = []
    other: list[str] = []
    try:
        for name_der in der.parts(value) if value is not None else ():
            name = read_general_name(name_der)
            if name is None:
                other.append(words_of(name_der))
            else:
                sans.append(name)
    except RefusedError:
        raise
    except ValueError as error:
        message = (
            "the CSR's subject alternative name is malformed: one of its names has not the form of"
            " its type (RFC 5280 section 4.2.1.6)"
        )
        raise RefusedError("csr.san", message) from error
    return tuple(sans), tuple(other)
