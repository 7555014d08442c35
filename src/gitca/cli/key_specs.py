"""Kinds of keys as people write them: by gitca's names, and by those of AWS KMS."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import typer

KEY_SPECS: Mapping[str, str] = MappingProxyType(
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
"""The keys that a CA may have, and the KeySpec of each in AWS KMS.

Written out here, because the shell completes them without the libraries that know keys.
"""

_NAMES = {name: name for name in KEY_SPECS} | {kms: name for name, kms in KEY_SPECS.items()}


def parse_spec(text: str) -> str:
    """The name of the kind of key that a text names, case and all. Raises: typer.BadParameter."""
    if text in _NAMES:
        return _NAMES[text]
    alike = [name for name in _NAMES if _bare(name) == _bare(text)]
    hint = f"; write {alike[0]}" if alike else ""
    raise typer.BadParameter(
        f"{text!r} is not one of {', '.join(KEY_SPECS)}, nor AWS KMS's name of one of them{hint}"
    )


def spec_names(incomplete: str) -> list[str]:
    """The names that begin so, for the shell."""
    return [name for name in _NAMES if name.startswith(incomplete)]


def _bare(name: str) -> str:
    return name.replace("-", "").replace("_", "").casefold()
