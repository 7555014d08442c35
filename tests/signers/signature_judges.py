"""Verifiers of signatures that share no code with gitca or the library it signs with.

OpenSSL's command for RSA, ECDSA and Ed25519; for ML-DSA, which OpenSSL knows from 3.5 only,
dilithium-py, a plain rendering of FIPS 204.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import dilithium_py.ml_dsa as fips204

from components import require

_ML_DSA = {
    "ml-dsa-44": (fips204.ML_DSA_44, 1312),
    "ml-dsa-65": (fips204.ML_DSA_65, 1952),
    "ml-dsa-87": (fips204.ML_DSA_87, 2592),
}


def verifies(
    spki_der: bytes, signature: bytes, message: bytes, *, algorithm: str, folder: Path
) -> bool:
    """Return whether the judge of an algorithm accepts the signature; uses `folder` for files."""
    if algorithm in _ML_DSA:
        judge, size = _ML_DSA[algorithm]
        # FIPS 204 table 2: the raw public key is the last octets of the SPKI (RFC 9881 section 4).
        return bool(judge.verify(spki_der[-size:], message, signature))
    (folder / "key.der").write_bytes(spki_der)
    (folder / "message").write_bytes(message)
    (folder / "signature").write_bytes(signature)
    done = subprocess.run(
        [require("openssl"), *_arguments(algorithm)], cwd=folder, capture_output=True, text=True
    )
    return done.returncode == 0


def _arguments(algorithm: str) -> list[str]:
    key = ["-keyform", "DER", "-sigfile" if algorithm == "ed25519" else "-signature", "signature"]
    if algorithm == "ed25519":
        key += ["-pubin", "-inkey", "key.der", "-rawin", "-in", "message"]
        return ["pkeyutl", "-verify", *key]
    scheme, digest = algorithm.rsplit("-", 1)
    pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
    options = pss if scheme == "rsa-pss" else []
    return ["dgst", f"-{digest}", "-verify", "key.der", *options, *key, "message"]
