"""Public keys: which kinds gitca certifies, and what one is (RFC 3279, 5480, 8410, 9881)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

from gitca.x509 import der
from gitca.x509.refusal import RefusedError

KeyType = Literal["rsa", "ecdsa", "ed25519", "ml-dsa"]
PublicKey = (
    rsa.RSAPublicKey
    | ec.EllipticCurvePublicKey
    | ed25519.Ed25519PublicKey
    | mldsa.MLDSA44PublicKey
    | mldsa.MLDSA65PublicKey
    | mldsa.MLDSA87PublicKey
)

MIN_RSA_BITS = 1024  # below this nothing is verified with the key; policies ask for far more
MAX_RSA_BITS = 16384  # OpenSSL verifies nothing larger
_MAX_RSA_EXPONENT_BITS = 256  # FIPS 186-5 section 5.4


ML_DSA_OIDS = {
    44: "2.16.840.1.101.3.4.3.17",
    65: "2.16.840.1.101.3.4.3.18",
    87: "2.16.840.1.101.3.4.3.19",
}
ED25519_OID = "1.3.101.112"
RSASSA_PSS_OID = "1.2.840.113549.1.1.10"


class KeyRefusedError(RefusedError):
    """A public key that gitca does not certify whatever the policy; rules are `key.*`."""


@dataclass(frozen=True, slots=True)
class KeyDescription:
    """What a public key is: `size` in bits, for ML-DSA the number of the parameter set.

    `curve` is of P-256, P-384, P-521 for an ECDSA key; `exponent` is an RSA key's.
    """

    type: KeyType
    size: int
    curve: str | None = None
    exponent: int | None = None

    def __str__(self) -> str:
        names = {"rsa": f"RSA {self.size}", "ed25519": "Ed25519", "ml-dsa": f"ML-DSA-{self.size}"}
        return self.curve or names[self.type]


KEY_SPECS: Mapping[str, KeyDescription] = MappingProxyType(
    {
        **{f"RSA-{bits}": KeyDescription("rsa", bits, None, 65537) for bits in (2048, 3072, 4096)},
        **{f"P-{bits}": KeyDescription("ecdsa", bits, f"P-{bits}") for bits in (256, 384, 521)},
        "Ed25519": KeyDescription("ed25519", 256),
        **{f"ML-DSA-{number}": KeyDescription("ml-dsa", number) for number in ML_DSA_OIDS},
    }
)

_EC_PUBLIC_KEY = der.object_identifier("1.2.840.10045.2.1")
_CURVES = {
    der.object_identifier("1.2.840.10045.3.1.7"): "P-256",
    der.object_identifier("1.3.132.0.34"): "P-384",
    der.object_identifier("1.3.132.0.35"): "P-521",
}
_RSA_ENCRYPTION = der.object_identifier("1.2.840.113549.1.1.1")
_PLAIN_KEYS: Mapping[bytes, KeyDescription] = {
    der.algorithm_identifier(ED25519_OID): KEY_SPECS["Ed25519"],
    **{
        der.algorithm_identifier(oid): KEY_SPECS[f"ML-DSA-{number}"]
        for number, oid in ML_DSA_OIDS.items()
    },
}
_REFUSED_KEYS = {
    der.object_identifier("1.2.840.10040.4.1"): "DSA",
    der.object_identifier(RSASSA_PSS_OID): "RSA restricted to PSS (id-RSASSA-PSS)",
    der.object_identifier("1.3.101.113"): "Ed448",
    der.object_identifier("1.3.101.110"): "X25519",
    der.object_identifier("1.3.101.111"): "X448",
    der.object_identifier("1.2.840.10046.2.1"): "Diffie-Hellman",
}
_MAKE_ANOTHER = "make a key of RSA 2048 bits or more, P-256, P-384, P-521, Ed25519 or ML-DSA"


def describe_key(spki_der: bytes) -> KeyDescription:
    """Return what a DER SubjectPublicKeyInfo holds (RFC 3279, 5480, 8410, 9881).

    The key is loaded, so that a point is on its curve. Weak but well-formed keys pass (RSA from
    1024 bits): that is for the policy. Raises: KeyRefusedError.
    """
    key = _describe(spki_der)
    load_public_key(spki_der)
    return key


def load_public_key(spki_der: bytes) -> PublicKey:
    """Return the key of a DER SubjectPublicKeyInfo, to verify with. Raises: KeyRefusedError."""
    try:
        key = serialization.load_der_public_key(spki_der)
    except (ValueError, UnsupportedAlgorithm) as error:
        message = "the public key cannot be read: its numbers are not those of a key of its type"
        raise KeyRefusedError("key.malformed", message, _MAKE_ANOTHER) from error
    if not isinstance(key, PublicKey):
        raise KeyRefusedError("key.type", f"key type {type(key).__name__} unknown", _MAKE_ANOTHER)
    return key


def _describe(spki_der: bytes) -> KeyDescription:
    try:
        algorithm_der, key_der = der.parts(spki_der)
        oid, *parameters = der.parts(algorithm_der)
        octets = der.read_bit_string(key_der)
        if oid == _EC_PUBLIC_KEY:
            return _describe_ec(parameters, octets)
        if oid == _RSA_ENCRYPTION and parameters == [der.NULL_DER]:
            return _describe_rsa(octets)
        if algorithm_der in _PLAIN_KEYS:
            return _PLAIN_KEYS[algorithm_der]
        raise _refused_type(oid)
    except KeyRefusedError:
        raise
    except ValueError as error:
        raise KeyRefusedError(
            "key.malformed", f"not a DER SubjectPublicKeyInfo: {error}", "make the CSR again"
        ) from error


def _refused_type(oid: bytes) -> KeyRefusedError:
    known = _REFUSED_KEYS.get(oid)
    seen = known or (
        f"of a type or with parameters unknown here (OID {der.read_object_identifier(oid)})"
    )
    return KeyRefusedError(
        "key.type", f"the key is {seen}; allowed are RSA, ECDSA, Ed25519, ML-DSA", _MAKE_ANOTHER
    )


def _describe_ec(parameters: list[bytes], point: bytes) -> KeyDescription:
    curve = _CURVES.get(parameters[0]) if len(parameters) == 1 else None
    if curve is None:
        raise _refused_curve(parameters)
    if point[:1] != b"\x04":
        raise KeyRefusedError(
            "key.point-form",
            "the EC point is compressed; allowed is the uncompressed form (RFC 5480 section 2.2)",
            "make the CSR again with uncompressed points",
        )
    return KEY_SPECS[curve]


def _refused_curve(parameters: list[bytes]) -> KeyRefusedError:
    if parameters and parameters[0][0] == der.SEQUENCE:
        return KeyRefusedError(
            "key.explicit-parameters",
            "the EC key spells out its curve's parameters; allowed is a named curve alone "
            "(RFC 5480 section 2.1.1)",
            "make the key with a named curve (openssl: -pkeyopt ec_param_enc:named_curve)",
        )
    seen = der.read_object_identifier(parameters[0]) if parameters else "absent"
    return KeyRefusedError(
        "key.curve", f"the EC curve (OID {seen}) is none of P-256, P-384, P-521", _MAKE_ANOTHER
    )


def _describe_rsa(octets: bytes) -> KeyDescription:
    modulus, exponent = (der.read_integer(value) for value in der.parts(octets))
    bits = modulus.bit_length()
    if modulus <= 0 or not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
        raise KeyRefusedError(
            "key.rsa-size",
            f"RSA key of {bits} bits; allowed are {MIN_RSA_BITS} to {MAX_RSA_BITS}",
            _MAKE_ANOTHER,
        )
    if not modulus & 1:
        raise KeyRefusedError("key.rsa-modulus", "the RSA modulus is even", _MAKE_ANOTHER)
    if exponent < 3 or not exponent & 1 or exponent.bit_length() > _MAX_RSA_EXPONENT_BITS:
        raise KeyRefusedError(
            "key.rsa-exponent",
            "the RSA public exponent is "
            + (f"{exponent}" if abs(exponent) < 2**64 else f"of {exponent.bit_length()} bits")
            + "; allowed are odd ones from 3 to 2^256 (FIPS 186-5 section 5.4)",
            "make a key with the usual exponent, 65537",
        )
    return KeyDescription("rsa", bits, None, exponent)
