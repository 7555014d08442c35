"""Weak RSA keys: each weakness is seen in a key that has it, and no other key is suspected."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

from gitca.x509.keys import MAX_RSA_BITS
from gitca.x509.weak_keys import weaknesses
from weak_keys import BITS, WEAK, RsaKey, prime, sound, weak_key


@pytest.mark.parametrize("words", WEAK)
def test_a_weak_key_is_told_by_its_one_weakness(words: str) -> None:
    key = weak_key(words)
    assert BITS - 1 <= key.n.bit_length() <= BITS
    (found,) = weaknesses(key.spki_der)
    assert words in found


def spki(key: object) -> bytes:
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(*form)


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_a_sound_rsa_key_has_none(bits: int) -> None:
    assert weaknesses(spki(rsa.generate_private_key(65537, bits))) == ()


def test_a_sound_key_made_here_has_none() -> None:
    assert weaknesses(sound().spki_der) == ()


@pytest.mark.parametrize(
    "make",
    [
        lambda: ec.generate_private_key(ec.SECP256R1()),
        ed25519.Ed25519PrivateKey.generate,
        mldsa.MLDSA44PrivateKey.generate,
    ],
    ids=["P-256", "Ed25519", "ML-DSA-44"],
)
def test_keys_of_other_types_have_none_and_badkeys_is_not_imported(make) -> None:
    assert weaknesses(spki(make())) == ()


def test_badkeys_is_imported_for_rsa_keys_alone() -> None:
    program = (
        "import sys; from gitca.x509.weak_keys import weaknesses;"
        "weaknesses(bytes.fromhex(sys.argv[1])); print('badkeys' in sys.modules)"
    )

    def imports(spki_der: bytes) -> str:
        command = [sys.executable, "-c", program, spki_der.hex()]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert imports(spki(ec.generate_private_key(ec.SECP256R1()))) == "False"
    assert imports(sound().spki_der) == "True"


@pytest.mark.parametrize(
    "modulus",
    [
        3 * (2 ** (MAX_RSA_BITS - 2) + 1),
        2 ** (MAX_RSA_BITS - 1) + 1,
        2**MAX_RSA_BITS - 1,
        (2 ** (MAX_RSA_BITS // 2) - 1) ** 2,
    ],
    ids=["small factor", "few bits", "all bits", "square"],
)
def test_the_longest_and_oddest_modulus_takes_little_time(modulus: int) -> None:
    weaknesses(sound().spki_der)
    numbers = rsa.RSAPublicNumbers(2**255 + 1, modulus)
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    spki_der = numbers.public_key().public_bytes(*form)
    begin = time.process_time()
    assert weaknesses(spki_der) != ()
    assert time.process_time() - begin < 0.5


def test_a_modulus_that_is_a_square_is_weak() -> None:
    p = prime()
    (found,) = weaknesses(RsaKey(p, p).spki_der)
    assert "so close together" in found
