"""Signatures that verify under no key, for bytes that are linted before they are signed.

They have the form of real ones, so that a linter reads past them, and are constant, so that they
cost nothing and draw no randomness.
"""

from __future__ import annotations

import functools

from gitca.x509 import der
from gitca.x509.algorithms import signature_algorithm

_ONE_OCTETS = {
    "rsa": 256,  # that of RSA 2048; the size of the CA's key is nobody's matter here
    "ed25519": 64,  # RFC 8032 section 5.1.6
}
_ML_DSA_OCTETS = {"ml-dsa-44": 2420, "ml-dsa-65": 3309, "ml-dsa-87": 4627}  # FIPS 204 table 2


@functools.cache
def placeholder_signature(name: str) -> bytes:
    """Return octets in the form of an algorithm's signature. Raises: AlgorithmRefusedError."""
    row = signature_algorithm(name)
    if row.key_type == "ecdsa":
        # r = s = 1: a pair in range (RFC 3279 section 2.2.3), found for no message by anybody.
        return der.sequence(der.integer(1), der.integer(1))
    return b"\x01" * (_ML_DSA_OCTETS.get(name) or _ONE_OCTETS[row.key_type])
