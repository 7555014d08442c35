"""Signers that do what real ones do at bad moments; each signs with a real key."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gitca.errors import BackendUnavailableError
from gitca.signers import Signature, Signer


@dataclass
class Around:
    """Another signer, in all that a class below does not say."""

    inner: Signer

    def public_key(self) -> bytes:
        return self.inner.public_key()

    def sign(self, message: bytes, signature_algorithm: str) -> Signature:
        return self.inner.sign(message, signature_algorithm)

    def longest_message(self, signature_algorithm: str) -> int | None:
        return self.inner.longest_message(signature_algorithm)

    def prove(self, signature_algorithm: str) -> str:
        return self.inner.prove(signature_algorithm)

    def describe(self) -> Mapping[str, str]:
        return self.inner.describe()

    def close(self) -> None:
        self.inner.close()


@dataclass
class Watched(Around):
    """Calls `before` with the message ahead of each signature, one at a time."""

    before: Callable[[bytes], None]
    signed: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def sign(self, message: bytes, signature_algorithm: str) -> Signature:
        with self.lock:
            self.before(message)
            signature = self.inner.sign(message, signature_algorithm)
            self.signed.append(message)
            return signature


def failing_after(inner: Signer, count: int) -> Watched:
    """Return a signer that goes out of reach after so many signatures."""

    def before(_: bytes) -> None:
        if len(watched.signed) >= count:
            raise BackendUnavailableError("the signer throttles")

    watched = Watched(inner, before)
    return watched


@dataclass
class Garbled(Around):
    """Gives signatures that are another key's, under its own name."""

    other: Signer

    def sign(self, message: bytes, signature_algorithm: str) -> Signature:
        return self.other.sign(message, signature_algorithm)
