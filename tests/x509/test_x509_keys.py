"""Public keys: what is described, and which keys are refused whatever the policy says."""

import contextlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa, x25519
from hypothesis import given
from hypothesis import strategies as st
from x509_material import openssl, private_key, spki, spki_of

from gitca.x509 import der
from gitca.x509.key_usage import allowed_key_usage
from gitca.x509.keys import KEY_SPECS, KeyDescription, KeyRefusedError, describe_key

RSA_ENCRYPTION = der.algorithm_identifier("1.2.840.113549.1.1.1", der.NULL_DER)
MODULUS = private_key("RSA-2048").public_key().public_numbers().n


def rsa_spki(modulus: int, exponent: int, identifier: bytes = RSA_ENCRYPTION) -> bytes:
    key = der.sequence(der.integer(modulus), der.integer(exponent))
    return der.sequence(identifier, der.bit_string(key))


def refusal(spki_der: bytes) -> KeyRefusedError:
    with pytest.raises(KeyRefusedError) as caught:
        describe_key(spki_der)
    assert caught.value.message
    return caught.value


@pytest.mark.parametrize(
    "spec", [spec for spec in KEY_SPECS if spec not in ("RSA-3072", "RSA-4096")]
)
def test_a_key_is_described_as_its_spec_says(spec):
    assert describe_key(spki(spec)) == KEY_SPECS[spec]


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("RSA-2048", "RSA 2048"),
        ("P-521", "P-521"),
        ("Ed25519", "Ed25519"),
        ("ML-DSA-65", "ML-DSA-65"),
    ],
)
def test_a_description_reads_as_people_name_keys(spec, text):
    assert str(KEY_SPECS[spec]) == text


def test_a_weak_rsa_key_is_described_for_the_policy_to_refuse():
    key = rsa.generate_private_key(3, 1024)  # noqa: S505 - the weakness is the point
    assert describe_key(spki_of(key)) == KeyDescription("rsa", 1024, None, 3)


@pytest.mark.parametrize(
    ("spki_der", "rule"),
    [
        (rsa_spki(MODULUS, 65536), "key.rsa-exponent"),
        (rsa_spki(MODULUS, 1), "key.rsa-exponent"),
        (rsa_spki(MODULUS, -3), "key.rsa-exponent"),
        (rsa_spki(MODULUS, 2**256 + 1), "key.rsa-exponent"),
        (rsa_spki(MODULUS + 1, 65537), "key.rsa-modulus"),
        (rsa_spki(2**1023 - 1, 65537), "key.rsa-size"),
        (rsa_spki(2**16384 + 1, 65537), "key.rsa-size"),
        (rsa_spki(-MODULUS, 65537), "key.rsa-size"),
        (rsa_spki(0, 65537), "key.rsa-size"),
        (rsa_spki(MODULUS, 65537, der.algorithm_identifier("1.2.840.113549.1.1.1")), "key.type"),
        (rsa_spki(MODULUS, 65537, der.algorithm_identifier("1.2.840.113549.1.1.10")), "key.type"),
        (rsa_spki(MODULUS, 65537, der.algorithm_identifier("1.2.3.4")), "key.type"),
        (der.sequence(RSA_ENCRYPTION, der.bit_string(b"")), "key.malformed"),
        (der.sequence(RSA_ENCRYPTION), "key.malformed"),
        (b"", "key.malformed"),
        (b"\x30\x00", "key.malformed"),
        (spki("P-256")[:-1], "key.malformed"),
        (spki("P-256") + b"\x00", "key.malformed"),
        (spki("P-256")[:-1] + bytes([spki("P-256")[-1] ^ 1]), "key.malformed"),
        (spki("ML-DSA-44")[:-1], "key.malformed"),
    ],
)
def test_malformed_and_dangerous_keys_are_refused(spki_der, rule):
    assert refusal(spki_der).rule == rule


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (dsa.generate_private_key(2048), "DSA"),
        (ed448.Ed448PrivateKey.generate(), "Ed448"),
        (x25519.X25519PrivateKey.generate(), "X25519"),
    ],
)
def test_key_types_that_are_not_certified_are_named(key, name):
    refused = refusal(spki_of(key))
    assert refused.rule == "key.type"
    assert name in refused.message
    assert "P-256" in refused.remedy


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.SECP224R1(), ec.BrainpoolP256R1()])
def test_other_curves_are_refused_with_the_allowed_ones(curve):
    refused = refusal(spki_of(ec.generate_private_key(curve)))
    assert refused.rule == "key.curve"
    assert "P-256, P-384, P-521" in refused.message


def test_explicit_curve_parameters_are_refused(tmp_path):
    options = ["-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"]
    openssl("genpkey", "-algorithm", "EC", *options, "-out", tmp_path / "key.pem")
    openssl(
        "pkey",
        "-in",
        tmp_path / "key.pem",
        "-pubout",
        "-outform",
        "DER",
        "-out",
        tmp_path / "key.der",
    )
    assert refusal((tmp_path / "key.der").read_bytes()).rule == "key.explicit-parameters"


def test_a_compressed_point_is_refused():
    point = (
        private_key("P-256")
        .public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    )
    identifier_der, _ = der.parts(spki("P-256"))
    assert refusal(der.sequence(identifier_der, der.bit_string(point))).rule == "key.point-form"


@given(st.data())
def test_a_damaged_key_is_described_or_refused_and_nothing_else(data):
    octets = bytearray(spki(data.draw(st.sampled_from(["P-256", "RSA-2048", "Ed25519"]))))
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(KeyRefusedError):
        describe_key(bytes(octets))


@pytest.mark.parametrize("spec", ["P-256", "Ed25519", "ML-DSA-44"])
def test_only_rsa_keys_encipher_keys(spec):
    assert "keyEncipherment" in allowed_key_usage(KEY_SPECS["RSA-2048"])
    assert "keyEncipherment" not in allowed_key_usage(KEY_SPECS[spec])
    assert "digitalSignature" in allowed_key_usage(KEY_SPECS[spec])


def test_only_ec_keys_agree_on_keys():
    agreeing = {spec for spec, key in KEY_SPECS.items() if "keyAgreement" in allowed_key_usage(key)}
    assert agreeing == {"P-256", "P-384", "P-521"}
