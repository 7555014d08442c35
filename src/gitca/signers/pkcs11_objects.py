"""The objects of a key in a token: the private one, and its public half as SubjectPublicKeyInfo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gitca.documents.pkcs11_uri import Pkcs11Uri
from gitca.errors import UsageError
from gitca.signers import KeyAbsentError, KeyUnsuitableError
from gitca.x509 import der
from gitca.x509.keys import ED25519_OID, KEY_SPECS, describe_key
from gitca.x509.refusal import RefusedError

if TYPE_CHECKING:
    import pkcs11

FLAGS = {
    "sensitive": "SENSITIVE",
    "always-sensitive": "ALWAYS_SENSITIVE",
    "extractable": "EXTRACTABLE",
    "never-extractable": "NEVER_EXTRACTABLE",
    "made-in-token": "LOCAL",
    "pin-with-each-signature": "ALWAYS_AUTHENTICATE",
}
"""What a person wants to know of how a key is kept, and the attribute that says so."""

_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_RAW_POINTS = (65, 97, 133)  # octets of an uncompressed point of P-256, P-384, P-521
_ED25519_POINT = 32


@dataclass(frozen=True, slots=True)
class TokenKey:
    """What a private key object says of itself."""

    label: str
    id: bytes
    spki_der: bytes
    flags: Mapping[str, bool | None]

    @property
    def wants_pin(self) -> bool:
        """Whether the token asks for the PIN with each signature (CKA_ALWAYS_AUTHENTICATE)."""
        return bool(self.flags["pin-with-each-signature"])


def read_key(session: pkcs11.Session, uri: Pkcs11Uri, where: str) -> TokenKey:
    """Return the one key that a URI names, seen to be one that signs.

    Raises: KeyAbsentError when the token has none; UsageError when it has several;
    KeyUnsuitableError for one that cannot be a CA's; pkcs11.PKCS11Error.
    """
    found = private_objects(session, uri.object, uri.id)
    if not found:
        raise KeyAbsentError(
            f"{where} is out of reach: the token has no private key of that name",
            remedy="connect the token that has it, or make one with gitca keys create",
        )
    if len(found) > 1:
        ids = ", ".join(_id_text(_bytes(each, "ID")) for each in found)
        raise UsageError(
            f"{where}: {len(found)} private keys are as the URI says, with the ids {ids}",
            remedy="add id= to the URI, which tells them apart",
        )
    private = found[0]
    if not _flag(private, "SIGN"):
        raise KeyUnsuitableError(
            f"{where} may not sign (CKA_SIGN is false)", remedy="use a key that was made to sign"
        )
    label, identifier = _text(private, "LABEL"), _bytes(private, "ID")
    spki_der = _public_half(session, private, label=label, identifier=identifier, where=where)
    flags = {name: _flag(private, attribute) for name, attribute in FLAGS.items()}
    return TokenKey(label, identifier, spki_der, flags)


def private_objects(
    session: pkcs11.Session, label: str | None, identifier: bytes | None
) -> list[Any]:
    """Return the private keys of a label and an id; None leaves one open."""
    return _objects(session, "PRIVATE_KEY", label, identifier)


def public_objects(
    session: pkcs11.Session, label: str | None, identifier: bytes | None
) -> list[Any]:
    """Return the public keys of a label and an id; None leaves one open."""
    return _objects(session, "PUBLIC_KEY", label, identifier)


def _objects(
    session: pkcs11.Session, kind: str, label: str | None, identifier: bytes | None
) -> list[Any]:
    from pkcs11 import Attribute, ObjectClass

    template: dict[Any, Any] = {Attribute.CLASS: ObjectClass[kind]}
    if label is not None:
        template[Attribute.LABEL] = label
    if identifier is not None:
        template[Attribute.ID] = identifier
    return list(session.get_objects(template))


def _public_half(
    session: pkcs11.Session, private: Any, *, label: str, identifier: bytes, where: str
) -> bytes:
    """Return the SPKI of a key: from itself (RSA), its public key object, or its certificate."""
    # Tools that give every key the same id exist, and so do public keys without the label.
    names = ((label, identifier), (None, identifier)) if identifier else ((label, None),)
    sources: tuple[Iterator[bytes], ...] = (
        _rsa_spki(private),
        *(_public_keys(session, *name) for name in names),
        *(_certificates(session, *name) for name in names),
    )
    candidates = next(filter(None, map(set, sources)), set[bytes]())
    if not candidates:
        raise KeyUnsuitableError(
            f"{where}: the token has neither its public key nor its certificate under the same id",
            remedy="put the public key object beside it",
        )
    if len(candidates) > 1:
        raise UsageError(
            f"{where}: the token has different public keys under the id of this private key",
            remedy="remove those that are not its own, or give each pair an id",
        )
    spki_der = candidates.pop()
    _check_kind(spki_der, where)
    return spki_der


def _public_keys(
    session: pkcs11.Session, label: str | None, identifier: bytes | None
) -> Iterator[bytes]:
    for each in public_objects(session, label, identifier):
        yield from spki_of(each)


def _certificates(
    session: pkcs11.Session, label: str | None, identifier: bytes | None
) -> Iterator[bytes]:
    for each in _objects(session, "CERTIFICATE", label, identifier):
        yield from _certified(each)


def _check_kind(spki_der: bytes, where: str) -> None:
    try:
        key = describe_key(spki_der)
    except RefusedError as error:
        raise KeyUnsuitableError(f"{where}: {error.message}", remedy=error.remedy) from error
    if key not in KEY_SPECS.values():
        raise KeyUnsuitableError(
            f"{where} is {key}; allowed are {', '.join(KEY_SPECS)}",
            remedy="make a key with gitca keys create",
        )


def spki_of(public: Any) -> Iterator[bytes]:
    """Give the SubjectPublicKeyInfo of a public key object, where it is of a known type."""
    yield from _rsa_spki(public)
    kind, point = _number(public, "KEY_TYPE"), _bytes(public, "EC_POINT")
    from pkcs11 import KeyType

    if kind == KeyType.EC and point:
        parameters_der = _bytes(public, "EC_PARAMS")
        algorithm_der = der.algorithm_identifier(_EC_PUBLIC_KEY, parameters_der)
        raw = point if len(point) in _RAW_POINTS else _unwrapped(point)
        yield der.sequence(algorithm_der, der.bit_string(raw))
    if kind == KeyType.EC_EDWARDS and point:
        # PKCS #11 v3.0 has the point bare, and modules wrap it as they do for other curves.
        raw = point if len(point) == _ED25519_POINT else _unwrapped(point)
        yield der.sequence(der.algorithm_identifier(ED25519_OID), der.bit_string(raw))


def _unwrapped(point: bytes) -> bytes:
    """Return the content of an OCTET STRING, or the octets themselves where they are none."""
    try:
        return der.content(point, der.OCTET_STRING)
    except der.DerError:
        return point


def _rsa_spki(key: Any) -> Iterator[bytes]:
    modulus, exponent = _bytes(key, "MODULUS"), _bytes(key, "PUBLIC_EXPONENT")
    if modulus and exponent:
        numbers = (der.integer(int.from_bytes(number, "big")) for number in (modulus, exponent))
        algorithm_der = der.algorithm_identifier(_RSA_ENCRYPTION, der.NULL_DER)
        yield der.sequence(algorithm_der, der.bit_string(der.sequence(*numbers)))


def _certified(certificate: Any) -> Iterator[bytes]:
    value = _bytes(certificate, "VALUE")
    try:
        key = x509.load_der_x509_certificate(value).public_key()
    except ValueError:
        return
    yield key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _read(key: Any, name: str) -> Any:
    """Return an attribute, or None where the object does not have it or does not tell it."""
    from pkcs11 import Attribute, AttributeSensitive, AttributeTypeInvalid

    try:
        return key[Attribute[name]]
    except (AttributeSensitive, AttributeTypeInvalid):
        return None
    except ValueError:  # a label that is no UTF-8, a number that the library does not know
        return None


def _bytes(key: Any, name: str) -> bytes:
    value = _read(key, name)
    return bytes(value) if value is not None else b""


def _text(key: Any, name: str) -> str:
    return str(_read(key, name) or "")


def _flag(key: Any, name: str) -> bool | None:
    value = _read(key, name)
    return None if value is None else bool(value)


def _number(key: Any, name: str) -> int | None:
    value = _read(key, name)
    return None if value is None else int(value)


def _id_text(identifier: bytes) -> str:
    return "".join(f"%{octet:02x}" for octet in identifier) or "(empty)"
