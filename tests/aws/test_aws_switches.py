"""The KMS of the tests can be slow, throttle and fail, before and after a signature is made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from kms_cases import Keys, refused

from aws.aws_server import AwsServer

SHA_256 = {"Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
MANY = 16


def errors(kms: Any, arn: str, calls: int) -> list[str]:
    """Return what each of some calls of Sign was answered: an error's name, or nothing."""
    found = []
    for _ in range(calls):
        try:
            kms.sign(KeyId=arn, **SHA_256)
        except ClientError as error:
            found.append(error.response["Error"]["Code"])
        else:
            found.append("")
    return found


def test_slow_signatures_do_not_wait_for_each_other(aws: AwsServer, keys: Keys) -> None:
    kms, arn = aws.kms(connections=MANY), keys.arn("ECC_NIST_P256")
    kms.sign(KeyId=arn, **SHA_256)
    aws.clear_log()
    aws.switch(latency_ms=1500)
    with ThreadPoolExecutor(MANY) as threads:
        list(threads.map(lambda _: kms.sign(KeyId=arn, **SHA_256), range(MANY)))
    made = aws.signs()
    assert all(entry["answered"] - entry["arrived"] >= 1.5 for entry in made)
    # Had one waited for another, the last would have come when the first had gone.
    assert max(entry["arrived"] for entry in made) < min(entry["answered"] for entry in made)


def test_throttling_takes_its_share_and_the_same_with_the_same_seed(
    aws: AwsServer, keys: Keys
) -> None:
    kms, arn = aws.kms(), keys.arn("ECC_NIST_P256")
    drawn = []
    for seed in (7, 7, 8):
        aws.switch(throttle=0.3, seed=seed)
        drawn.append(errors(kms, arn, 60))
    assert drawn[0] == drawn[1] != drawn[2]
    assert 6 <= drawn[0].count("ThrottlingException") <= 30
    assert len(aws.signs()) == sum(answers.count("") for answers in drawn)
    with refused("ThrottlingException"):
        aws.switch(throttle=1)
        kms.sign(KeyId=arn, **SHA_256)


def test_boto3_itself_retries_what_is_throttled(aws: AwsServer, keys: Keys) -> None:
    kms, arn = aws.kms(attempts=3), keys.arn("ECC_NIST_P256")
    aws.switch(throttle=1, calls=2)
    answer = kms.sign(KeyId=arn, **SHA_256)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert [entry["error"] for entry in aws.failures()] == ["ThrottlingException"] * 2
    assert len(aws.signs()) == 1


@pytest.mark.parametrize(
    ("kind", "name"),
    [("error", "KMSInternalException"), ("unavailable", "KeyUnavailableException")],
)
def test_a_failure_before_signing_makes_no_signature(
    aws: AwsServer, keys: Keys, kind: str, name: str
) -> None:
    aws.switch(before=kind, calls=2)
    kms, arn = aws.kms(), keys.arn("ECC_NIST_P256")
    with refused(name, status=500):
        kms.sign(KeyId=arn, **SHA_256)
    assert aws.signs() == []
    assert errors(kms, arn, 2) == [name, ""]


def test_a_failure_after_signing_leaves_a_signature_in_the_log(aws: AwsServer, keys: Keys) -> None:
    aws.switch(after="error")
    with refused("KMSInternalException", status=500) as answer:
        aws.kms().sign(KeyId=keys.arn("ECC_NIST_P256"), **SHA_256)
    (made,) = aws.signs()
    assert made["outcome"] == "error"
    assert made["request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert aws.failures() == []


@pytest.mark.parametrize(("side", "made"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_says_nothing_of_the_signature(
    aws: AwsServer, keys: Keys, side: str, made: int
) -> None:
    kms, arn = aws.kms(), keys.arn("ECC_NIST_P256")
    aws.switch(**{side: "drop"}, calls=1)
    with pytest.raises(ConnectionClosedError):
        kms.sign(KeyId=arn, **SHA_256)
    assert [entry["outcome"] for entry in aws.signs()] == ["dropped"] * made
    assert [entry["error"] for entry in aws.failures()] == ["dropped"] * (1 - made)
    assert errors(kms, arn, 1) == [""]


def test_a_switch_for_one_key_leaves_the_others_alone(aws: AwsServer, keys: Keys) -> None:
    arn, other = keys.arn("ECC_NIST_P256"), aws.create_key("ECC_NIST_P256", alias="alias/broken")
    aws.switch(before="error", key=other.rsplit("/", 1)[1])
    assert errors(aws.kms(), arn, 1) == [""]
    assert errors(aws.kms(), "alias/broken", 1) == ["KMSInternalException"]


@pytest.mark.parametrize("operation", ["Sign", "DescribeKey", "GetPublicKey", "ListAliases"])
def test_an_operation_is_denied_and_no_other(aws: AwsServer, keys: Keys, operation: str) -> None:
    kms, arn = aws.kms(), keys.arn("ECC_NIST_P256")
    calls = {
        "Sign": lambda: kms.sign(KeyId=arn, **SHA_256),
        "DescribeKey": lambda: kms.describe_key(KeyId=arn),
        "GetPublicKey": lambda: kms.get_public_key(KeyId=arn),
        "ListAliases": kms.list_aliases,
    }
    aws.switch(deny=[operation])
    with refused("AccessDeniedException", words=f"kms:{operation}"):
        calls.pop(operation)()
    for call in calls.values():
        call()
    aws.clear_switches()
    kms.sign(KeyId=arn, **SHA_256)


def test_a_switch_that_there_is_not_is_refused(aws: AwsServer) -> None:
    import urllib.error

    for settings in ({"latency": 15}, {"before": "later"}, {"throttle": 2}):
        with pytest.raises(urllib.error.HTTPError, match="400") as caught:
            aws.switch(**settings)
        caught.value.close()


def test_a_server_that_is_stopped_refuses_connections_and_leaves_no_process() -> None:
    from botocore.exceptions import EndpointConnectionError

    with AwsServer() as server:
        process = server._process
        kms = server.kms()
        assert kms.list_keys()["Keys"] == []
        assert process is not None
        server.stop()
        assert process.returncode == 0
        with pytest.raises(EndpointConnectionError):
            kms.list_keys()
        kms.close()
