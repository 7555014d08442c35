"""Kinds of keys that a CA may have: gitca's names of them, and those of AWS KMS.

Written out, and apart: the shell completes them without the libraries that know keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

KMS_SPECS: Mapping[str, str] = MappingProxyType(
    {
        "RSA-2048": "RSA_2048",
        "RSA-3072": "RSA_3072",
        "RSA-4096": "RSA_4096",
        "P-256": "ECC_NIST_P256",
        "P-384": "ECC_NIST_P384",
        "P-521": "ECC_NIST_P521",
        "Ed25519": "ECC_NIST_EDWARDS25519",
        "ML-DSA-44": "ML_DSA_44",
        "ML-DSA-65": "ML_DSA_65",
        "ML-DSA-87": "ML_DSA_87",
    }
)
