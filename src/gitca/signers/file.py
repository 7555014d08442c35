"""The `file:` signer: a private key in an encrypted PKCS #8 file.

`file:keys/root.pem` is relative to the root of the CA repository and cannot leave it;
`file:/etc/gitca/root.pem` (or `file:///etc/…`) is absolute. The URI comes from `ca/*.yaml`, so from
whoever may change the CA itself. An absolute path gives them nothing more: the file is used only if
it is an encrypted key, private to the user who runs gitca, that opens under the same passphrase,
and messages say nothing of what is in it.

The decrypted key lives in this process's memory until `close`, and Python cannot wipe it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

from gitca.errors import BackendUnavailableError, UsageError
from gitca.signers import KeyAbsentError, KeyOptions, Passphrase, Signature
from gitca.signers.passphrase import check_passphrase
from gitca.signers.pkcs8 import ITERATIONS, LABEL, encrypt_pkcs8
from gitca.signers.secret_file import create_secret_file, read_secret_file
from gitca.x509.algorithms import SIGNATURE_ALGORITHMS, SignatureAlgorithm, check_algorithm
from gitca.x509.keys import KEY_SPECS, describe_key
from gitca.x509.refusal import RefusedError

PrivateKey = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | mldsa.MLDSA44PrivateKey
    | mldsa.MLDSA65PrivateKey
    | mldsa.MLDSA87PrivateKey
)

_LARGEST_FILE = 64 * 1024
_PEM_BEGIN = re.compile(rb"^-----BEGIN ([A-Z0-9 ]{1,40})-----\s*$", re.MULTILINE)
_ENCRYPT = f"openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter {ITERATIONS}"

_GENERATE: Mapping[str, Callable[[], PrivateKey]] = {
    **{
        f"RSA-{bits}": partial(rsa.generate_private_key, 65537, bits) for bits in (2048, 3072, 4096)
    },
    "P-256": partial(ec.generate_private_key, ec.SECP256R1()),
    "P-384": partial(ec.generate_private_key, ec.SECP384R1()),
    "P-521": partial(ec.generate_private_key, ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "ML-DSA-44": mldsa.MLDSA44PrivateKey.generate,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey.generate,
}


class FileSigner:
    """A `Signer` whose key has been decrypted into memory."""

    def __init__(self, uri: str, key: PrivateKey) -> None:
        self._uri = uri
        self._key: PrivateKey | None = key
        self._spki_der = _spki_der(key)

    def public_key(self) -> bytes:
        """Return the DER SubjectPublicKeyInfo."""
        return self._spki_der

    def sign(self, message: bytes, signature_algorithm: str) -> Signature:
        """Return the signature over a message. Raises: UsageError."""
        key = self._key
        if key is None:
            raise UsageError(f"key {self._uri} is closed", remedy="open it again")
        algorithm = self._algorithm(signature_algorithm)
        return Signature(_sign(key, message, algorithm), key=self._uri)

    def longest_message(self, _signature_algorithm: str) -> None:
        """Return None: a message may have any length."""

    def prove(self, signature_algorithm: str) -> str:
        """Return that the key has been opened; whoever can do that can sign. Raises: UsageError."""
        self._algorithm(signature_algorithm)
        return "the file opens under its passphrase"

    def describe(self) -> Mapping[str, str]:
        """Return where the key lies."""
        return {"kept": "in an encrypted file (PKCS #8)"}

    def close(self) -> None:
        """Forget the private key."""
        self._key = None

    def _algorithm(self, name: str) -> SignatureAlgorithm:
        try:
            check_algorithm(self._spki_der, name)
        except RefusedError as error:
            raise UsageError(f"key {self._uri}: {error.message}", remedy=error.remedy) from error
        return SIGNATURE_ALGORITHMS[name]


def open_signer(uri: str, *, base: Path, passphrase: Passphrase, pin: Passphrase) -> FileSigner:
    """Return the signer of the key in a file.

    The passphrase is asked for only when the file is one that may be used.
    Raises: KeyAbsentError when the file is missing, BackendUnavailableError when this user cannot
    read it; UsageError for a malformed URI, a file that others could read or planted, an
    unencrypted or unsupported key, and a wrong passphrase.
    """
    path = _path(uri, base)
    try:
        pem = read_secret_file(path, limit=_LARGEST_FILE, name=f"key {uri}")
    except OSError as error:
        absent = isinstance(error, FileNotFoundError | NotADirectoryError)
        raise (KeyAbsentError if absent else BackendUnavailableError)(
            f"key {uri} is out of reach: {os.strerror(error.errno or 0)}",
            remedy="run where the key is, put it there, or make one with gitca keys create",
        ) from error
    _check_encrypted(pem, uri)
    return FileSigner(uri, _decrypt(pem, _ask(passphrase, f"key {uri}"), uri))


def create_key(
    uri: str,
    spec: str,
    *,
    base: Path,
    passphrase: Passphrase,
    pin: Passphrase,
    options: KeyOptions,
) -> bytes:
    """Make a key, write it encrypted into a new file of mode 0600, and return its SPKI in DER.

    Raises: UsageError for an unknown spec and when anything is at the path already;
    BackendUnavailableError when the file cannot be written.
    """
    path = _path(uri, base)
    preview_key(uri, spec, options=options)
    if os.path.lexists(path):
        raise _exists(uri)
    secret = _ask(passphrase, f"new key {uri}")
    key = _GENERATE[spec]()
    try:
        create_secret_file(path, encrypt_pkcs8(_private_der(key), secret))
    except FileExistsError as error:
        raise _exists(uri) from error
    except OSError as error:
        raise BackendUnavailableError(
            f"key {uri} cannot be written: {os.strerror(error.errno or 0)}",
            remedy="choose a folder that this user may write to, on a file system with hard links",
        ) from error
    return _spki_der(key)


def preview_key(uri: str, spec: str, *, options: KeyOptions) -> Mapping[str, object]:
    """Return what `create_key` would make. Raises: UsageError."""
    if spec not in _GENERATE:
        raise UsageError(
            f"key spec {spec!r} is unknown; allowed are {', '.join(_GENERATE)}",
            remedy="choose one of them",
        )
    if options != KeyOptions():
        raise UsageError(
            f"key {uri} is a file, which has neither regions nor roles",
            remedy="leave these options out; they are AWS KMS's",
        )
    return {"signer": uri, "spec": spec, "kept": "in an encrypted file (PKCS #8), of mode 0600"}


def _path(uri: str, base: Path) -> Path:
    text = uri.removeprefix("file:")
    text = text[2:] if text.startswith("///") else text  # file:///x is file:/x (RFC 8089)
    if not text.isprintable() or any(character in "%?#\\" for character in text):
        raise _malformed(uri, "it has control characters, or one of %, ?, # and \\")
    segments = text.removeprefix("/").split("/")
    if any(segment in ("", ".", "..") for segment in segments):
        raise _malformed(uri, "it has an empty, '.' or '..' segment, or a host")
    return base / text


def _malformed(uri: str, seen: str) -> UsageError:
    return UsageError(
        f"signer URI {uri!r}: {seen}; allowed is file: and a plain path",
        remedy="name the key like file:.gitca/keys/root.pem or file:/etc/gitca/root.pem",
    )


def _exists(uri: str) -> UsageError:
    return UsageError(
        f"key {uri} exists already; a key is never replaced",
        remedy="choose another URI, or move the file away if no certificate depends on it",
    )


def _check_encrypted(pem: bytes, uri: str) -> None:
    labels = [label.decode("ascii") for label in _PEM_BEGIN.findall(pem)]
    if labels == [LABEL]:
        return
    if any(label.endswith("PRIVATE KEY") and label != LABEL for label in labels):
        raise UsageError(
            f"key {uri} is a PEM {' and '.join(labels)}; allowed is one {LABEL} (PKCS #8)",
            remedy=f"encrypt it with {_ENCRYPT}, and destroy copies that are not encrypted",
        )
    raise UsageError(
        f"key {uri} is {'a PEM ' + ', '.join(labels[:3]) if labels else 'no PEM'}; "
        f"allowed is one {LABEL} (PKCS #8)",
        remedy="name the file that holds the CA's private key",
    )


def _decrypt(pem: bytes, passphrase: bytes, uri: str) -> PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, passphrase)
    except ValueError as error:
        raise UsageError(
            f"key {uri} does not open: wrong passphrase, a damaged file, or an unknown encryption",
            remedy="check the passphrase; if it is right, restore the file from its backup",
        ) from error
    except UnsupportedAlgorithm as error:
        raise _unsupported(uri, "of an unknown type") from error
    if not isinstance(key, PrivateKey):
        raise _unsupported(uri, "of a type that cannot sign certificates")
    try:
        description = describe_key(_spki_der(key))
    except RefusedError as error:
        raise _unsupported(uri, error.message) from error
    if description not in KEY_SPECS.values():
        raise _unsupported(uri, str(description))
    return key


def _unsupported(uri: str, seen: str) -> UsageError:
    return UsageError(
        f"key {uri} is {seen}; allowed are {', '.join(KEY_SPECS)}",
        remedy=f"make a key with gitca keys create, or encrypt it again with {_ENCRYPT}",
    )


def _ask(passphrase: Passphrase, purpose: str) -> bytes:
    return check_passphrase(passphrase(purpose), f"the passphrase for {purpose}")


def _sign(key: PrivateKey, message: bytes, algorithm: SignatureAlgorithm) -> bytes:
    """Return the raw signature of an algorithm that goes with the key."""
    if isinstance(key, rsa.RSAPrivateKey) and algorithm.padding and algorithm.hash:
        return key.sign(message, algorithm.padding, algorithm.hash)
    if isinstance(key, ec.EllipticCurvePrivateKey) and algorithm.hash:
        return key.sign(message, ec.ECDSA(algorithm.hash))
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return key.sign(message)
    raise UsageError(f"signature algorithm {algorithm.name} does not go with the key")


def _private_der(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _spki_der(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
