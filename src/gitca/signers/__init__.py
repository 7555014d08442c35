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

from gitca.errors import BackendUnavailableError, UsageError

Passphrase = Callable[[str], bytes]
"""Gives the secret for a purpose (`key file:keys/root.pem`); asked for only when needed."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,30}")  # RFC 3986 section 3.1, in lower case


class KeyAbsentError(BackendUnavailableError):
    """The key is not at this machine: there is no such file, module or token here.

    Running again changes nothing; running where the key is does. That is how an offline root is
    told from an outage.
    """


class KeyUnsuitableError(UsageError):
    """The key is there and cannot be a CA's: its usage, state, kind or permissions forbid it."""


@dataclass(frozen=True, slots=True)
class Use:
    """A use of a key that the backend may have made and whose answer never came.

    `request_id` is the backend's name for it, where that much was heard.
    """

    key: str
    request_id: str | None = None


class UnansweredError(BackendUnavailableError):
    """No signature came back; `uses` are the calls that may have made one all the same."""

    def __init__(self, message: str, *, remedy: str = "", uses: tuple[Use, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.uses = uses


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, and what the ledger keeps of how it was made.

    `value` is what the BIT STRING of a certificate holds (ECDSA: the DER of RFC 3279 section
    2.2.3). `key` is the key's own identifier at the backend, and `request_id` the backend's name
    for this one use of the key, where it has one. `unanswered` are the uses that came before it,
    when a call had to be repeated.
    """

    value: bytes
    key: str
    request_id: str | None = None
    unanswered: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """How a new key is to be kept, where the backend has a say in it (AWS KMS).

    `signing_roles` and `admin_roles` are principals (ARNs) that may sign with it and manage it.
    """

    multi_region: bool = False
    signing_roles: tuple[str, ...] = ()
    admin_roles: tuple[str, ...] = ()


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

    Opening one has found the key and seen that it may sign (its usage, state and kind), so that
    nothing is ordered of a key that never could.
    """

    def public_key(self) -> bytes:
        """Return the DER SubjectPublicKeyInfo. Raises: BackendUnavailableError."""
        ...

    def sign(self, message: bytes, signature_algorithm: str) -> Signature:
        """Return the signature over a whole message of any length, made with a named algorithm.

        Says nothing of what the message is: that it is a recorded order is the caller's to know.
        Raises: UsageError when the algorithm is unknown or does not go with the key, or the signer
        is closed, or the message is above `longest_message`; BackendUnavailableError when the key
        is out of reach, as UnansweredError where it may have been used all the same.
        """
        ...

    def longest_message(self, signature_algorithm: str) -> int | None:
        """Return how many octets the backend signs with an algorithm at most; None for any."""
        ...

    def prove(self, signature_algorithm: str) -> str:
        """Return in words what shows, without a signature, that `sign` would be allowed now.

        Raises: KeyUnsuitableError when it would not; UsageError; BackendUnavailableError.
        """
        ...

    def describe(self) -> Mapping[str, str]:
        """Return what the backend says of the key, by name, for a person; no secret."""
        ...

    def close(self) -> None:
        """Let go of the key and of connections; closing twice is allowed."""
        ...


class Backend(Protocol):
    """What a module in this folder offers for its scheme. URIs come with their scheme."""

    def open_signer(
        self, uri: str, *, base: Path, passphrase: Passphrase, pin: Passphrase
    ) -> Signer:
        """Return the signer of an existing key."""
        ...

    def create_key(
        self,
        uri: str,
        spec: str,
        *,
        base: Path,
        passphrase: Passphrase,
        pin: Passphrase,
        options: KeyOptions,
    ) -> bytes:
        """Make a key and return its DER SubjectPublicKeyInfo."""
        ...

    def preview_key(self, uri: str, spec: str, *, options: KeyOptions) -> Mapping[str, object]:
        """Return what `create_key` would make, as JSON values, and do nothing."""
        ...


def _file() -> Backend:
    from gitca.signers import file

    return file


def _aws_kms() -> Backend:
    from gitca.signers import aws_kms

    return aws_kms


def _pkcs11() -> Backend:
    from gitca.signers import pkcs11_signer

    return pkcs11_signer


SCHEMES: Mapping[str, Callable[[], Backend]] = MappingProxyType(
    {"file": _file, "awskms": _aws_kms, "pkcs11": _pkcs11}
)


def no_pin(purpose: str) -> bytes:
    """Refuse to give a PIN, where a caller has none. Raises: UsageError."""
    raise UsageError(f"no PIN for {purpose}", remedy="run this where a PIN can be asked for")


def open_signer(
    uri: str, *, base: Path, passphrase: Passphrase, pin: Passphrase = no_pin
) -> Signer:
    """Return the signer that a URI names; `base` is the root of the CA repository.

    `passphrase` opens encrypted files, `pin` logs in to tokens.
    Raises: UsageError for an unknown scheme, a URI that the backend refuses, and a wrong passphrase
    or PIN; KeyUnsuitableError for a key that cannot sign; KeyAbsentError when it is not at this
    machine, BackendUnavailableError when it does not answer.
    """
    return _backend(uri).open_signer(uri, base=base, passphrase=passphrase, pin=pin)


def create_key(
    uri: str,
    spec: str,
    *,
    base: Path,
    passphrase: Passphrase,
    pin: Passphrase = no_pin,
    options: KeyOptions | None = None,
) -> bytes:
    """Make a key where a URI says and return its DER SubjectPublicKeyInfo; durable on return.

    `spec` is a name in `gitca.x509.keys.KEY_SPECS`. Never replaces a key.
    Raises: UsageError, also when there is a key already, and for options that the backend does not
    have; BackendUnavailableError.
    """
    backend, chosen = _backend(uri), options or KeyOptions()
    return backend.create_key(uri, spec, base=base, passphrase=passphrase, pin=pin, options=chosen)


def preview_key(uri: str, spec: str, *, options: KeyOptions | None = None) -> Mapping[str, object]:
    """Return what `create_key` would make, as JSON values; nothing is made and nobody is asked.

    Raises: UsageError.
    """
    return _backend(uri).preview_key(uri, spec, options=options or KeyOptions())


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
