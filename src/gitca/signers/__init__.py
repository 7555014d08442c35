"""Signers: bytes in, signature out. The protocol, and the table of URI schemes.

A signer URI is what `spec.key` of a CertificateAuthority names. A backend is a module with two
functions, and is imported when a URI of its scheme is opened, so that nobody waits for libraries
that they do not use. A new one is a file in this folder and a line in `SCHEMES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from gitca.errors import UsageError

Passphrase = Callable[[str], bytes]
"""Gives the passphrase for a purpose (`key file:keys/root.pem`); asked for only when needed."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,30}")  # RFC 3986 section 3.1, in lower case


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, and what the ledger keeps of how it was made.

    `value` is what the BIT STRING of a certificate holds (ECDSA: the DER of RFC 3279 section
    2.2.3). `key` is the key's own identifier at the backend, and `request_id` the backend's name
    for this one use of the key, where it has one.
    """

    value: bytes
    key: str
    request_id: str | None = None


class Signer(Protocol):
    """One private key, wherever it lies, and nothing but its public half and its signatures.

    *Durability.* The key is there before a signer exists; signing changes nothing at the backend,
    and a signature is lost unless the caller keeps it.

    *Idempotence.* `public_key` gives the same bytes for as long as the key exists. `sign` does not:
    ECDSA, RSASSA-PSS and ML-DSA signatures differ from call to call over the same bytes, so a
    repeated call makes a second, equally valid signature.

    *Retry.* Every call may be repeated after BackendUnavailableError. An answer that got lost may
    have been a use of the key that the backend's own log shows; the caller records one signature
    as the order's and counts the others as spent.

    *Threads.* `public_key` and `sign` may be called from many threads at once.
    """

    def public_key(self) -> bytes:
        """Return the DER SubjectPublicKeyInfo. Raises: BackendUnavailableError."""
        ...

    def sign(self, message: bytes, signature_algorithm: str) -> Signature:
        """Return the signature over a whole message of any length, made with a named algorithm.

        Says nothing of what the message is: that it is a recorded order is the caller's to know.
        Raises: UsageError when the algorithm is unknown or does not go with the key, or the signer
        is closed; BackendUnavailableError when the key is out of reach.
        """
        ...

    def close(self) -> None:
        """Let go of the key and of connections; closing twice is allowed."""
        ...


class Backend(Protocol):
    """What a module in this folder offers for its scheme. URIs come with their scheme."""

    def open_signer(self, uri: str, *, base: Path, passphrase: Passphrase) -> Signer:
        """Return the signer of an existing key."""
        ...

    def create_key(self, uri: str, spec: str, *, base: Path, passphrase: Passphrase) -> bytes:
        """Make a key and return its DER SubjectPublicKeyInfo."""
        ...


def _file() -> Backend:
    from gitca.signers import file

    return file


SCHEMES: Mapping[str, Callable[[], Backend]] = MappingProxyType({"file": _file})


def open_signer(uri: str, *, base: Path, passphrase: Passphrase) -> Signer:
    """Return the signer that a URI names; `base` is the root of the CA repository.

    Raises: UsageError for an unknown scheme, a URI or a key that the backend refuses, and a wrong
    passphrase; BackendUnavailableError when the key is not here or does not answer.
    """
    return _backend(uri).open_signer(uri, base=base, passphrase=passphrase)


def create_key(uri: str, spec: str, *, base: Path, passphrase: Passphrase) -> bytes:
    """Make a key where a URI says and return its DER SubjectPublicKeyInfo; durable on return.

    `spec` is a name in `gitca.x509.keys.KEY_SPECS`. Never replaces a key.
    Raises: UsageError, also when there is a key already; BackendUnavailableError.
    """
    return _backend(uri).create_key(uri, spec, base=base, passphrase=passphrase)


def _backend(uri: str) -> Backend:
    scheme, colon, _ = uri.partition(":")
    backend = SCHEMES.get(scheme) if colon else None
    if backend is None:
        # Only a well-formed scheme is repeated: the rest of a URI may hold a PIN.
        seen = f"scheme {scheme!r}" if colon and _SCHEME.fullmatch(scheme) else "no scheme"
        raise UsageError(
            f"signer URI with {seen}; allowed are {', '.join(f'{name}:' for name in SCHEMES)}",
            remedy="set spec.key of the CertificateAuthority to such a URI",
        )
    return backend()
