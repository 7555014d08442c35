"""RSA keys with known weaknesses, made here, and CSRs that they sign.

No library makes such keys or loads their private halves, so the arithmetic is done here: the
signature of a CSR is EMSA-PKCS1-v1_5 (RFC 8017 section 9.2) raised to the private exponent.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files

import gmpy2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from gitca.x509 import der

BITS = 2048
HALF = BITS // 2
# Of a certificate in public logs (crt.sh 5534506057): one of its primes is in other keys as well.
SHARING = int.from_bytes(
    base64.b64decode(
        "tQS720djHoBY2eXEDsMNGi6GWY/B37TyGO6tAgQJnweAvk5ABi3AKaOJzHQLmqpkzzh92z2FHzZpKoOiy4Eq0tt4J"
        "20zgFPiYdAG5mffTcgtMhymCXBcAaUjuZCcyYIIDdENnaP3wTPo0FEdWozb0/4+SNJ1IhlwyQGUu77mAHgr3Q2j/G"
        "qY0RSIbikmgV7NUpf6PA8JAlm2+lQQj9YjurMI5K9BQZPRGm84E2nSe4zT2NkaKrzObH+mFd5dRlzi00FXaMF06Vi"
        "YiwKgW27ef1ZCD3Z0yFZ7uaNaGAnflsOUsoaMutSkQPs0JEAVmnVkjCfpTKylM9D/B0ZjutZspQ=="
    )
)


@dataclass(frozen=True)
class RsaKey:
    """An RSA key by its two primes."""

    p: int
    q: int
    e: int = 65537

    @property
    def n(self) -> int:
        return self.p * self.q

    @property
    def spki_der(self) -> bytes:
        return (
            RSAPublicNumbers(self.e, self.n)
            .public_key()
            .public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    def sign(self, message: bytes) -> bytes:
        size = (self.n.bit_length() + 7) // 8
        info = der.sequence(
            der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.1"), der.NULL_DER),
            bytes([der.OCTET_STRING, 32]) + hashlib.sha256(message).digest(),
        )
        padded = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
        private = pow(self.e, -1, (self.p - 1) * (self.q - 1))
        return pow(int.from_bytes(padded), private, self.n).to_bytes(size)

    def csr(self) -> bytes:
        """Return a CSR without names in DER."""
        info = der.sequence(der.integer(0), der.sequence(), self.spki_der, der.explicit(0))
        algorithm = der.sequence(der.object_identifier("1.2.840.113549.1.1.11"), der.NULL_DER)
        signature = b"\x00" + self.sign(info)
        length = len(signature)
        bits = bytes([der.BIT_STRING, 0x82, length >> 8, length & 0xFF]) + signature
        return der.sequence(info, algorithm, bits)


def prime(bits: int = HALF) -> int:
    """Return a random prime whose two highest bits are set."""
    return int(gmpy2.next_prime(secrets.randbits(bits) | 3 << (bits - 2)))


def sound() -> RsaKey:
    return RsaKey(prime(), prime())


def close_primes() -> RsaKey:
    p = prime()
    return RsaKey(p, int(gmpy2.next_prime(p + 2**40)))


def roca() -> RsaKey:
    """Return a key of primes k·M + (65537^a mod M), as the RSALib of CVE-2017-15361 made them."""
    primorial = 1
    factor = 1
    for _ in range(126):
        factor = int(gmpy2.next_prime(factor))
        primorial *= factor

    def one() -> int:
        while True:
            low = pow(65537, secrets.randbits(64), primorial)
            candidate = (3 << (HALF - 2)) // primorial * primorial + low
            candidate += secrets.randbits(HALF - 3) // primorial * primorial
            if candidate.bit_length() == HALF and gmpy2.is_prime(candidate):
                return int(candidate)

    return RsaKey(one(), one())


def small_factor() -> RsaKey:
    return RsaKey(prime(BITS - 14), 16381)


def shared_prime() -> RsaKey:
    """Return a new key on a prime that badkeys knows to be in several keys."""
    known = (files("badkeys.keydata") / f"primes{BITS}.dat").read_bytes()
    shared = int(gmpy2.gcd(SHARING, gmpy2.from_binary(known)))
    assert 1 < shared < SHARING
    while True:
        key = RsaKey(shared, prime())
        if key.n.bit_length() == BITS:
            return key


def few_bits() -> RsaKey:
    """Return a key of primes with seven random bits in every 32, as a broken generator made."""

    def one() -> int:
        words = sum(secrets.randbits(7) << 32 * place for place in range(HALF // 32 - 1))
        return int(gmpy2.next_prime(words | 3 << (HALF - 2)))

    return RsaKey(one(), one())


def beginning(head: bytes) -> RsaKey:
    """Return a key whose modulus begins with these bytes."""
    while True:
        p = prime()
        target = int.from_bytes(head) << (BITS - 8 * len(head)) | secrets.randbits(
            BITS - 8 * len(head)
        )
        q = int(gmpy2.next_prime(target // p))
        if (p * q).to_bytes(BITS // 8).startswith(head):
            return RsaKey(p, q)


def repeated_byte() -> RsaKey:
    return beginning(b"\xa5" * 20)


def biased() -> RsaKey:
    return beginning(b"\xfe\xfd" * 60)


def backdoor() -> RsaKey:
    """Return a key whose modulus is a command for the backdoor of xz: a·b + c is 1 (mod 2^64)."""
    encoded = b"\x00" + bytes([0x81]) + secrets.token_bytes(6)
    a, b = int.from_bytes(encoded[:4], "little"), int.from_bytes(encoded[4:], "little")
    c = (1 - a * b) % 2**64
    return beginning(encoded[1:] + c.to_bytes(8, "little"))


WEAK: Mapping[str, Callable[[], RsaKey]] = {
    "so close together": close_primes,
    "ROCA": roca,
    "prime factor of at most 65537": small_factor,
    "shares a prime": shared_prime,
    "pattern of a generator": few_bits,
    "repeats one byte": repeated_byte,
    "far more bits of one value": biased,
    "backdoor of xz": backdoor,
}
"""Makers of weak keys, by words of the finding."""


@functools.cache
def weak_key(words: str) -> RsaKey:
    return WEAK[words]()
