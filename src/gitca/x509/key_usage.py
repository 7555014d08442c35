"""Which key usage bits a certificate may carry, by the type of its key.

RFC 5280 section 4.2.1.3, as narrowed by RFC 4055 section 1.2 (RSA), RFC 8813 section 3 (EC), RFC
9295 section 3 (Ed25519) and RFC 9881 section 5 (ML-DSA).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gitca.x509.keys import KeyDescription, KeyType

CA_KEY_USAGE = ("keyCertSign", "cRLSign")
"""What a CA's key does, and no other (RFC 5280 section 4.2.1.3)."""

_SIGNATURES = frozenset({"digitalSignature", "nonRepudiation", "keyCertSign", "cRLSign"})
_ALLOWED: Mapping[KeyType, frozenset[str]] = MappingProxyType(
    {
        "rsa": _SIGNATURES | {"keyEncipherment", "dataEncipherment"},
        "ecdsa": _SIGNATURES | {"keyAgreement", "encipherOnly", "decipherOnly"},
        "ed25519": _SIGNATURES,
        "ml-dsa": _SIGNATURES,
    }
)


def allowed_key_usage(key: KeyDescription) -> frozenset[str]:
    """Return the key usages that a certificate for a key of this type may carry.

    Whether the certificate is a CA's (keyCertSign) is not asked here.
    """
    return _ALLOWED[key.type]
