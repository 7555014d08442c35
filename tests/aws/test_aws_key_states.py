"""Keys of the tests' KMS go through the documented states; aliases name them at each call anew."""

from __future__ import annotations

import pytest
from kms_cases import refused

from aws.aws_server import AwsServer

SHA_256 = {"Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}


def test_a_disabled_key_signs_and_shows_nothing_until_it_is_enabled(aws: AwsServer) -> None:
    kms, arn = aws.kms(), aws.create_key("ECC_NIST_P256")
    kms.disable_key(KeyId=arn.rsplit("/", 1)[1])
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    with refused("DisabledException", words=f"{arn} is disabled."):
        kms.sign(KeyId=arn, **SHA_256)
    with refused("DisabledException"):
        kms.get_public_key(KeyId=arn)
    kms.enable_key(KeyId=arn)
    assert kms.sign(KeyId=arn, **SHA_256)


def test_a_key_that_is_to_be_deleted_signs_nothing_until_that_is_cancelled(aws: AwsServer) -> None:
    kms, arn = aws.kms(), aws.create_key("ECC_NIST_P256")
    answer = kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=30)
    assert (answer["KeyId"], answer["KeyState"], answer["PendingWindowInDays"]) == (
        *(arn, "PendingDeletion", 30),
    )
    found = kms.describe_key(KeyId=arn)["KeyMetadata"]
    assert (found["KeyState"], found["Enabled"]) == ("PendingDeletion", False)
    assert found["DeletionDate"] == answer["DeletionDate"]
    for ask in (
        lambda: kms.sign(KeyId=arn, **SHA_256),
        lambda: kms.get_public_key(KeyId=arn),
        lambda: kms.enable_key(KeyId=arn),
        lambda: kms.schedule_key_deletion(KeyId=arn),
        lambda: kms.create_alias(AliasName="alias/late", TargetKeyId=arn),
        lambda: kms.tag_resource(KeyId=arn, Tags=[{"TagKey": "a", "TagValue": "b"}]),
    ):
        with refused("KMSInvalidStateException", words="pending deletion"):
            ask()
    assert kms.cancel_key_deletion(KeyId=arn)["KeyId"] == arn
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    with refused("KMSInvalidStateException", words="not pending deletion"):
        kms.cancel_key_deletion(KeyId=arn)


@pytest.mark.parametrize("days", [6, 31])
def test_a_key_is_deleted_after_7_to_30_days(aws: AwsServer, days: int) -> None:
    with refused("ValidationException"):
        aws.kms().schedule_key_deletion(
            KeyId=aws.create_key("ECC_NIST_P256"), PendingWindowInDays=days
        )


def test_a_key_is_described_as_it_was_made(aws: AwsServer) -> None:
    kms = aws.kms()
    arn = aws.create_key(
        "ECC_NIST_P384",
        MultiRegion=True,
        Description="a CA",
        Tags=[{"TagKey": "gitca", "TagValue": "root"}],
    )
    found = kms.describe_key(KeyId=arn)["KeyMetadata"]
    assert found["KeyId"].startswith("mrk-")
    assert found["Arn"] == arn == f"arn:aws:kms:eu-west-1:123456789012:key/{found['KeyId']}"
    assert found["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"
    assert {name: found[name] for name in ("KeySpec", "KeyUsage", "KeyState", "Origin")} == {
        "KeySpec": "ECC_NIST_P384",
        "KeyUsage": "SIGN_VERIFY",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
    }
    assert found["SigningAlgorithms"] == ["ECDSA_SHA_384"]
    assert found["Description"] == "a CA"
    assert kms.list_resource_tags(KeyId=arn)["Tags"] == [{"TagKey": "gitca", "TagValue": "root"}]


def test_an_alias_names_a_key_at_the_moment_of_the_call(aws: AwsServer) -> None:
    kms, old = aws.kms(), aws.create_key("ECC_NIST_P256", alias="alias/moving")
    new = aws.create_key("ECC_NIST_P256")
    alias_arn = old.rsplit(":", 1)[0] + ":alias/moving"
    assert kms.sign(KeyId="alias/moving", **SHA_256)["KeyId"] == old
    kms.update_alias(AliasName="alias/moving", TargetKeyId=new)
    assert kms.sign(KeyId="alias/moving", **SHA_256)["KeyId"] == new
    assert kms.get_public_key(KeyId=alias_arn)["KeyId"] == new
    listed = {entry["AliasName"]: entry for entry in kms.list_aliases()["Aliases"]}
    assert listed["alias/moving"]["AliasArn"] == alias_arn
    assert listed["alias/moving"]["TargetKeyId"] == new.rsplit("/", 1)[1]
    with refused("AlreadyExistsException"):
        kms.create_alias(AliasName="alias/moving", TargetKeyId=old)
    kms.delete_alias(AliasName="alias/moving")
    with refused("NotFoundException"):
        kms.sign(KeyId="alias/moving", **SHA_256)


def test_an_alias_does_not_move_to_a_key_of_another_usage(aws: AwsServer) -> None:
    aws.create_key("ECC_NIST_P256", alias="alias/typed")
    other = aws.create_key("RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    with refused("ValidationException"):
        aws.kms().update_alias(AliasName="alias/typed", TargetKeyId=other)


def test_a_key_of_another_region_is_not_there(aws: AwsServer) -> None:
    import boto3

    from aws.aws_server import CREDENTIALS

    arn = aws.create_key("ECC_NIST_P256", alias="alias/here")
    session = boto3.session.Session(region_name="us-east-1", **CREDENTIALS)
    elsewhere = session.client("kms", endpoint_url=aws.endpoint)
    try:
        for name in (arn, arn.rsplit("/", 1)[1], "alias/here"):
            with refused("NotFoundException"):
                elsewhere.sign(KeyId=name, **SHA_256)
        foreign = arn.replace("eu-west-1", "us-east-1")
        with refused("NotFoundException"):
            aws.kms().sign(KeyId=foreign, **SHA_256)
    finally:
        elsewhere.close()
