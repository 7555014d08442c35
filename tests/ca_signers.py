"""Signers that do what real ones do at bad moments; each signs with a real key."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from gitca.errors import BackendUnavailableError
from gitca.signers import Signature, Signer


@dataclass
class Watched:
    """Calls `before` with the message ahead of each signature, one at a time."""

    inner: Signer
    before: Callable[[bytes], None]
    signed: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def public_key(self) -> bytes:
        return self.inner.public_key()

    def sign(self, message: bytes, signature_algorithm: str) -> Signature:
        with self.lock:
            self.before(message)
            signature = self.inner.sign(message, signature_algorithm)
            self.signed.append(message)
            return signature

    def close(self) -> None:
        self.inner.close()


def failing_after(inner: Signer, count: int) -> Watched:
    """Return a signer that goes out of reach after so many signatures."""

    def before(_: bytes) -> None:
        if len(watched.signed) >= count:
            raise BackendUnavailableError("the signer throttles")

    watched = Watched(inner, before)
    return watched


@dataclass
class Garbled:
    """Gives signatures that are another key's, under its own name."""

    own: Signer
    other: Signer

    def public_key(self) -> bytes:
        return self.own.public_key()

    def sign(self, message: bytes, signature_algorithm: str) -> Signature:
        return self.other.sign(message, signature_algorithm)

    def close(self) -> None:
        self.own.close()
