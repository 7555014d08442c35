"""The table of signature algorithms: identifiers, verification, and what goes with which key."""

from datetime import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from x509_material import KEY_OF_ALGORITHM, private_key, sign, spki

from gitca.x509 import der
from gitca.x509.algorithms import (
    SIGNATURE_ALGORITHMS,
    AlgorithmRefusedError,
    algorithm_identifier_der,
    algorithm_of,
    algorithms_for,
    check_algorithm,
    default_algorithm,
    verify,
)
from gitca.x509.keys import KEY_SPECS
from gitca.x509.placeholder import placeholder_signature

ALL = tuple(SIGNATURE_ALGORITHMS)
MESSAGE = b"the bytes that were judged"


def signed_by_cryptography(algorithm: str) -> bytes:
    row = SIGNATURE_ALGORITHMS[algorithm]
    key: Any = private_key(KEY_OF_ALGORITHM[algorithm])
    builder = (
        x509.CertificateBuilder(x509.Name([]), x509.Name([]), key.public_key(), 5)
        .not_valid_before(datetime(2026, 1, 1))  # noqa: DTZ001 - the builder takes UTC without saying so
        .not_valid_after(datetime(2027, 1, 1))  # noqa: DTZ001 - likewise
    )
    certificate = builder.sign(key, row.hash, rsa_padding=row.padding)
    return certificate.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("algorithm", ALL)
def test_the_identifier_is_the_one_that_cryptography_writes(algorithm):
    _, identifier_der, _ = der.parts(signed_by_cryptography(algorithm))
    assert algorithm_identifier_der(algorithm) == identifier_der
    assert algorithm_of(identifier_der).name == algorithm


@pytest.mark.parametrize("algorithm", ALL)
def test_a_signature_verifies_under_its_own_key_and_message_alone(algorithm):
    spec, row = KEY_OF_ALGORITHM[algorithm], SIGNATURE_ALGORITHMS[algorithm]
    signature = sign(private_key(spec), algorithm, MESSAGE)
    assert verify(spki(spec), row, signature=signature, message=MESSAGE)
    assert not verify(spki(spec, 2), row, signature=signature, message=MESSAGE)
    assert not verify(spki(spec), row, signature=signature, message=MESSAGE + b".")
    assert not verify(spki(spec), row, signature=signature[:-1], message=MESSAGE)
    assert not verify(spki(spec), row, signature=b"", message=MESSAGE)


@pytest.mark.parametrize("algorithm", ALL)
def test_a_signature_does_not_verify_as_one_of_another_algorithm(algorithm):
    spec = KEY_OF_ALGORITHM[algorithm]
    signature = sign(private_key(spec), algorithm, MESSAGE)
    for other, row in SIGNATURE_ALGORITHMS.items():
        verified = verify(spki(spec), row, signature=signature, message=MESSAGE)
        assert verified == (other == algorithm)


@pytest.mark.parametrize("algorithm", ALL)
def test_a_placeholder_verifies_under_no_key_and_has_the_length_of_a_signature(algorithm):
    spec, row = KEY_OF_ALGORITHM[algorithm], SIGNATURE_ALGORITHMS[algorithm]
    placeholder = placeholder_signature(algorithm)
    assert not verify(spki(spec), row, signature=placeholder, message=MESSAGE)
    if row.key_type != "ecdsa":
        assert len(placeholder) == len(sign(private_key(spec), algorithm, MESSAGE))


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        ("RSA-2048", "rsa-pkcs1-sha256"),
        ("P-256", "ecdsa-sha256"),
        ("P-384", "ecdsa-sha384"),
        ("P-521", "ecdsa-sha512"),
        ("Ed25519", "ed25519"),
        ("ML-DSA-44", "ml-dsa-44"),
        ("ML-DSA-65", "ml-dsa-65"),
        ("ML-DSA-87", "ml-dsa-87"),
    ],
)
def test_each_key_has_its_usual_algorithm(spec, algorithm):
    assert default_algorithm(spki(spec)) == algorithm
    check_algorithm(spki(spec), algorithm)


@pytest.mark.parametrize("spec", KEY_SPECS)
def test_the_algorithms_of_a_key_are_those_of_its_type(spec):
    key = KEY_SPECS[spec]
    assert {SIGNATURE_ALGORITHMS[name].key_type for name in algorithms_for(key)} == {key.type}


def test_an_algorithm_that_does_not_go_with_the_key_is_refused_with_those_that_do():
    with pytest.raises(AlgorithmRefusedError, match=r"P-384.*signs with ecdsa-sha384") as caught:
        check_algorithm(spki("P-384"), "ecdsa-sha256")
    assert caught.value.rule == "signature.algorithm-key"
    with pytest.raises(AlgorithmRefusedError):
        check_algorithm(spki("ML-DSA-44"), "ml-dsa-65")
    check_algorithm(spki("RSA-2048"), "rsa-pss-sha512")


def test_an_unknown_algorithm_is_refused_with_the_known_ones():
    with pytest.raises(AlgorithmRefusedError, match=r"ecdsa-sha256.*ml-dsa-87"):
        algorithm_identifier_der("sha1WithRSAEncryption")
    with pytest.raises(AlgorithmRefusedError):
        check_algorithm(spki("P-256"), "ecdsa-sha1")


def test_the_right_oid_with_other_parameters_is_not_in_the_table():
    pkcs1_without_null = der.algorithm_identifier("1.2.840.113549.1.1.11")
    ecdsa_with_null = der.algorithm_identifier("1.2.840.10045.4.3.2", der.NULL_DER)
    pss_of_sha1 = der.algorithm_identifier("1.2.840.113549.1.1.10", der.sequence())
    for identifier_der in (pkcs1_without_null, ecdsa_with_null, pss_of_sha1, b"", b"\x30"):
        with pytest.raises(AlgorithmRefusedError):
            algorithm_of(identifier_der)
