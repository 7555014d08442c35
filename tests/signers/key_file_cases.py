"""Making, placing and opening key files, for the tests of the `file:` signer."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from components import require
from gitca.errors import GitcaError, UsageError
from gitca.signers import create_key, open_signer
from gitca.signers.pkcs8 import encrypt_pkcs8
from gitca.x509 import der

SECRET = b"correct horse battery staple"
URI = "file:.gitca/keys/root.pem"
KEY_PATH = Path(".gitca/keys/root.pem")


def passphrase(_purpose: str) -> bytes:
    return SECRET


def never(_purpose: str) -> bytes:
    raise AssertionError("the passphrase was asked for")


def make(base: Path, spec: str = "P-256", uri: str = URI) -> bytes:
    return create_key(uri, spec, base=base, passphrase=passphrase)


def place(base: Path, content: bytes, mode: int = 0o600) -> Path:
    path = base / KEY_PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def refused(
    base: Path,
    error: type[GitcaError] = UsageError,
    *,
    uri: str = URI,
    ask: Callable[[str], bytes] = never,
) -> str:
    """Return what is said of a key that is not opened."""
    with pytest.raises(error) as caught:
        open_signer(uri, base=base, passphrase=ask)
    assert caught.value.remedy
    assert SECRET.decode() not in str(caught.value)
    return str(caught.value)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(
        [require("openssl"), *arguments], input=stdin, capture_output=True, check=True
    )
    return done.stdout


def encrypted(key: PrivateKeyTypes, passphrase: bytes = SECRET) -> bytes:
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return encrypt_pkcs8(der, passphrase)


def taken_apart(pem: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the salt, the IV and the encrypted content of an EncryptedPrivateKeyInfo."""
    scheme_der, content_der = der.parts(base64.b64decode(b"".join(pem.splitlines()[1:-1])))
    kdf_der, cipher_der = der.parts(der.parts(scheme_der)[1])
    salt_der, iv_der = der.parts(der.parts(kdf_der)[1])[0], der.parts(cipher_der)[1]
    salt, iv, content = (
        der.content(each, der.OCTET_STRING) for each in (salt_der, iv_der, content_der)
    )
    return salt, iv, content
