"""The `pkcs11:` signer: a key in a token, by RFC 7512 URI. docs/pkcs11.md is for who runs one.

Nothing is loaded before the machine's environment was seen to list the module, and no PIN is asked
for before the token was found. A module that hangs, as one does whose network HSM does not answer,
holds up the thread that called it: PKCS #11 has no timeouts, they are the module's to configure.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gitca.documents.pkcs11_uri import Pkcs11Uri, Pkcs11UriError, parse_pkcs11_uri
from gitca.errors import BackendUnavailableError, UsageError
from gitca.signers import KeyOptions, KeyUnsuitableError, Passphrase, Signature
from gitca.signers.pkcs11_creation import PRIVATE, check_spec, make_key
from gitca.signers.pkcs11_errors import told, told_of_signing
from gitca.signers.pkcs11_mechanisms import Mechanism, mechanisms_for
from gitca.signers.pkcs11_module import find_module, load_module
from gitca.signers.pkcs11_objects import TokenKey, private_objects, read_key
from gitca.signers.pkcs11_token import Token, open_token
from gitca.x509.algorithms import SIGNATURE_ALGORITHMS, SignatureAlgorithm, check_algorithm
from gitca.x509.refusal import RefusedError

if TYPE_CHECKING:
    import pkcs11


class Pkcs11Signer:
    """A `Signer` of one key of a token that this process is logged in to."""

    def __init__(self, where: str, token: Token, key: TokenKey) -> None:
        self._where = where
        self._token = token
        self._key = key
        self._name = _key_name(token, key)
        self._closing = threading.Lock()
        self._is_closed = False
        # Objects of python-pkcs11 belong to a session; each session finds the key once.
        self._found: dict[int, tuple[pkcs11.Session, Any]] = {}

    def public_key(self) -> bytes:
        """Return the DER SubjectPublicKeyInfo, as read when the key was opened."""
        return self._key.spki_der

    def sign(self, message: bytes, signature_algorithm: str) -> Signature:
        """Return the signature over a message.

        Raises: UsageError; KeyUnsuitableError; BackendUnavailableError, as UnansweredError where
        the token may have used the key.
        """
        self._check_open()
        mechanism = self._mechanism(self._row(signature_algorithm))
        prepared, options = mechanism.prepare(message), self._options(mechanism)
        with told(self._where), self._token.session() as session:
            key = self._key_of(session)
            with told_of_signing(self._where, self._name):
                raw = key.sign(prepared, **options)
        return Signature(mechanism.finish(bytes(raw)), key=self._name)

    def longest_message(self, _signature_algorithm: str) -> None:
        """Return None: messages are hashed here, and where they are not, tokens state no limit."""

    def prove(self, signature_algorithm: str) -> str:
        """Return that the token took the PIN, and what it and the key say they may do.

        Raises: UsageError; KeyUnsuitableError; BackendUnavailableError.
        """
        self._check_open()
        mechanism = self._mechanism(self._row(signature_algorithm))
        with told(self._where), self._token.session() as session:
            self._key_of(session)
        return (
            f"{self._token.name} is logged in to; the key may sign (CKA_SIGN), and the token does "
            f"CKM_{mechanism.name}"
        )

    def describe(self) -> Mapping[str, str]:
        """Return the token, and the key's label, id and how it is kept."""
        found, key = self._token.found, self._key
        words = {True: "yes", False: "no", None: "not told"}
        return {
            "kept": "in a PKCS #11 token",
            "token": found.label,
            "serial": found.serial.decode("ascii", "replace").strip("\0 "),
            "model": found.model,
            "manufacturer": found.manufacturer_id,
            "object": key.label,
            "id": key.id.hex(),
            **{name: words[value] for name, value in key.flags.items()},
        }

    def close(self) -> None:
        """Let go of the token; the last signer logs out."""
        with self._closing:
            was_closed, self._is_closed = self._is_closed, True
        if not was_closed:
            self._found.clear()
            self._token.release()

    def _check_open(self) -> None:
        if self._is_closed:
            raise UsageError(f"{self._where} is closed", remedy="open it again")

    def _row(self, name: str) -> SignatureAlgorithm:
        try:
            check_algorithm(self._key.spki_der, name)
        except RefusedError as error:
            raise UsageError(f"{self._where}: {error.message}", remedy=error.remedy) from error
        return SIGNATURE_ALGORITHMS[name]

    def _mechanism(self, row: SignatureAlgorithm) -> Mechanism:
        from pkcs11 import Mechanism as Numbers

        with told(self._where):
            offered = self._token.mechanisms()
        ways = mechanisms_for(row)
        for way in ways:
            if int(Numbers[way.name]) in offered:
                return way
        names = " and no ".join(f"CKM_{way.name}" for way in ways)
        raise KeyUnsuitableError(
            f"{self._where}: {self._token.name} does not sign with {row.name}"
            + (f": it has no {names}" if names else ", which gitca does in no token"),
            remedy="choose another signatureAlgorithm, or a key of another kind",
        )

    def _options(self, mechanism: Mechanism) -> Mapping[str, Any]:
        from pkcs11 import Mechanism as Numbers

        options = {"mechanism": Numbers[mechanism.name], "mechanism_param": mechanism.parameter()}
        return {**options, "pin": self._token.pin} if self._key.wants_pin else options

    def _key_of(self, session: pkcs11.Session) -> Any:
        holder, key = self._found.get(session.handle, (None, None))
        if holder is session:
            return key
        found = private_objects(session, self._key.label or None, self._key.id or None)
        if len(found) != 1:
            raise BackendUnavailableError(
                f"{self._where} was one key when it was opened; the token now has {len(found)}",
                remedy="see who changed the token, and run again",
            )
        self._found[session.handle] = (session, found[0])
        return found[0]


def _key_name(token: Token, key: TokenKey) -> str:
    """Return the URI that names the key and nothing of this machine (RFC 7512)."""
    parts = {
        "token": token.found.label.encode(),
        "serial": token.found.serial.strip(b"\0 "),
        "object": key.label.encode(),
        "id": key.id,
    }
    named = (f"{name}={quote(value, safe='')}" for name, value in parts.items() if value)
    return f"pkcs11:{';'.join(named)}"


def open_signer(uri: str, *, base: Path, passphrase: Passphrase, pin: Passphrase) -> Pkcs11Signer:
    """Return the signer of a key in a token.

    `pin` is asked where the URI has no pin-source, once for each token.
    Raises: KeyAbsentError when module, token or key are not at this machine; UsageError for a
    malformed URI, a module that is not listed, a PIN that is refused, and two keys or tokens that
    the URI does not tell apart; KeyUnsuitableError; BackendUnavailableError.
    """
    parsed, where = _parsed(uri), f"key {uri}"
    token = _token(parsed, where, base=base, pin=pin)
    try:
        with told(where), token.session() as session:
            key = read_key(session, parsed, where)
        if key.wants_pin and token.pin is None:
            raise KeyUnsuitableError(
                f"{where} wants a PIN with each signature, on a pad that nobody watches",
                remedy="use a key without CKA_ALWAYS_AUTHENTICATE",
            )
        return Pkcs11Signer(where, token, key)
    except BaseException:
        token.release()
        raise


def create_key(
    uri: str,
    spec: str,
    *,
    base: Path,
    passphrase: Passphrase,
    pin: Passphrase,
    options: KeyOptions,
) -> bytes:
    """Make a key in a token and return its SPKI in DER.

    The private key is sensitive, not extractable, and signs only. Its label is the URI's `object`;
    its id the URI's, or 16 random octets.
    Raises: UsageError for an unknown spec, one that the token does not make, and when it has a key
    of that label or id; BackendUnavailableError.
    """
    parsed, where = _parsed(uri), f"key {uri}"
    preview_key(uri, spec, options=options)
    token = _token(parsed, where, base=base, pin=pin)
    try:
        with told(where):
            return make_key(token, parsed, spec, where)
    finally:
        token.release()


def preview_key(uri: str, spec: str, *, options: KeyOptions) -> Mapping[str, object]:
    """Return what `create_key` would make. Raises: UsageError."""
    parsed = _parsed(uri)
    check_spec(spec)
    if options != KeyOptions():
        raise UsageError(
            f"key {uri} is in a token, which has neither regions nor roles",
            remedy="leave these options out; they are AWS KMS's",
        )
    return {
        "signer": uri,
        "spec": spec,
        "kept": "in a PKCS #11 token",
        "object": parsed.object or "",
        "id": parsed.id.hex() if parsed.id else "16 random octets",
        "attributes": {f"CKA_{name}": value for name, value in PRIVATE.items()},
    }


def _parsed(uri: str) -> Pkcs11Uri:
    try:
        return parse_pkcs11_uri(uri)
    except Pkcs11UriError as error:
        raise UsageError(error.message, remedy=error.remedy) from error


def _token(parsed: Pkcs11Uri, where: str, *, base: Path, pin: Passphrase) -> Token:
    module = load_module(find_module(parsed, os.environ, base))
    return open_token(module, parsed, where=where, base=base, pin=pin)
