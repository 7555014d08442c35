"""doctor, from init to a signed CRL, with keys in AWS KMS and in a PKCS #11 token."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cli_command import Command
from doctor_checks import doctor, not_ok

from aws.aws_server import AwsServer
from components import softhsm_module
from token_world import PIN, token


def aws_pki(gitca: Command, tmp_path: Path, aws: AwsServer) -> Command:
    """A repository whose keys are in the AWS of the tests, under aliases of its own."""
    name = f"doctor-{os.getpid()}-{tmp_path.name}"
    gitca.runs(
        *("init", "kms", "--domain", "example.internal", "--organization", name),
        *("--signer", "awskms", "--region", aws.region),
    )
    environment = aws.environment() | {"AWS_ENDPOINT_URL": aws.endpoint}
    return Command(tmp_path / "kms", **environment)


def test_kms_proves_the_right_to_sign_and_makes_no_signature(
    gitca: Command, tmp_path: Path, aws: AwsServer
) -> None:
    pki = aws_pki(gitca, tmp_path, aws)
    role = "arn:aws:iam::123456789012:role/gitca"
    for ca, spec in (("root", "ECC_NIST_P384"), ("issuing", "ECC_NIST_P256")):
        pki.runs("keys", "create", ca, "--spec", spec, "--sign-role", role)
    checks = doctor(pki)
    assert "KMS would sign with ECDSA_SHA_384 (DryRun" in checks["root signing"]["seen"]
    assert aws.signs() == []

    pki.runs("reconcile")
    signs = len(aws.signs())
    assert not_ok(doctor(pki)) == {"origin": "note"}
    assert len(aws.signs()) == signs

    (alias,) = (
        alias["AliasName"]
        for page in aws.kms().get_paginator("list_aliases").paginate()
        for alias in page["Aliases"]
        if alias["AliasName"].endswith("-issuing") and f"-{os.getpid()}-" in alias["AliasName"]
    )
    aws.kms().update_alias(AliasName=alias, TargetKeyId=aws.create_key("ECC_NIST_P256"))
    checks = doctor(pki, code=1)
    assert not_ok(checks) == {"origin": "note", "issuing key": "failed"}
    assert pki("keys", "show", "issuing").code == 5


def test_a_repository_for_a_token_goes_from_init_to_a_signed_crl(
    gitca: Command, tmp_path: Path
) -> None:
    token("doctor")  # aims the environment at SoftHSM
    gitca.runs(
        *("init", "hsm", "--domain", "example.internal", "--organization", "Example"),
        *("--signer", "pkcs11", "--token", "doctor", "--module", str(softhsm_module())),
    )
    pki = Command(tmp_path / "hsm", GITCA_PKCS11_PIN=PIN)
    before = not_ok(doctor(pki))
    assert {before["root key"], before["issuing key"]} == {"note"}
    pki.runs("keys", "create", "root", "--spec", "P-384")
    pki.runs("keys", "create", "issuing", "--spec", "P-256")
    assert "the key may sign (CKA_SIGN)" in doctor(pki)["root signing"]["seen"]
    pki.runs("reconcile")
    assert not_ok(doctor(pki)) == {"origin": "note"}
    shown = pki.runs("keys", "show", "root")
    assert re.search(r"^  [a-z-]*extractable +(yes|no)$", shown, re.MULTILINE)
    assert "CA root, serial " in shown
    wrong = pki("doctor", GITCA_PKCS11_PIN="0000-wrong")
    assert wrong.code == 1
    assert "0000-wrong" not in wrong.out + wrong.err
