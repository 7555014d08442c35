"""How a token makes each signature: its mechanism, what it is handed, and what it gives back.

Messages are hashed here, so that a CRL of any size is some 64 octets at the token; a token that
only hashes by itself is handed the whole message. The hash, MGF1's hash and the salt's length are
those of the row in `x509/algorithms.py`, which is what certificates say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from gitca.x509 import der
from gitca.x509.algorithms import SignatureAlgorithm
from gitca.x509.keys import ED25519_OID

_HASH_OIDS = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}


@dataclass(frozen=True, slots=True)
class Generation:
    """How a token makes a key: its type, its mechanism, and CKA_EC_PARAMS or the bits of RSA."""

    key_type: str
    mechanism: str
    ec_params_der: bytes | None = None
    bits: int | None = None


_CURVES = {"P-256": "1.2.840.10045.3.1.7", "P-384": "1.3.132.0.34", "P-521": "1.3.132.0.35"}

GENERATIONS: Mapping[str, Generation] = MappingProxyType(
    {
        **{
            f"RSA-{bits}": Generation("RSA", "RSA_PKCS_KEY_PAIR_GEN", bits=bits)
            for bits in (2048, 3072, 4096)
        },
        **{
            curve: Generation("EC", "EC_KEY_PAIR_GEN", der.object_identifier(oid))
            for curve, oid in _CURVES.items()
        },
        "Ed25519": Generation(
            "EC_EDWARDS", "EC_EDWARDS_KEY_PAIR_GEN", der.object_identifier(ED25519_OID)
        ),
    }
)
"""The keys that a token may be asked for, by their spec; PKCS #11 v3.1 sections 6.1 and 6.3."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One way to make a signature: the names are those of python-pkcs11, less CKM_."""

    name: str
    prepare: Callable[[bytes], bytes]
    finish: Callable[[bytes], bytes] = bytes
    pss_hash: hashes.HashAlgorithm | None = None

    def parameter(self) -> Any:
        """Return the parameter as python-pkcs11 takes it; None where there is none."""
        if self.pss_hash is None:
            return None
        import pkcs11

        name = self.pss_hash.name.upper()
        return pkcs11.Mechanism[name], pkcs11.MGF[name], self.pss_hash.digest_size


def mechanisms_for(algorithm: SignatureAlgorithm) -> tuple[Mechanism, ...]:
    """Return the ways to make a signature, the better one first; none for ML-DSA.

    PKCS #11 v3.1 sections 6.1.6 (RSASSA-PKCS1), 6.1.8 (PSS), 6.3.12 (ECDSA), 6.3.15 (EdDSA).
    """
    if algorithm.key_type == "ed25519":
        return (Mechanism("EDDSA", bytes),)
    digest = algorithm.hash
    if digest is None:
        return ()
    hashed = _digest(digest)
    own = digest.name.upper()
    if algorithm.key_type == "ecdsa":
        return (
            Mechanism("ECDSA", hashed, ecdsa_der),
            Mechanism(f"ECDSA_{own}", bytes, ecdsa_der),
        )
    if algorithm.name.startswith("rsa-pss"):
        return (
            Mechanism("RSA_PKCS_PSS", hashed, pss_hash=digest),
            Mechanism(f"{own}_RSA_PKCS_PSS", bytes, pss_hash=digest),
        )
    return (
        Mechanism("RSA_PKCS", _digest_info(digest)),
        Mechanism(f"{own}_RSA_PKCS", bytes),
    )


def _digest(algorithm: hashes.HashAlgorithm) -> Callable[[bytes], bytes]:
    def digest(message: bytes) -> bytes:
        context = hashes.Hash(algorithm)
        context.update(message)
        return context.finalize()

    return digest


def _digest_info(algorithm: hashes.HashAlgorithm) -> Callable[[bytes], bytes]:
    """Return what makes the DigestInfo that EMSA-PKCS1-v1_5 pads (RFC 8017 section 9.2)."""
    digest = _digest(algorithm)
    identifier = der.algorithm_identifier(_HASH_OIDS[algorithm.name], der.NULL_DER)

    def digest_info(message: bytes) -> bytes:
        return der.sequence(identifier, der.tlv(der.OCTET_STRING, digest(message)))

    return digest_info


def ecdsa_der(raw: bytes) -> bytes:
    """Return r and s of one length each (PKCS #11 v3.1 section 6.3.1) as RFC 3279 writes them."""
    half = len(raw) // 2
    return encode_dss_signature(
        int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
    )
