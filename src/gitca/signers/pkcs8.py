"""Encrypted private keys: EncryptedPrivateKeyInfo (RFC 5958 section 3) under PBES2 (RFC 8018).

`cryptography` reads this format and writes it with 2,048 iterations of PBKDF2, which one graphics
card tries at a rate of millions a second. What is written here takes 600,000 (OWASP's figure for
HMAC-SHA-256), and is read by OpenSSL, GnuTLS, Java and `cryptography` alike.
"""

from __future__ import annotations

import base64
import os
import textwrap

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from gitca.x509 import der

LABEL = "ENCRYPTED PRIVATE KEY"  # RFC 7468 section 11
ITERATIONS = 600_000

_SALT_BYTES = 16  # NIST SP 800-132 section 5.1
_KEY_BYTES = 32
_BLOCK_BYTES = 16
_PBES2 = "1.2.840.113549.1.5.13"
_PBKDF2 = "1.2.840.113549.1.5.12"
_HMAC_SHA256 = "1.2.840.113549.2.9"
_AES_256_CBC = "2.16.840.1.101.3.4.1.42"


def encrypt_pkcs8(private_key_info_der: bytes, passphrase: bytes) -> bytes:
    """Return the PEM of a PrivateKeyInfo encrypted under a passphrase, with fresh salt and IV."""
    salt, iv = os.urandom(_SALT_BYTES), os.urandom(_BLOCK_BYTES)
    key = PBKDF2HMAC(hashes.SHA256(), _KEY_BYTES, salt, ITERATIONS).derive(passphrase)
    pad = padding.PKCS7(_BLOCK_BYTES * 8).padder()
    padded = pad.update(private_key_info_der) + pad.finalize()
    cipher = Cipher(algorithms.AES256(key), modes.CBC(iv)).encryptor()
    encrypted = cipher.update(padded) + cipher.finalize()
    return _pem(der.sequence(_pbes2(salt, iv), der.tlv(der.OCTET_STRING, encrypted)))


def _pbes2(salt: bytes, iv: bytes) -> bytes:
    """Return the AlgorithmIdentifier of RFC 8018 appendix A.4, with PBKDF2 of appendix A.2."""
    prf = der.algorithm_identifier(_HMAC_SHA256, der.tlv(der.NULL, b""))
    pbkdf2 = der.sequence(der.tlv(der.OCTET_STRING, salt), der.integer(ITERATIONS), prf)
    return der.algorithm_identifier(
        _PBES2,
        der.sequence(
            der.algorithm_identifier(_PBKDF2, pbkdf2),
            der.algorithm_identifier(_AES_256_CBC, der.tlv(der.OCTET_STRING, iv)),
        ),
    )


def _pem(encrypted_der: bytes) -> bytes:
    lines = textwrap.wrap(base64.b64encode(encrypted_der).decode("ascii"), 64)
    return "\n".join((f"-----BEGIN {LABEL}-----", *lines, f"-----END {LABEL}-----", "")).encode()
