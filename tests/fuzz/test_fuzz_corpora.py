"""Every file of other projects' test data is read or refused, and their bad keys are told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import gitca_process
from ca_documents import GOVERNING
from ca_world import Clone, KeyRing
from corpora import CORPORA, files
from fuzz.targets import TARGETS
from gitca.x509 import der
from gitca.x509.keys import KeyRefusedError, describe_key
from gitca.x509.pem import PemError, pem_blocks
from gitca.x509.weak_keys import weaknesses

SLOWEST_SECONDS = 10.0
LEAST = {"badkeys": 60, "asn1crypto": 130, "oscrypto": 100, "tlslite": 40, "pyasn1": 250}

RSA_ENCRYPTION = der.algorithm_identifier("1.2.840.113549.1.1.1", der.NULL_DER)
# What badkeys' own tests say of the key, as gitca words it. None: sound keys, and those that only a
# list of published keys, or a proof that the modulus is prime, would tell.
BAD_KEYS = {
    "rsa-fermat-pkcs1.key": "so close together",
    "rsa-fermat-pkcs8.key": "so close together",
    "rsa-pattern.key": "repeats one byte",
    "rsa-roca.key": "ROCA",
    "rsa-sharedprimes.key": "shares a prime",
    "rsa-smallfactors-corrupt.key": "prime factor of at most",
    "rsa-smallfactors-valid.key": "prime factor of at most",
    "rsa-vanity.key": "far more bits of one value",
    "rsapoly128.key": "pattern of a generator",
    "rsapoly32.key": "pattern of a generator",
    "rsa-e1.key": "exponent is 1",
    "rsa-e-larger-n.key": "512 bits",
    "rsa-large-e.key": "exponent is of 1888 bits",
    "rsa-small-d.key": "exponent is of 2047 bits",
    "rsanzero.key": "0 bits",
    "rsazerozero.key": "0 bits",
    "ecdsa-explicit-pub.key": "spells out its curve's parameters",
    "dh-ok.key": "of a type or with parameters unknown here",
    "x448-ok.key": "X448",
    "unsupported/slhdsa.key": "of a type or with parameters unknown here",
    "unsupported/sm2-pub.key": "none of P-256",
    "rsa-ok.key": None,
    "ec-p256-rfc-example.key": None,
    "ed25519-rfc-example.key": None,
    "mldsa44.key": None,
    "rsa-debianweak.key": None,
    "rsa-nprime.key": None,
}


def variants(data: bytes) -> tuple[bytes, ...]:
    """Return a file as it is, and what its PEM blocks hold."""
    try:
        return (data, *(block.decode() for block in pem_blocks(data)))
    except PemError:
        return (data,)


@pytest.mark.parametrize("corpus", CORPORA)
def test_every_odd_file_is_read_or_refused(corpus: str) -> None:
    found = files(corpus)
    assert len(found) >= LEAST[corpus]
    for name, data in found.items():
        for variant in variants(data):
            for target in TARGETS.values():
                before = time.monotonic()
                target(variant)
                assert time.monotonic() - before < SLOWEST_SECONDS, name


def spki_of(data: bytes) -> bytes:
    """Return the key of a file as a SubjectPublicKeyInfo, of an RSAPublicKey or -PrivateKey too."""
    block = pem_blocks(data)[0]
    value = block.decode()
    if block.label == "RSA PRIVATE KEY":
        _, modulus, exponent, *_ = der.parts(value)
        value = der.sequence(modulus, exponent)
    if block.label.startswith("RSA "):
        value = der.sequence(RSA_ENCRYPTION, der.bit_string(value))
    return value


@pytest.mark.parametrize("name", BAD_KEYS)
def test_a_bad_key_is_refused_or_told_by_its_weakness(name: str) -> None:
    words = BAD_KEYS[name]
    try:
        spki = spki_of(files("badkeys")[name])
        describe_key(spki)
        found = weaknesses(spki)
    except KeyRefusedError as error:
        found = (error.message,)
    assert found == () if words is None else any(words in weakness for weakness in found)


def document(number: int) -> str:
    return (
        "apiVersion: gitca/v1\nkind: CertificateRequest\nmetadata: {owner: x}\nspec:\n"
        f"  policy: internal-server\n  sans: {{dns: [a{number}.example.internal]}}\n"
        f"  csrFile: odd{number}.csr\n"
    )


@pytest.mark.timeout(300)
def test_validate_says_something_of_every_odd_file_and_changes_none(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    """Each stands where a CSR should; validate reads them in one run, of bounded time."""
    odd = [data for corpus in CORPORA for data in files(corpus).values()]
    clone = Clone.create(tmp_path / "clone", key_ring, GOVERNING)
    below = clone.folder / "requests"
    below.mkdir()
    for number, data in enumerate(odd):
        (below / f"odd{number}.yaml").write_text(document(number))
        (below / f"odd{number}.csr").write_bytes(data)
        (below / f"raw{number}.yaml").write_bytes(data)
    before = {path: path.read_bytes() for path in clone.folder.rglob("*") if path.is_file()}
    started = time.monotonic()
    running = gitca_process.run(clone.folder, "validate")
    assert running.wait() == 1, running.words
    assert time.monotonic() - started < 120
    assert {path: path.read_bytes() for path in clone.folder.rglob("*") if path.is_file()} == before
    words = running.words
    for number in range(len(odd)):
        assert f"requests/raw{number}.yaml" in words
    named = [number for number in range(len(odd)) if f"requests/odd{number}." in words]
    assert len(named) > len(odd) - 20
