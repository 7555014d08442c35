"""What the tests of this KMS ask of it: every spec, algorithm and message type, and refusals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws.aws_server import AwsServer

MESSAGE = b"a to-be-signed certificate, say" * 40
# AWS KMS Developer Guide, "Key spec reference": spec, what it signs with, gitca's name of that.
SIGNATURES = [
    *[
        (f"RSA_{bits}", f"RSASSA_{kms}_SHA_{digest}", f"rsa-{name}-sha{digest}")
        for bits in (2048, 3072, 4096)
        for kms, name in (("PKCS1_V1_5", "pkcs1"), ("PSS", "pss"))
        for digest in (256, 384, 512)
    ],
    ("ECC_NIST_P256", "ECDSA_SHA_256", "ecdsa-sha256"),
    ("ECC_NIST_P384", "ECDSA_SHA_384", "ecdsa-sha384"),
    ("ECC_NIST_P521", "ECDSA_SHA_512", "ecdsa-sha512"),
    ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "ed25519"),
    ("ML_DSA_44", "ML_DSA_SHAKE_256", "ml-dsa-44"),
    ("ML_DSA_65", "ML_DSA_SHAKE_256", "ml-dsa-65"),
    ("ML_DSA_87", "ML_DSA_SHAKE_256", "ml-dsa-87"),
]
_ML_DSA_KEY_LENGTH = {"ML_DSA_44": 1312, "ML_DSA_65": 1952, "ML_DSA_87": 2592}


@dataclass(frozen=True)
class Keys:
    """One key of each spec, made when first asked for."""

    aws: AwsServer
    arns: dict[str, str]

    def arn(self, spec: str) -> str:
        if spec not in self.arns:
            self.arns[spec] = self.aws.create_key(spec)
        return self.arns[spec]


def reduced(spec: str, algorithm: str, spki_der: bytes) -> tuple[str, bytes]:
    """Return the message type other than RAW that an algorithm takes, and MESSAGE in that form."""
    if algorithm.startswith("ML_DSA"):
        # FIPS 204, algorithm 7, lines 6 and 7, and algorithm 2: tr, then 0, no context, message.
        tr = hashlib.shake_256(spki_der[-_ML_DSA_KEY_LENGTH[spec] :]).digest(64)
        return "EXTERNAL_MU", hashlib.shake_256(tr + b"\0\0" + MESSAGE).digest(64)
    return "DIGEST", hashlib.new(f"sha{algorithm[-3:]}", MESSAGE).digest()


@contextmanager
def refused(name: str, status: int = 400, words: str = "") -> Iterator[dict[str, Any]]:
    """Expect an error of KMS by its name and HTTP status, with a request id."""
    found: dict[str, Any] = {}
    with pytest.raises(ClientError) as caught:
        yield found
    found.update(caught.value.response)
    assert found["Error"]["Code"] == name
    assert found["ResponseMetadata"]["HTTPStatusCode"] == status
    assert len(found["ResponseMetadata"]["RequestId"]) == 36
    assert words in found["Error"]["Message"]


@contextmanager
def refused_by_s3(code: str, status: int, words: str = "") -> Iterator[None]:
    """Expect an error of S3 by its code and HTTP status, with a request id."""
    with pytest.raises(ClientError) as caught:
        yield
    found = caught.value.response
    assert found["Error"]["Code"] == code
    assert found["ResponseMetadata"]["HTTPStatusCode"] == status
    assert len(found["ResponseMetadata"]["RequestId"]) == 16
    assert words in found["Error"]["Message"]
