"""Weak RSA keys: what the modulus and exponent alone betray, by the offline checks of badkeys.

badkeys is imported when the first RSA key is judged. Of its checks these are left out: the
blocklist of published private keys, which is a download of some hundred megabytes (a KeyBlocklist
refuses keys by name), sizes and exponents, which a policy says itself, and small private exponents
(Wiener), whose public exponents are longer than the 256 bits that `describe_key` takes. Elliptic
curve, EdDSA and ML-DSA keys show nothing that could be looked for.

Each key takes a bounded time, about 0.5 ms for 2048 bits and 4 ms for 16384. badkeys proves whether
the cofactor of a small factor is prime, which takes seconds for a modulus made for it; so small
factors are looked for here.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric import rsa

from gitca.x509.keys import load_public_key

_LARGEST_SMALL_PRIME = 65537  # as badkeys has it

_WEAKNESSES: Mapping[str, str] = MappingProxyType(
    {
        "fermat": "its two primes lie so close together that it is factored at once (Fermat)",
        "roca": "it was made by a chip or library with the ROCA flaw (CVE-2017-15361)",
        "sharedprimes": "it shares a prime with keys that are known to be broken",
        "rsapoly": "its modulus has the pattern of a generator whose keys are factored at once",
        "rsabias": "its modulus has far more bits of one value than chance gives",
        "pattern": "its modulus repeats one byte 16 times and more, as no sound generator does",
        "xzbackdoor": "its modulus carries a command for the backdoor of xz (CVE-2024-3094)",
    }
)
"""The checks of badkeys that are made, with what each finding means."""


def weaknesses(spki_der: bytes) -> tuple[str, ...]:
    """Return what is wrong with an RSA key, in words; nothing for a key of another type.

    Not found: keys that somebody has published (see KeyBlocklist), and any weakness that takes more
    than the public key to see. Raises: KeyRefusedError.
    """
    key = load_public_key(spki_der)
    if not isinstance(key, rsa.RSAPublicKey):
        return ()
    numbers = key.public_numbers()
    if math.gcd(_small_primes() % numbers.n, numbers.n) != 1:
        return (f"its modulus has a prime factor of at most {_LARGEST_SMALL_PRIME}",)
    from badkeys import checkrsa  # takes 45 ms to import

    found = checkrsa(numbers.n, e=numbers.e, checks=_WEAKNESSES)
    return tuple(_WEAKNESSES[check] for check in found)


@functools.cache
def _small_primes() -> int:
    """Return the product of the primes up to 65537, by the sieve of Eratosthenes."""
    sieve = bytearray([1]) * (_LARGEST_SMALL_PRIME + 1)
    for number in range(2, math.isqrt(_LARGEST_SMALL_PRIME) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(sieve[number * number :: number]))
    return math.prod(number for number in range(2, len(sieve)) if sieve[number])
