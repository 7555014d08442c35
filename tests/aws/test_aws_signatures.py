"""The KMS of the tests signs as AWS documents; judged by openssl, dilithium-py and RFC 8032."""

from __future__ import annotations

import hashlib
from pathlib import Path

import ed25519ph
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from kms_cases import MESSAGE, SIGNATURES, Keys, reduced, refused

from aws.aws_server import AwsServer
from signers.signature_judges import verifies


@pytest.mark.parametrize(("spec", "algorithm", "name"), SIGNATURES)
def test_a_signature_over_a_raw_message_is_valid(
    aws: AwsServer, keys: Keys, tmp_path: Path, spec: str, algorithm: str, name: str
) -> None:
    kms, arn = aws.kms(), keys.arn(spec)
    public = kms.get_public_key(KeyId=arn)
    assert public["KeyId"] == arn
    assert public["KeySpec"] == spec
    assert algorithm in public["SigningAlgorithms"]
    answer = kms.sign(KeyId=arn, Message=MESSAGE, SigningAlgorithm=algorithm)
    assert (answer["KeyId"], answer["SigningAlgorithm"]) == (arn, algorithm)
    spki_der, signature = public["PublicKey"], answer["Signature"]
    assert verifies(spki_der, signature, MESSAGE, algorithm=name, folder=tmp_path)
    assert not verifies(spki_der, signature, MESSAGE + b"!", algorithm=name, folder=tmp_path)


@pytest.mark.parametrize(
    ("spec", "algorithm", "name"), [case for case in SIGNATURES if case[2] != "ed25519"]
)
def test_a_signature_over_a_digest_or_mu_is_one_over_the_message(
    aws: AwsServer, keys: Keys, tmp_path: Path, spec: str, algorithm: str, name: str
) -> None:
    kms, arn = aws.kms(), keys.arn(spec)
    spki_der = kms.get_public_key(KeyId=arn)["PublicKey"]
    message_type, message = reduced(spec, algorithm, spki_der)
    named = {"KeyId": arn, "SigningAlgorithm": algorithm}
    signature = kms.sign(**named, Message=message, MessageType=message_type)["Signature"]
    assert verifies(spki_der, signature, MESSAGE, algorithm=name, folder=tmp_path)
    # A digest given as RAW is hashed again, and so is a signature over something else.
    twice = kms.sign(**named, Message=message, MessageType="RAW")["Signature"]
    assert not verifies(spki_der, twice, MESSAGE, algorithm=name, folder=tmp_path)


@pytest.mark.parametrize("spec", ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"])
def test_a_signature_over_a_mu_is_valid_for_cryptography_too(
    aws: AwsServer, keys: Keys, spec: str
) -> None:
    kms, arn = aws.kms(), keys.arn(spec)
    spki_der = kms.get_public_key(KeyId=arn)["PublicKey"]
    message_type, message = reduced(spec, "ML_DSA_SHAKE_256", spki_der)
    answer = kms.sign(
        KeyId=arn, Message=message, MessageType=message_type, SigningAlgorithm="ML_DSA_SHAKE_256"
    )
    load_der_public_key(spki_der).verify(answer["Signature"], MESSAGE)


def test_prehashed_ed25519_is_that_of_the_rfc() -> None:
    # RFC 8032 section 7.3, the vector for "abc".
    seed = bytes.fromhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")
    public = bytes.fromhex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf")
    signature = bytes.fromhex(
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
        "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
    )
    assert ed25519ph.sign(seed, b"abc") == signature
    assert ed25519ph.is_valid(public, b"abc", signature)
    assert not ed25519ph.is_valid(public, b"abd", signature)


def test_a_prehashed_ed25519_signature_hashes_the_digest_once_more(
    aws: AwsServer, keys: Keys
) -> None:
    kms, arn = aws.kms(), keys.arn("ECC_NIST_EDWARDS25519")
    digest = hashlib.sha512(MESSAGE).digest()
    named = {"KeyId": arn, "SigningAlgorithm": "ED25519_PH_SHA_512", "MessageType": "DIGEST"}
    signature = kms.sign(**named, Message=digest)["Signature"]
    raw_key = kms.get_public_key(KeyId=arn)["PublicKey"][-32:]
    assert ed25519ph.is_valid(raw_key, digest, signature)
    assert not ed25519ph.is_valid(raw_key, MESSAGE, signature)


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [(spec, algorithm) for spec, algorithm, _ in SIGNATURES if spec != "RSA_4096"],
)
def test_verify_accepts_what_sign_made_and_nothing_else(
    aws: AwsServer, keys: Keys, spec: str, algorithm: str
) -> None:
    kms, named = aws.kms(), {"KeyId": keys.arn(spec), "SigningAlgorithm": algorithm}
    signature = kms.sign(**named, Message=MESSAGE)["Signature"]
    assert kms.verify(**named, Message=MESSAGE, Signature=signature)["SignatureValid"] is True
    with refused("KMSInvalidSignatureException"):
        kms.verify(**named, Message=MESSAGE[1:], Signature=signature)


def test_every_signature_is_in_the_log_with_its_request(aws: AwsServer, keys: Keys) -> None:
    kms, arn = aws.kms(), keys.arn("ECC_NIST_P256")
    answers = [
        kms.sign(KeyId=arn, Message=message, SigningAlgorithm="ECDSA_SHA_256")
        for message in (b"one", b"two", b"two")
    ]
    made = aws.signs()
    assert [entry["request_id"] for entry in made] == [
        answer["ResponseMetadata"]["RequestId"] for answer in answers
    ]
    assert [entry["digest"] for entry in made] == [
        hashlib.sha256(message).hexdigest() for message in (b"one", b"two", b"two")
    ]
    assert len({entry["signature"] for entry in made}) == 3
    assert {(entry["key"], entry["message_type"], entry["outcome"]) for entry in made} == {
        (arn, "RAW", "answered")
    }
    assert aws.failures() == []
    aws.clear_log()
    assert aws.signs() == []
