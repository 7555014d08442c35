"""The key policies of keys that gitca makes, as the KMS of the tests evaluates them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from kms_user import ADMIN, APART, ROOT, SIGNING, STRANGER, arn_of, created, new_alias

from aws.aws_server import AwsServer
from gitca.signers import KeyOptions, preview_key
from gitca.signers.aws_kms_specs import KMS_SPECS


def permitted(kms: AwsServer, caller: str, call: Callable[[Any], object]) -> bool:
    """Return whether the key's policy lets a caller do something, as the server evaluates it."""
    kms.switch(caller=caller)
    try:
        call(kms.kms())
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDeniedException":
            return False
        raise
    finally:
        kms.clear_switches()
    return True


def sign(arn: str, algorithm: str = "ECDSA_SHA_256", kind: str = "DIGEST") -> Callable[[Any], Any]:
    return lambda client: client.sign(
        KeyId=arn, Message=bytes(32), MessageType=kind, SigningAlgorithm=algorithm
    )


@pytest.fixture
def apart(kms: AwsServer) -> str:
    """The ARN of a key with one role that signs and one that manages it."""
    uri = kms.uri(new_alias())
    kms.switch(caller=ADMIN)
    created(uri, options=APART)
    kms.clear_switches()
    return arn_of(uri)


def test_the_signing_role_signs_and_reads_the_public_half_and_no_more(
    kms: AwsServer, apart: str
) -> None:
    assert permitted(kms, SIGNING, sign(apart))
    assert permitted(kms, SIGNING, lambda client: client.describe_key(KeyId=apart))
    assert permitted(kms, SIGNING, lambda client: client.get_public_key(KeyId=apart))
    for refused in (
        sign(apart, kind="RAW"),
        lambda client: client.disable_key(KeyId=apart),
        lambda client: client.get_key_policy(KeyId=apart, PolicyName="default"),
        lambda client: client.schedule_key_deletion(KeyId=apart, PendingWindowInDays=30),
        lambda client: client.create_alias(AliasName=new_alias(), TargetKeyId=apart),
        lambda client: client.create_grant(
            KeyId=apart, GranteePrincipal=STRANGER, Operations=["Sign"]
        ),
    ):
        assert not permitted(kms, SIGNING, refused)


def test_administrators_manage_the_key_and_cannot_sign(kms: AwsServer, apart: str) -> None:
    for allowed in (
        lambda client: client.describe_key(KeyId=apart),
        lambda client: client.get_key_policy(KeyId=apart, PolicyName="default"),
        lambda client: client.create_alias(AliasName=new_alias(), TargetKeyId=apart),
        lambda client: client.disable_key(KeyId=apart),
        lambda client: client.enable_key(KeyId=apart),
    ):
        assert permitted(kms, ADMIN, allowed)
    assert not permitted(kms, ADMIN, sign(apart))
    assert not permitted(
        kms,
        ADMIN,
        lambda client: client.create_grant(
            KeyId=apart, GranteePrincipal=ADMIN, Operations=["Sign"]
        ),
    )


def test_deletion_takes_thirty_days(kms: AwsServer, apart: str) -> None:
    def delete(days: int) -> Callable[[Any], object]:
        return lambda client: client.schedule_key_deletion(KeyId=apart, PendingWindowInDays=days)

    assert not any(permitted(kms, ADMIN, delete(days)) for days in (7, 29))
    assert permitted(kms, ADMIN, delete(30))
    assert permitted(kms, ADMIN, lambda client: client.cancel_key_deletion(KeyId=apart))


def test_nobody_else_may_do_anything(kms: AwsServer, apart: str) -> None:
    for caller in (STRANGER, "arn:aws:iam::123456789012:user/somebody"):
        for call in (
            sign(apart),
            lambda client: client.describe_key(KeyId=apart),
            lambda client: client.get_key_policy(KeyId=apart, PolicyName="default"),
            lambda client: client.disable_key(KeyId=apart),
        ):
            assert not permitted(kms, caller, call)


def test_the_root_user_can_repair_the_policy_and_do_nothing_else(
    kms: AwsServer, apart: str
) -> None:
    assert permitted(kms, ROOT, lambda c: c.get_key_policy(KeyId=apart, PolicyName="default"))
    assert not permitted(kms, ROOT, sign(apart))
    assert not permitted(kms, ROOT, lambda client: client.disable_key(KeyId=apart))


def test_without_named_administrators_iam_says_who_manages_the_key_and_lets_nobody_sign(
    kms: AwsServer,
) -> None:
    uri = kms.uri(new_alias())
    created(uri)
    arn = arn_of(uri)
    assert permitted(kms, STRANGER, lambda client: client.disable_key(KeyId=arn))
    assert permitted(kms, STRANGER, lambda client: client.enable_key(KeyId=arn))
    assert not permitted(kms, STRANGER, sign(arn))
    assert permitted(kms, SIGNING, sign(arn))


@pytest.mark.parametrize(("spec", "kms_spec"), KMS_SPECS.items())
def test_every_policy_allows_the_algorithms_of_its_key_and_none_of_encryption(
    spec: str, kms_spec: str
) -> None:
    shown: Any = preview_key("awskms:///alias/x", spec, options=APART)
    assert shown["CreateKey"]["KeySpec"] == kms_spec
    statements = shown["CreateKey"]["Policy"]["Statement"]
    actions = {action for statement in statements for action in statement["Action"]}
    assert not any("crypt" in action or action.endswith(("*", "CreateGrant")) for action in actions)
    (signing,) = (s for s in statements if "kms:Sign" in s["Action"])
    assert signing["Action"] == ["kms:Sign"]
    assert signing["Principal"] == {"AWS": [SIGNING]}
    conditions = signing["Condition"]["StringEquals"]
    assert len(conditions["kms:MessageType"]) == 1
    assert all("PH" not in name for name in conditions["kms:SigningAlgorithm"])


def test_a_role_of_another_account_may_sign_where_an_administrator_says_whose_the_key_is() -> None:
    elsewhere = SIGNING.replace("123456789012", "210987654321")
    options = KeyOptions(signing_roles=(elsewhere,), admin_roles=(ADMIN,))
    shown: Any = preview_key("awskms:///alias/x", "P-256", options=options)
    assert ROOT in json.dumps(shown["CreateKey"]["Policy"])
