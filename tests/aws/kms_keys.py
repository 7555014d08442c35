"""Key pairs of every asymmetric key spec that KMS signs with, and their signatures.

Which algorithm goes with which spec: AWS KMS Developer Guide, "Key spec reference".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import ed25519ph
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from kms_errors import KmsError, invalid

RAW, DIGEST, EXTERNAL_MU = "RAW", "DIGEST", "EXTERNAL_MU"
MESSAGE_TYPES = [RAW, DIGEST, EXTERNAL_MU]
MU_LENGTH = 64
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "SHA_256": hashes.SHA256(),
    "SHA_384": hashes.SHA384(),
    "SHA_512": hashes.SHA512(),
}
RSA_ALGORITHMS = [
    f"{scheme}_{name}" for scheme in ("RSASSA_PKCS1_V1_5", "RSASSA_PSS") for name in _HASHES
]
# "Key spec reference": each curve has one algorithm, unlike X9.62, which lets them be combined.
ALGORITHMS: Mapping[str, list[str]] = {
    **{f"RSA_{bits}": RSA_ALGORITHMS for bits in (2048, 3072, 4096)},
    "ECC_NIST_P256": ["ECDSA_SHA_256"],
    "ECC_NIST_P384": ["ECDSA_SHA_384"],
    "ECC_NIST_P521": ["ECDSA_SHA_512"],
    "ECC_SECG_P256K1": ["ECDSA_SHA_256"],
    "ECC_NIST_EDWARDS25519": ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
    **{f"ML_DSA_{level}": ["ML_DSA_SHAKE_256"] for level in (44, 65, 87)},
}
SIGNING_ALGORITHMS = [*RSA_ALGORITHMS, "ECDSA_SHA_256", "ECDSA_SHA_384", "ECDSA_SHA_512", "SM2DSA",
                      "ML_DSA_SHAKE_256", "ED25519_SHA_512", "ED25519_PH_SHA_512"]  # fmt: skip
_MAKE: Mapping[str, Callable[[], Any]] = {
    **{
        f"RSA_{bits}": partial(rsa.generate_private_key, 65537, bits) for bits in (2048, 3072, 4096)
    },
    "ECC_NIST_P256": partial(ec.generate_private_key, ec.SECP256R1()),
    "ECC_NIST_P384": partial(ec.generate_private_key, ec.SECP384R1()),
    "ECC_NIST_P521": partial(ec.generate_private_key, ec.SECP521R1()),
    "ECC_SECG_P256K1": partial(ec.generate_private_key, ec.SECP256K1()),
    "ECC_NIST_EDWARDS25519": ed25519.Ed25519PrivateKey.generate,
    "ML_DSA_44": mldsa.MLDSA44PrivateKey.generate,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey.generate,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey.generate,
}


def check_message(message: bytes, message_type: str, algorithm: str) -> None:
    """Hold a message against its type (API Reference, "Sign", Message and MessageType).

    Messages are 1 to 4,096 bytes; a digest is as long as the algorithm's hash, an external mu 64
    bytes. ED25519_SHA_512 requires RAW, ED25519_PH_SHA_512 requires DIGEST.
    """
    if not 1 <= len(message) <= 4096:
        side = "greater than or equal to 1" if not message else "less than or equal to 4096"
        raise invalid(
            "1 validation error detected: Value at 'message' failed to satisfy constraint: "
            f"Member must have length {side}"
        )
    required = {"ED25519_SHA_512": RAW, "ED25519_PH_SHA_512": DIGEST}.get(algorithm)
    mismatch = (message_type == EXTERNAL_MU) != (algorithm == "ML_DSA_SHAKE_256") and (
        message_type != RAW
    )
    if mismatch or (required and message_type != required):
        raise invalid(f"MessageType {message_type} is not valid for algorithm {algorithm}.")
    length = {DIGEST: _digest_length(algorithm), EXTERNAL_MU: MU_LENGTH}.get(message_type)
    if length is not None and len(message) != length:
        raise invalid(
            f"Digest is invalid length for algorithm {algorithm}: {len(message)} bytes, "
            f"expected {length}."
        )


def _digest_length(algorithm: str) -> int | None:
    found = _HASHES.get(algorithm[-len("SHA_256") :])
    return found.digest_size if found else None


@dataclass(frozen=True)
class KeyPair:
    """A private key that moto keeps as the `private_key` of its key."""

    spec: str
    private: Any

    @classmethod
    def generate(cls, spec: str) -> KeyPair:
        return cls(spec, _MAKE[spec]())

    def public_key(self) -> bytes:
        """Return the DER SubjectPublicKeyInfo (API Reference, "GetPublicKey", PublicKey)."""
        public: bytes = self.private.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return public

    def sign(self, message: bytes, message_type: str, algorithm: str) -> bytes:
        """Return the signature over a message whose type and length were checked.

        DIGEST and EXTERNAL_MU skip the hashing (API Reference, "Sign", MessageType); but with
        ED25519_PH_SHA_512 KMS hashes a digest once more, as the same paragraph says.
        """
        value: bytes
        if algorithm == "ED25519_PH_SHA_512":
            value = ed25519ph.sign(self.private.private_bytes_raw(), message)
        elif message_type == EXTERNAL_MU:
            value = self.private.sign_mu(message)
        else:
            value = self.private.sign(message, *_parameters(algorithm, message_type))
        return value

    def verify(self, message: bytes, message_type: str, algorithm: str, signature: bytes) -> None:
        """Verify what `sign` made. Raises: KmsError (API Reference, "Verify", Errors)."""
        public = self.private.public_key()
        try:
            if algorithm == "ED25519_PH_SHA_512":
                if not ed25519ph.is_valid(public.public_bytes_raw(), message, signature):
                    raise InvalidSignature
            elif message_type == EXTERNAL_MU:
                public.verify_mu(signature, message)
            else:
                public.verify(signature, message, *_parameters(algorithm, message_type))
        except InvalidSignature:
            raise KmsError("KMSInvalidSignatureException", "") from None


def _parameters(algorithm: str, message_type: str) -> tuple[Any, ...]:
    """Return what `sign` of `cryptography` takes after the message.

    The salt of RSASSA_PSS is as long as the hash (Developer Guide, "Key spec reference",
    "Supported signing algorithms").
    """
    if not algorithm.startswith(("RSASSA", "ECDSA")):
        return ()
    plain = _HASHES[algorithm[-len("SHA_256") :]]
    chosen = Prehashed(plain) if message_type == DIGEST else plain
    if algorithm.startswith("ECDSA"):
        return (ec.ECDSA(chosen),)
    if algorithm.startswith("RSASSA_PSS"):
        return padding.PSS(padding.MGF1(plain), plain.digest_size), chosen
    return padding.PKCS1v15(), chosen
