"""Making a key in KMS: what is made, who may do what with it, what is left when a step fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError
from kms_user import ADMIN, NOWHERE, OPTIONS, SIGNING, created, new_alias, opened

from aws.aws_server import AwsServer
from gitca.errors import BackendUnavailableError, GitcaError, UsageError
from gitca.signers import KeyOptions, KeyUnsuitableError, create_key, preview_key
from gitca.signers.aws_kms_specs import KMS_SPECS

APART = KeyOptions(signing_roles=(SIGNING,), admin_roles=(ADMIN,))
STRANGER = "arn:aws:iam::123456789012:role/stranger"
ROOT = "arn:aws:iam::123456789012:root"


def arn_of(uri: str) -> str:
    with closing(opened(uri)) as signer:
        return signer.describe()["arn"]


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


def test_a_key_is_made_with_alias_tags_and_description(kms: AwsServer) -> None:
    alias = new_alias()
    spki_der = created(kms.uri(alias), "P-384")
    with closing(opened(kms.uri(alias))) as signer:
        assert signer.public_key() == spki_der
        arn = signer.describe()["arn"]
    metadata = kms.kms().describe_key(KeyId=arn)["KeyMetadata"]
    assert (metadata["KeySpec"], metadata["KeyUsage"]) == ("ECC_NIST_P384", "SIGN_VERIFY")
    assert (metadata["Origin"], metadata["MultiRegion"]) == ("AWS_KMS", False)
    assert "gitca" in metadata["Description"]
    tags = kms.kms().list_resource_tags(KeyId=arn)["Tags"]
    assert tags == [{"TagKey": "gitca", "TagValue": alias.removeprefix("alias/")}]


@pytest.mark.parametrize("spec", ["P-256", "Ed25519", "ML-DSA-44", "RSA-2048"])
def test_kmss_own_names_of_specs_are_known(kms: AwsServer, spec: str) -> None:
    names = (spec, KMS_SPECS[spec])
    made = []
    for name in names:
        uri = kms.uri(new_alias())
        created(uri, name)
        with closing(opened(uri)) as signer:
            made.append(signer.describe()["keySpec"])
    assert made == [KMS_SPECS[spec]] * 2


def test_a_key_may_be_made_for_several_regions(kms: AwsServer) -> None:
    uri = kms.uri(new_alias())
    created(uri, options=KeyOptions(multi_region=True, signing_roles=(SIGNING,)))
    with closing(opened(uri)) as signer:
        assert (
            signer.describe()["multiRegion"] == "primary in eu-west-1; replicas in no other region"
        )


def test_what_is_shown_is_what_is_made(kms: AwsServer) -> None:
    alias = new_alias()
    shown: Any = preview_key(kms.uri(alias), "ECC_NIST_P256", options=APART)
    with pytest.raises(KeyUnsuitableError):
        opened(kms.uri(alias))
    kms.switch(caller=ADMIN)
    created(kms.uri(alias), options=APART)
    kms.clear_switches()
    arn = arn_of(kms.uri(alias))
    policy = json.loads(kms.kms().get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    assert shown["CreateKey"]["Policy"] == policy
    assert shown["CreateAlias"] == {"AliasName": alias}
    assert shown["spec"] == "P-256"
    assert shown["CreateKey"]["Tags"] == kms.kms().list_resource_tags(KeyId=arn)["Tags"]


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


def test_an_alias_that_exists_is_refused_before_a_key_is_made(kms: AwsServer) -> None:
    alias = new_alias()
    arn = kms.create_key("ECC_NIST_P256", alias=alias)
    before = len(kms.kms().list_keys(Limit=1000)["Keys"])
    with pytest.raises(UsageError, match="exists already") as caught:
        created(kms.uri(alias))
    assert arn in caught.value.message
    assert len(kms.kms().list_keys(Limit=1000)["Keys"]) == before


def test_a_key_that_gets_no_alias_is_not_left_over(kms: AwsServer) -> None:
    kms.switch(deny=["CreateAlias"])
    with pytest.raises(KeyUnsuitableError) as caught:
        created(kms.uri(new_alias()))
    assert "kms:CreateAlias" in caught.value.remedy
    assert "is deleted in 30 days" in caught.value.message
    arn = next(word for word in caught.value.message.split() if word.startswith("arn:aws:kms:"))
    kms.clear_switches()
    assert kms.kms().describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_key_that_cannot_be_deleted_either_is_named(kms: AwsServer) -> None:
    kms.switch(deny=["CreateAlias", "ScheduleKeyDeletion"])
    with pytest.raises(KeyUnsuitableError) as caught:
        created(kms.uri(new_alias()))
    assert "is left over, and has to be deleted by hand" in caught.value.message
    assert "arn:aws:kms:eu-west-1:123456789012:key/" in caught.value.message


def test_a_key_whose_public_half_cannot_be_read_is_named(kms: AwsServer) -> None:
    alias = new_alias()
    kms.switch(deny=["GetPublicKey"])
    with pytest.raises(BackendUnavailableError) as caught:
        created(kms.uri(alias))
    kms.clear_switches()
    assert arn_of(kms.uri(alias)) in caught.value.message


@pytest.mark.parametrize("operation", ["DescribeKey", "CreateKey"])
def test_a_missing_permission_to_create_is_named(kms: AwsServer, operation: str) -> None:
    kms.switch(deny=[operation])
    with pytest.raises(KeyUnsuitableError) as caught:
        created(kms.uri(new_alias()))
    assert f"kms:{operation}" in caught.value.remedy


def test_whoever_could_not_change_the_policy_again_is_told_what_to_do(kms: AwsServer) -> None:
    kms.switch(caller=STRANGER)
    with pytest.raises(UsageError) as caught:
        created(kms.uri(new_alias()), options=APART)
    assert "MalformedPolicyDocumentException" in caught.value.message
    assert "--admin-role" in caught.value.remedy


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        (KeyOptions(), "no role is named"),
        (KeyOptions(admin_roles=(ADMIN,)), "no role is named"),
        (KeyOptions(signing_roles=(SIGNING,), admin_roles=(SIGNING,)), "allowed is one of them"),
        (KeyOptions(signing_roles=("*",)), "is not the ARN"),
        (KeyOptions(signing_roles=(ROOT,)), "is not the ARN"),
        (KeyOptions(signing_roles=("gitca",)), "is not the ARN"),
        (
            KeyOptions(signing_roles=("arn:aws:sts::123456789012:assumed-role/gitca/ci",)),
            "is not the ARN",
        ),
        (
            KeyOptions(signing_roles=(SIGNING, SIGNING.replace("123456789012", "210987654321"))),
            "in 2 accounts",
        ),
    ],
)
def test_who_may_sign_has_to_be_said_and_nothing_is_asked_of_aws_before(
    options: KeyOptions, seen: str
) -> None:
    uri = "awskms:///alias/x?region=eu-west-1&endpoint=http://127.0.0.1:1"
    for make in (
        lambda: created(uri, options=options),
        lambda: preview_key(uri, "P-256", options=options),
    ):
        with pytest.raises(UsageError) as caught:
            make()
        assert type(caught.value) is UsageError
        assert seen in caught.value.message
        assert caught.value.remedy


def test_a_role_of_another_account_may_sign_where_an_administrator_says_whose_the_key_is() -> None:
    elsewhere = SIGNING.replace("123456789012", "210987654321")
    options = KeyOptions(signing_roles=(elsewhere,), admin_roles=(ADMIN,))
    shown: Any = preview_key("awskms:///alias/x", "P-256", options=options)
    assert ROOT in json.dumps(shown["CreateKey"]["Policy"])


def test_a_new_key_needs_an_alias() -> None:
    name = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    with pytest.raises(GitcaError, match="allowed is an alias"):
        create_key(
            f"awskms:///{name}",
            "P-256",
            base=NOWHERE,
            passphrase=lambda _: b"",
            options=OPTIONS,
        )
