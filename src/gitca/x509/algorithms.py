"""Signature algorithms: the one table of what gitca signs with and verifies.

An algorithm is known by a short name (`ecdsa-sha256`) in documents and to signers, and by exactly
one AlgorithmIdentifier in certificates: RFC 4055 section 5 (RSA PKCS #1, parameters NULL), RFC 4055
section 3.1 (RSASSA-PSS: hash, MGF1 with the same hash, salt of the hash's length), RFC 5758 section
3.2 (ECDSA), RFC 8410 section 3 (Ed25519) and RFC 9881 section 2 (ML-DSA), the last three with
parameters absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from gitca.x509 import der
from gitca.x509.keys import (
    ED25519_OID,
    ML_DSA_OIDS,
    RSASSA_PSS_OID,
    KeyDescription,
    KeyType,
    PublicKey,
    describe_key,
    load_public_key,
)
from gitca.x509.refusal import RefusedError

_MGF1_OID = "1.2.840.113549.1.1.8"
_CURVE_HASHES = {"P-256": "sha256", "P-384": "sha384", "P-521": "sha512"}


class AlgorithmRefusedError(RefusedError):
    """A signature algorithm that is not in the table or does not go with the key."""


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """One row of the table: how to sign and verify, and how certificates name it.

    `hash` is None where the algorithm takes the message itself (Ed25519, ML-DSA); `padding` is an
    RSA algorithm's.
    """

    name: str
    key_type: KeyType
    identifier_der: bytes
    hash: hashes.HashAlgorithm | None = None
    padding: padding.AsymmetricPadding | None = None


@dataclass(frozen=True, slots=True)
class _HashOids:
    """The object identifiers that speak of one hash function."""

    hash: str
    ecdsa: str
    pkcs1: str


_HASHES: tuple[tuple[hashes.HashAlgorithm, _HashOids], ...] = (
    (
        hashes.SHA256(),
        _HashOids("2.16.840.1.101.3.4.2.1", "1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11"),
    ),
    (
        hashes.SHA384(),
        _HashOids("2.16.840.1.101.3.4.2.2", "1.2.840.10045.4.3.3", "1.2.840.113549.1.1.12"),
    ),
    (
        hashes.SHA512(),
        _HashOids("2.16.840.1.101.3.4.2.3", "1.2.840.10045.4.3.4", "1.2.840.113549.1.1.13"),
    ),
)


def _pss_identifier(hash_oid: str, salt_length: int) -> bytes:
    hash_der = der.algorithm_identifier(hash_oid, der.NULL_DER)
    mgf_der = der.algorithm_identifier(_MGF1_OID, hash_der)
    parameters = der.sequence(
        der.explicit(0, hash_der),
        der.explicit(1, mgf_der),
        der.explicit(2, der.integer(salt_length)),
    )
    return der.algorithm_identifier(RSASSA_PSS_OID, parameters)


def _rows() -> Iterator[SignatureAlgorithm]:
    for digest, oids in _HASHES:
        ecdsa_der = der.algorithm_identifier(oids.ecdsa)
        yield SignatureAlgorithm(f"ecdsa-{digest.name}", "ecdsa", ecdsa_der, digest)
    for digest, oids in _HASHES:
        pkcs1_der = der.algorithm_identifier(oids.pkcs1, der.NULL_DER)
        pkcs1 = padding.PKCS1v15()
        yield SignatureAlgorithm(f"rsa-pkcs1-{digest.name}", "rsa", pkcs1_der, digest, pkcs1)
    for digest, oids in _HASHES:
        pss_der = _pss_identifier(oids.hash, digest.digest_size)
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        yield SignatureAlgorithm(f"rsa-pss-{digest.name}", "rsa", pss_der, digest, pss)
    yield SignatureAlgorithm("ed25519", "ed25519", der.algorithm_identifier(ED25519_OID))
    for number, oid in ML_DSA_OIDS.items():
        yield SignatureAlgorithm(f"ml-dsa-{number}", "ml-dsa", der.algorithm_identifier(oid))


SIGNATURE_ALGORITHMS: Mapping[str, SignatureAlgorithm] = MappingProxyType(
    {row.name: row for row in _rows()}
)
_BY_IDENTIFIER = {row.identifier_der: row for row in SIGNATURE_ALGORITHMS.values()}


def signature_algorithm(name: str) -> SignatureAlgorithm:
    """Return the row of a name, `ecdsa-sha256`. Raises: AlgorithmRefusedError."""
    found = SIGNATURE_ALGORITHMS.get(name)
    if found is None:
        raise AlgorithmRefusedError(
            "signature.algorithm",
            f"signature algorithm {name!r} is none of {', '.join(SIGNATURE_ALGORITHMS)}",
            "name one of them",
        )
    return found


def algorithm_identifier_der(name: str) -> bytes:
    """Return the DER AlgorithmIdentifier of an algorithm. Raises: AlgorithmRefusedError."""
    return signature_algorithm(name).identifier_der


def algorithm_of(identifier_der: bytes) -> SignatureAlgorithm:
    """Return the row that a DER AlgorithmIdentifier names, parameters included.

    Raises: AlgorithmRefusedError when the bytes are not exactly those of a row.
    """
    found = _BY_IDENTIFIER.get(identifier_der)
    if found is None:
        raise AlgorithmRefusedError(
            "signature.algorithm",
            f"signature AlgorithmIdentifier {identifier_der[:80].hex()} is that of none of "
            f"{', '.join(SIGNATURE_ALGORITHMS)}",
        )
    return found


def algorithms_for(key: KeyDescription) -> tuple[str, ...]:
    """Return the signature algorithms that a CA key may sign with, the default first.

    An ECDSA key signs with the hash of its curve's strength alone, which is also all that AWS KMS
    offers.
    """
    if key.type == "ecdsa":
        return (f"ecdsa-{_CURVE_HASHES[str(key.curve)]}",)
    if key.type == "ml-dsa":
        return (f"ml-dsa-{key.size}",)
    return tuple(name for name, row in SIGNATURE_ALGORITHMS.items() if row.key_type == key.type)


def default_algorithm(spki_der: bytes) -> str:
    """Return the signature algorithm of a CA key for which no document names one.

    Raises: KeyRefusedError.
    """
    return algorithms_for(describe_key(spki_der))[0]


def check_algorithm(spki_der: bytes, name: str) -> None:
    """Check that a CA key may sign with an algorithm.

    Raises: KeyRefusedError, AlgorithmRefusedError.
    """
    signature_algorithm(name)
    key = describe_key(spki_der)
    if name not in algorithms_for(key):
        raise AlgorithmRefusedError(
            "signature.algorithm-key",
            f"signature algorithm {name} does not go with a key {key}, "
            f"which signs with {' or '.join(algorithms_for(key))}",
            "name an algorithm that does, or none for the usual one",
        )


def verify(
    spki_der: bytes, algorithm: SignatureAlgorithm, *, signature: bytes, message: bytes
) -> bool:
    """Return whether the signature was made over the message, by the key, with the algorithm.

    False also when the key is of another type; an ECDSA key may have used any hash of the table.
    Raises: KeyRefusedError.
    """
    key = describe_key(spki_der)
    # An Ed25519 signature does not become one of ML-DSA, nor one parameter set another.
    if key.type != algorithm.key_type or not _fits(key, algorithm):
        return False
    try:
        _verify(load_public_key(spki_der), algorithm, signature, message)
    except InvalidSignature:
        return False
    return True


def _fits(key: KeyDescription, algorithm: SignatureAlgorithm) -> bool:
    return key.type != "ml-dsa" or algorithm.name in algorithms_for(key)


def _verify(key: PublicKey, row: SignatureAlgorithm, signature: bytes, message: bytes) -> None:
    if isinstance(key, rsa.RSAPublicKey) and row.hash and row.padding:
        key.verify(signature, message, row.padding, row.hash)
    elif isinstance(key, ec.EllipticCurvePublicKey) and row.hash:
        key.verify(signature, message, ec.ECDSA(row.hash))
    elif not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) and not row.hash:
        key.verify(signature, message)
    else:
        raise InvalidSignature
