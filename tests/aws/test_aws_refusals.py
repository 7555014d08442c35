"""The KMS of the tests refuses what AWS documents, by the documented name and HTTP status."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from kms_cases import Keys, refused

from aws.aws_server import AwsServer

SHA_256 = {"SigningAlgorithm": "ECDSA_SHA_256"}


@pytest.mark.parametrize("length", [0, 4097])
def test_a_message_has_from_1_to_4096_bytes(aws: AwsServer, keys: Keys, length: int) -> None:
    arn = keys.arn("ECC_NIST_P256")
    with refused("ValidationException", words="'message'"):
        aws.kms().sign(KeyId=arn, Message=bytes(length), **SHA_256)
    assert aws.kms().sign(KeyId=arn, Message=bytes(4096), **SHA_256)
    assert len(aws.signs()) == 1
    assert [entry["error"] for entry in aws.failures("Sign")] == ["ValidationException"]


@pytest.mark.parametrize(
    ("spec", "algorithm", "message_type", "length"),
    [
        ("ECC_NIST_P256", "ECDSA_SHA_256", "DIGEST", 31),
        ("ECC_NIST_P384", "ECDSA_SHA_384", "DIGEST", 32),
        ("RSA_2048", "RSASSA_PSS_SHA_512", "DIGEST", 4096),
        ("ML_DSA_65", "ML_DSA_SHAKE_256", "EXTERNAL_MU", 32),
        ("ML_DSA_65", "ML_DSA_SHAKE_256", "DIGEST", 64),
        ("ECC_NIST_P256", "ECDSA_SHA_256", "EXTERNAL_MU", 64),
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "DIGEST", 64),
        ("ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "RAW", 64),
        ("ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "DIGEST", 32),
    ],
)
def test_a_message_that_does_not_go_with_its_type_is_refused(
    aws: AwsServer, keys: Keys, spec: str, algorithm: str, message_type: str, length: int
) -> None:
    with refused("ValidationException"):
        aws.kms().sign(
            KeyId=keys.arn(spec),
            Message=bytes(length),
            MessageType=message_type,
            SigningAlgorithm=algorithm,
        )
    assert aws.signs() == []


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        ("ECC_NIST_P256", "ECDSA_SHA_384"),
        ("ECC_NIST_P521", "ECDSA_SHA_256"),
        ("RSA_2048", "ECDSA_SHA_256"),
        ("ML_DSA_44", "ED25519_SHA_512"),
    ],
)
def test_an_algorithm_of_another_kind_of_key_is_an_invalid_use(
    aws: AwsServer, keys: Keys, spec: str, algorithm: str
) -> None:
    with refused("InvalidKeyUsageException", words=spec):
        aws.kms().sign(KeyId=keys.arn(spec), Message=b"m", SigningAlgorithm=algorithm)


def test_an_algorithm_that_there_is_not_is_refused_with_those_there_are(
    aws: AwsServer, keys: Keys
) -> None:
    with refused("ValidationException", words="RSASSA_PSS_SHA_256"):
        aws.kms().sign(
            KeyId=keys.arn("RSA_2048"), Message=b"m", SigningAlgorithm="RSASSA_PSS_SHA_1"
        )


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "RSA_2048"])
def test_a_key_for_encryption_signs_nothing(aws: AwsServer, spec: str) -> None:
    kms = aws.kms()
    made = kms.create_key(KeySpec=spec, KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]
    assert "SigningAlgorithms" not in made
    with refused("InvalidKeyUsageException", words="ENCRYPT_DECRYPT"):
        kms.sign(KeyId=made["Arn"], Message=b"m", SigningAlgorithm="RSASSA_PSS_SHA_256")
    if spec == "SYMMETRIC_DEFAULT":
        with refused("UnsupportedOperationException"):
            kms.get_public_key(KeyId=made["Arn"])


@pytest.mark.parametrize(
    "name",
    [
        "alias/nobody",
        "00000000-0000-4000-8000-000000000000",
        "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000",
    ],
)
def test_a_key_that_there_is_not_is_not_found(aws: AwsServer, name: str) -> None:
    for ask in (
        lambda: aws.kms().sign(KeyId=name, Message=b"m", **SHA_256),
        lambda: aws.kms().get_public_key(KeyId=name),
        lambda: aws.kms().describe_key(KeyId=name),
    ):
        with refused("NotFoundException"):
            ask()


def test_a_dry_run_signs_nothing_and_says_whether_it_would(aws: AwsServer, keys: Keys) -> None:
    kms, arn = aws.kms(), keys.arn("ECC_NIST_P256")
    with refused("DryRunOperationException", status=412):
        kms.sign(KeyId=arn, Message=b"m", DryRun=True, **SHA_256)
    with refused("InvalidKeyUsageException"):
        kms.sign(KeyId=arn, Message=b"m", DryRun=True, SigningAlgorithm="ECDSA_SHA_384")
    aws.switch(deny=["Sign"])
    with refused("AccessDeniedException"):
        kms.sign(KeyId=arn, Message=b"m", DryRun=True, **SHA_256)
    assert aws.signs() == []


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"KeySpec": "ECC_NIST_P256"}, "KeyUsage"),
        ({"KeySpec": "RSA_1024", "KeyUsage": "SIGN_VERIFY"}, "ML_DSA_87"),
        ({"KeySpec": "ML_DSA_65", "KeyUsage": "ENCRYPT_DECRYPT"}, "ML_DSA_65"),
        ({"KeyUsage": "SIGN_VERIFY"}, "SYMMETRIC_DEFAULT"),
    ],
)
def test_a_key_with_a_usage_that_its_spec_has_not_is_not_made(
    aws: AwsServer, parameters: dict[str, str], words: str
) -> None:
    with refused("ValidationException", words=words):
        aws.kms().create_key(**parameters)


def test_a_request_without_a_signature_is_refused(aws: AwsServer) -> None:
    request = urllib.request.Request(
        aws.endpoint, data=b"{}", headers={"X-Amz-Target": "TrentService.ListKeys"}
    )
    with pytest.raises(urllib.error.HTTPError) as caught, urllib.request.urlopen(request):
        pass
    with caught.value as answer:
        assert json.load(answer)["__type"] == "MissingAuthenticationTokenException"
