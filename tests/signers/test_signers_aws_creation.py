"""Making a key in KMS: what is made, and what is left when a step fails."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
from kms_user import (
    ADMIN,
    APART,
    NOWHERE,
    OPTIONS,
    ROOT,
    SIGNING,
    STRANGER,
    arn_of,
    created,
    new_alias,
    opened,
)
from odd_kms import odd_kms

from aws.aws_server import AwsServer
from gitca.errors import BackendUnavailableError, GitcaError, UsageError
from gitca.signers import KeyOptions, KeyUnsuitableError, create_key, preview_key
from gitca.signers.key_spec_names import KMS_SPECS


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


def test_an_alias_that_somebody_else_made_meanwhile_stays_theirs(kms: AwsServer) -> None:
    arn = kms.create_key("ECC_NIST_P256")
    with odd_kms(kms, arn) as server:
        server.answers |= {
            "CreateKey": server.answers["DescribeKey"],
            "DescribeKey": b'{"__type": "NotFoundException"}',
            "CreateAlias": b'{"__type": "AlreadyExistsException"}',
            "ScheduleKeyDeletion": b"{}",
        }
        server.statuses |= {"DescribeKey": 400, "CreateAlias": 400}
        with pytest.raises(UsageError, match="exists already, made by somebody else") as caught:
            created(f"awskms:///alias/x?region=eu-west-1&endpoint={server.endpoint}")
    assert f"{arn} is deleted in 30 days" in caught.value.message


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


@pytest.mark.parametrize(
    ("status", "code", "made"),
    [(400, "ThrottlingException", False), (500, "KMSInternalException", True)],
)
def test_a_key_that_may_have_been_made_is_told_and_is_not_made_twice(
    kms: AwsServer, status: int, code: str, made: bool
) -> None:
    with odd_kms(kms, kms.create_key("ECC_NIST_P256")) as server:
        server.answers |= {"DescribeKey": b'{"__type": "NotFoundException"}'}
        server.answers |= {"CreateKey": f'{{"__type": "{code}"}}'.encode()}
        server.statuses |= {"DescribeKey": 400, "CreateKey": status}
        with pytest.raises(BackendUnavailableError, match=code) as caught:
            created(f"awskms:///alias/x?region=eu-west-1&endpoint={server.endpoint}")
    assert ("may have been made" in caught.value.message) == made
    asked = [request["X-Amz-Target"].rpartition(".")[2] for request in server.sent]
    assert asked == ["DescribeKey", "CreateKey"]


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
