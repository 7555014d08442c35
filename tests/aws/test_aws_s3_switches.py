"""The S3 of the tests can be slow, throttle and fail, before and after a call is done."""

from __future__ import annotations

import urllib.error
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, FlexibleChecksumError
from kms_cases import refused_by_s3
from test_aws_s3 import new_bucket

from aws.aws_server import AwsServer

MANY = 16


def put(s3: Any, bucket: str, key: str = "a", **others: Any) -> str:
    """Return what an upload was answered: the code of an error, or nothing."""
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x", **others)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def keys(s3: Any, bucket: str) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


def test_slow_uploads_do_not_wait_for_each_other(aws: AwsServer) -> None:
    s3, bucket = aws.s3(connections=MANY), new_bucket(aws)
    aws.switch_s3(latency_ms=1500)
    with ThreadPoolExecutor(MANY) as threads:
        list(threads.map(lambda number: put(s3, bucket, str(number)), range(MANY)))
    calls = aws.s3_calls("PutObject")
    assert all(call["answered"] - call["arrived"] >= 1.5 for call in calls)
    assert max(call["arrived"] for call in calls) < min(call["answered"] for call in calls)


def test_throttling_takes_its_share_and_the_same_with_the_same_seed(aws: AwsServer) -> None:
    s3, bucket = aws.s3(), new_bucket(aws)
    drawn = []
    for seed in (7, 7, 8):
        aws.switch_s3(throttle=0.3, seed=seed)
        drawn.append([put(s3, bucket) for _ in range(60)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert 6 <= drawn[0].count("SlowDown") <= 30
    aws.switch_s3(throttle=1, operation="PutObject")
    with refused_by_s3("SlowDown", 503):
        s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    assert keys(s3, bucket) == ["a"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [("error", "InternalError"), ("conflict", "ConditionalRequestConflict")],
)
def test_a_failure_before_a_call_leaves_nothing(aws: AwsServer, kind: str, code: str) -> None:
    s3, bucket = aws.s3(), new_bucket(aws)
    aws.switch_s3(before=kind, operation="PutObject", spare=1, calls=1)
    assert [put(s3, bucket, key) for key in "abc"] == ["", code, ""]
    assert keys(s3, bucket) == ["a", "c"]
    calls = [(call["key"], call["error"], call["done"]) for call in aws.s3_calls("PutObject")]
    assert calls == [("a", "", True), ("b", code, False), ("c", "", True)]


def test_a_failure_after_a_call_leaves_what_it_did(aws: AwsServer) -> None:
    s3, bucket = aws.s3(), new_bucket(aws)
    aws.switch_s3(after="error", key="/a", operation="PutObject")
    assert [put(s3, bucket, key) for key in ("1/a", "1/b")] == ["InternalError", ""]
    assert keys(s3, bucket) == ["1/a", "1/b"]
    assert [call["done"] for call in aws.s3_calls("PutObject")] == [True, True]
    # What is refused anyway is not done either.
    assert put(s3, bucket, "1/a", IfNoneMatch="*") == "PreconditionFailed"


@pytest.mark.parametrize(("side", "left"), [("before", []), ("after", ["a"])])
def test_a_dropped_connection_says_nothing_of_the_upload(
    aws: AwsServer, side: str, left: list[str]
) -> None:
    s3, bucket = aws.s3(), new_bucket(aws)
    aws.switch_s3(**{side: "drop"}, calls=1)
    with pytest.raises(ConnectionClosedError):
        put(s3, bucket)
    assert keys(s3, bucket) == left
    assert [call["outcome"] for call in aws.s3_calls()] == ["dropped", "answered"]
    assert put(s3, bucket) == ""


def test_what_moto_does_fails_on_both_sides_as_well(aws: AwsServer) -> None:
    s3, bucket = aws.s3(), new_bucket(aws)
    put(s3, bucket)
    for settings, code in (({"before": "error"}, 500), ({"throttle": 1}, 503)):
        aws.switch_s3(**settings, operation="ListObjectsV2", calls=1)
        with pytest.raises(ClientError, match="SlowDown" if code == 503 else "Internal"):
            keys(s3, bucket)
    aws.switch_s3(before="", throttle=0, after="drop", operation="DeleteObject", calls=1)
    with pytest.raises(ConnectionClosedError):
        s3.delete_object(Bucket=bucket, Key="a")
    assert keys(s3, bucket) == []


def test_a_download_that_was_spoilt_on_its_way_shows(aws: AwsServer) -> None:
    s3, bucket = aws.s3(), new_bucket(aws)
    put(s3, bucket, ChecksumAlgorithm="SHA256")
    aws.switch_s3(corrupt=True, operation="GetObject")
    answer = s3.get_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    # Entering the body itself would give what is below the check.
    with pytest.raises(FlexibleChecksumError), closing(answer["Body"]) as body:
        body.read()


def test_an_action_is_denied_and_no_other(aws: AwsServer) -> None:
    s3, bucket = aws.s3(), new_bucket(aws)
    put(s3, bucket)
    named = {"Bucket": bucket, "Key": "a"}
    calls = {
        "PutObject": lambda: s3.put_object(**named, Body=b"y"),
        "GetObject": lambda: s3.get_object(**named)["Body"].close(),
        "ListBucket": lambda: s3.list_objects_v2(Bucket=bucket),
        "DeleteObject": lambda: s3.delete_object(Bucket=bucket, Key="b"),
    }
    for action, denied in calls.items():
        aws.switch_s3(deny=[action])
        with refused_by_s3("AccessDenied", 403, words=f"s3:{action} on resource"):
            denied()
        for other in calls.keys() - {action}:
            calls[other]()


def test_permissions_that_other_calls_need_are_missed_there(aws: AwsServer) -> None:
    s3, bucket = aws.s3(), new_bucket(aws)
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"x")["ETag"]
    aws.switch_s3(deny=["ListBucket"])
    with refused_by_s3("AccessDenied", 403, words="s3:ListBucket"):
        s3.get_object(Bucket=bucket, Key="absent")
    aws.switch_s3(deny=["GetObject"])
    assert put(s3, bucket, IfMatch=etag) == "AccessDenied"
    assert put(s3, bucket, key="new", IfNoneMatch="*") == ""


def test_a_switch_that_there_is_not_is_refused(aws: AwsServer) -> None:
    for settings in ({"latency": 15}, {"before": "later"}, {"throttle": 2}):
        with pytest.raises(urllib.error.HTTPError, match="400") as caught:
            aws.switch_s3(**settings)
        caught.value.close()
