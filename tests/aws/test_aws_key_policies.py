"""Key policies in the tests' KMS are held against a caller, where a test names one."""

from __future__ import annotations

import json
from typing import Any

from kms_cases import Keys, refused

from aws.aws_server import AwsServer

ACCOUNT = "arn:aws:iam::123456789012"
SIGNER, OTHER = f"{ACCOUNT}:role/signer", f"{ACCOUNT}:role/other"


def statement(
    principal: str, *actions: str, effect: str = "Allow", **condition: Any
) -> dict[str, Any]:
    return {
        "Effect": effect,
        "Principal": {"AWS": principal},
        "Action": list(actions),
        "Resource": "*",
        **({"Condition": condition} if condition else {}),
    }


def policy(*statements: dict[str, Any]) -> str:
    everything_but_signing = ["kms:Put*", "kms:Describe*", "kms:Schedule*"]
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [statement(f"{ACCOUNT}:root", *everything_but_signing), *statements],
        }
    )


def test_who_is_not_named_cannot_sign(aws: AwsServer) -> None:
    arn = aws.create_key("ECC_NIST_P256", Policy=policy(statement(SIGNER, "kms:Sign")))
    sign = {"KeyId": arn, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    aws.switch(caller=SIGNER)
    assert aws.kms().sign(**sign)
    assert aws.kms().describe_key(KeyId=arn)  # the account's IAM policies allow it
    with refused("AccessDeniedException", words="kms:GetPublicKey"):
        aws.kms().get_public_key(KeyId=arn)
    assert aws.kms().list_aliases(KeyId=arn)["Aliases"] == []
    aws.switch(caller=OTHER)
    with refused("AccessDeniedException", words=f"{OTHER} is not authorized"):
        aws.kms().sign(**sign)
    assert len(aws.signs()) == 1


def test_conditions_hold_for_algorithm_and_message_type(aws: AwsServer) -> None:
    conditions = {"kms:SigningAlgorithm": ["RSASSA_PSS_SHA_256"], "kms:MessageType": "DIGEST"}
    arn = aws.create_key(
        "RSA_2048", Policy=policy(statement(SIGNER, "kms:Sign", StringEquals=conditions))
    )
    aws.switch(caller=SIGNER)
    good = {"SigningAlgorithm": "RSASSA_PSS_SHA_256", "MessageType": "DIGEST"}
    assert aws.kms().sign(KeyId=arn, Message=bytes(32), **good)
    for bad in ({"MessageType": "RAW"}, {"SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}):
        with refused("AccessDeniedException"):
            aws.kms().sign(KeyId=arn, Message=bytes(32), **(good | bad))


def test_a_deny_wins(aws: AwsServer) -> None:
    arn = aws.create_key(
        "ECC_NIST_P256",
        Policy=policy(statement("*", "kms:*"), statement(SIGNER, "kms:Sign", effect="Deny")),
    )
    aws.switch(caller=SIGNER)
    with refused("AccessDeniedException"):
        aws.kms().sign(KeyId=arn, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")


def test_the_default_policy_leaves_it_to_the_account(aws: AwsServer, keys: Keys) -> None:
    aws.switch(caller=OTHER)
    assert aws.kms().sign(
        KeyId=keys.arn("ECC_NIST_P256"), Message=b"m", SigningAlgorithm="ECDSA_SHA_256"
    )


def test_the_deletion_window_is_a_condition(aws: AwsServer) -> None:
    window = {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}
    arn = aws.create_key(
        "ECC_NIST_P256",
        Policy=json.dumps(
            {
                "Statement": [
                    statement(f"{ACCOUNT}:root", "kms:PutKeyPolicy"),
                    statement(OTHER, "kms:ScheduleKeyDeletion", NumericEquals=window),
                ]
            }
        ),
    )
    aws.switch(caller=OTHER)
    with refused("AccessDeniedException"):
        aws.kms().schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert aws.kms().schedule_key_deletion(KeyId=arn, PendingWindowInDays=30)


def test_a_policy_that_its_maker_could_not_change_again_is_refused(aws: AwsServer) -> None:
    locked = json.dumps({"Statement": [statement(SIGNER, "kms:*")]})
    parameters = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY", "Policy": locked}
    with refused("MalformedPolicyDocumentException", words="in the future"):
        aws.kms().create_key(**parameters)
    assert aws.kms().create_key(**parameters, BypassPolicyLockoutSafetyCheck=True)
    aws.switch(caller=SIGNER)
    arn = aws.kms().create_key(**parameters)["KeyMetadata"]["Arn"]
    with refused("MalformedPolicyDocumentException"):
        aws.kms().put_key_policy(KeyId=arn, Policy='{"Statement": ["nonsense"]}')
