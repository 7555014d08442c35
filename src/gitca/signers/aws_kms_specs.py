"""What AWS KMS calls gitca's keys and signature algorithms, and what it signs of a message.

KMS takes at most 4,096 bytes of message (AWS KMS API Reference, "Sign"), and a CRL has more. So it
is given the digest (RSA, ECDSA) or the message representative mu (ML-DSA, FIPS 204 algorithm 7,
line 6), from which the signature is made exactly as from the message. Ed25519 has neither: KMS
also offers Ed25519ph, whose signatures are other ones than those that RFC 8410 has certificates
carry, so what is above 4,096 bytes cannot be signed with such a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import mldsa

from gitca.errors import UsageError
from gitca.signers.key_spec_names import KMS_SPECS
from gitca.x509.algorithms import SIGNATURE_ALGORITHMS, algorithms_for
from gitca.x509.keys import KEY_SPECS, load_public_key

_MlDsaKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey

LONGEST_RAW = 4096
RAW, DIGEST, EXTERNAL_MU = "RAW", "DIGEST", "EXTERNAL_MU"

SPEC_OF_KMS: Mapping[str, str] = MappingProxyType({kms: spec for spec, kms in KMS_SPECS.items()})

KMS_ALGORITHMS: Mapping[str, str] = MappingProxyType(
    {
        **{f"ecdsa-sha{bits}": f"ECDSA_SHA_{bits}" for bits in (256, 384, 512)},
        **{f"rsa-pkcs1-sha{bits}": f"RSASSA_PKCS1_V1_5_SHA_{bits}" for bits in (256, 384, 512)},
        **{f"rsa-pss-sha{bits}": f"RSASSA_PSS_SHA_{bits}" for bits in (256, 384, 512)},
        "ed25519": "ED25519_SHA_512",
        **{f"ml-dsa-{number}": "ML_DSA_SHAKE_256" for number in (44, 65, 87)},
    }
)
"""gitca's names of signature algorithms, and KMS's."""


def spec_named(name: str) -> str:
    """Return gitca's name of a key spec that is given by its own or KMS's. Raises: UsageError."""
    spec = SPEC_OF_KMS.get(name, name)
    if spec not in KMS_SPECS:
        raise UsageError(
            f"key spec {name!r} is unknown to AWS KMS as a CA's key; allowed are "
            f"{', '.join(KMS_SPECS)}, or KMS's own names for them ({', '.join(SPEC_OF_KMS)})",
            remedy="choose one of them",
        )
    return spec


def message_type(signature_algorithm: str) -> str:
    """Return what KMS is given to sign of a message."""
    if SIGNATURE_ALGORITHMS[signature_algorithm].hash is not None:
        return DIGEST
    return RAW if signature_algorithm == "ed25519" else EXTERNAL_MU


def longest_message(signature_algorithm: str) -> int | None:
    """Return how many octets KMS signs with an algorithm at most; None for any."""
    return LONGEST_RAW if message_type(signature_algorithm) == RAW else None


def what_is_sent(message: bytes, signature_algorithm: str, spki_der: bytes) -> bytes:
    """Return the bytes of a message that KMS signs, as `message_type` names them.

    Raises: UsageError for a message that is too long.
    """
    limit = longest_message(signature_algorithm)
    if limit is not None and len(message) > limit:
        raise UsageError(
            f"{len(message)} bytes to be signed with {signature_algorithm} are above {limit}, the "
            "most that AWS KMS signs with an Ed25519 key",
            remedy="give a CA that signs large CRLs a key of P-256, P-384, RSA or ML-DSA",
        )
    algorithm = SIGNATURE_ALGORITHMS[signature_algorithm].hash
    if algorithm is not None:
        digest = hashes.Hash(algorithm)
        digest.update(message)
        return digest.finalize()
    return message if limit is not None else _mu(message, spki_der)


def _mu(message: bytes, spki_der: bytes) -> bytes:
    key = load_public_key(spki_der)
    if not isinstance(key, _MlDsaKey):
        raise UsageError("an ML-DSA algorithm does not go with a key of another type")
    hasher = mldsa.MLDSAMuHasher(key)
    hasher.update(message)
    return hasher.finalize()


def kms_algorithms(spec: str) -> tuple[str, ...]:
    """Return KMS's names of the algorithms that a CA's key of a spec signs with."""
    return tuple(KMS_ALGORITHMS[name] for name in algorithms_for(KEY_SPECS[spec]))


def message_types(spec: str) -> tuple[str, ...]:
    """Return what a key of a spec is given to sign."""
    return tuple(dict.fromkeys(message_type(name) for name in algorithms_for(KEY_SPECS[spec])))
