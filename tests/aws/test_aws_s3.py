"""The S3 of the tests keeps objects as AWS documents, and gives public ones to anybody."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import socket
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from kms_cases import refused_by_s3

from aws.aws_server import AwsServer

EXPIRES = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
DESCRIBED: dict[str, Any] = {
    "ContentType": "application/pkix-crl",
    "CacheControl": "max-age=3600",
    "Expires": EXPIRES,
}


def new_bucket(aws: AwsServer, *, public: bool = False) -> str:
    name = f"bucket-{uuid.uuid4().hex}"
    aws.create_bucket(name, public=public)
    aws.clear_s3_log()
    return name


def fetch(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and content of what somebody without credentials gets."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def test_a_bucket_keeps_objects_and_gives_them_to_anybody_when_public(aws: AwsServer) -> None:
    s3, bucket = aws.s3(), new_bucket(aws)
    body = bytes(range(256)) * 4000
    s3.put_object(Bucket=bucket, Key="ca/été 1.crl", Body=body, ACL="public-read")
    s3.put_object(Bucket=bucket, Key="ca/private", Body=body)
    assert s3.head_object(Bucket=bucket, Key="ca/été 1.crl")["ContentLength"] == len(body)
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [entry["Key"] for entry in listed] == ["ca/private", "ca/été 1.crl"]
    assert fetch(f"{aws.endpoint}/{bucket}/ca/%C3%A9t%C3%A9%201.crl")[2] == body
    assert fetch(f"{aws.endpoint}/{bucket}/ca/private")[0] == 403


def test_what_an_object_is_and_how_long_it_keeps_is_told_to_those_who_fetch_it(
    aws: AwsServer,
) -> None:
    s3, bucket = aws.s3(), new_bucket(aws, public=True)
    etag = s3.put_object(Bucket=bucket, Key="ca.crl", Body=b"crl", **DESCRIBED)["ETag"]
    url = f"{aws.endpoint}/{bucket}/ca.crl"
    status, headers, content = fetch(url)
    assert (status, content) == (200, b"crl")
    assert headers["Content-Type"] == "application/pkix-crl"
    assert headers["Cache-Control"] == "max-age=3600"
    assert headers["Expires"] == "Wed, 02 Jan 2030 03:04:05 GMT"
    assert headers["ETag"] == etag
    assert fetch(url, **{"If-None-Match": etag})[0] == 304
    assert fetch(url, **{"If-Modified-Since": headers["Last-Modified"]})[0] == 304
    assert fetch(url, Range="bytes=1-2")[::2] == (206, b"rl")
    got = s3.get_object(Bucket=bucket, Key="ca.crl")
    with closing(got["Body"]) as body:
        assert body.read() == b"crl"
    assert got["ExpiresString"] == headers["Expires"]


def test_a_domain_that_is_the_name_of_a_bucket_serves_it(aws: AwsServer) -> None:
    bucket = f"pki-{uuid.uuid4().hex[:8]}.example.internal"
    aws.create_bucket(bucket, public=True)
    aws.s3().put_object(Bucket=bucket, Key="prod/ca.crl", Body=b"crl")
    for host in (bucket, f"{bucket}:8080", f"{bucket}.s3.eu-west-1.amazonaws.com"):
        assert fetch(f"{aws.endpoint}/prod/ca.crl", Host=host)[2] == b"crl"


def test_nobody_gets_an_object_that_no_policy_gives_them(aws: AwsServer) -> None:
    s3, bucket = aws.s3(), new_bucket(aws)
    for key in ("open/a", "closed/a"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["s3:Get*"],
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    deny = {**allow, "Effect": "Deny", "Resource": f"arn:aws:s3:::{bucket}/closed/*"}
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
    )
    base = f"{aws.endpoint}/{bucket}"
    # What is not there is denied to those who may not list.
    seen = [fetch(f"{base}/{path}")[0] for path in ("open/a", "closed/a", "open/b")]
    assert seen == [200, 403, 403]
    assert fetch(f"{base}?list-type=2")[0] == 403
    request = urllib.request.Request(f"{base}/open/a", data=b"evil", method="PUT")
    with pytest.raises(urllib.error.HTTPError, match="403") as caught:
        urllib.request.urlopen(request, timeout=30)
    caught.value.close()


@pytest.mark.parametrize("quote", ['"', ""])
def test_a_write_holds_only_where_its_condition_does(aws: AwsServer, quote: str) -> None:
    s3, named = aws.s3(), {"Bucket": new_bucket(aws), "Key": "manifest.json"}
    with refused_by_s3("NoSuchKey", 404):
        s3.put_object(**named, Body=b"0", IfMatch='"0123456789abcdef0123456789abcdef"')
    first = s3.put_object(**named, Body=b"1", IfNoneMatch="*")["ETag"].strip('"')
    with refused_by_s3("PreconditionFailed", 412):
        s3.put_object(**named, Body=b"2", IfNoneMatch="*")
    s3.put_object(**named, Body=b"3", IfMatch=f"{quote}{first}{quote}")
    with refused_by_s3("PreconditionFailed", 412):
        s3.put_object(**named, Body=b"4", IfMatch=f"{quote}{first}{quote}")
    with refused_by_s3("NotImplemented", 501):
        s3.put_object(**named, Body=b"5", IfNoneMatch=f'"{first}"')
    with closing(s3.get_object(**named)["Body"]) as body:
        assert body.read() == b"3"
    s3.delete_object(**named)
    s3.put_object(**named, Body=b"6", IfNoneMatch="*")


def test_of_a_versioned_bucket_a_condition_is_about_the_current_version(aws: AwsServer) -> None:
    s3, bucket = aws.s3(), new_bucket(aws)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    named = {"Bucket": bucket, "Key": "a"}
    old = s3.put_object(**named, Body=b"1", IfNoneMatch="*")
    new = s3.put_object(**named, Body=b"2", IfMatch=old["ETag"])
    assert old["VersionId"] != new["VersionId"]
    with refused_by_s3("PreconditionFailed", 412):
        s3.put_object(**named, Body=b"3", IfMatch=old["ETag"])
    s3.delete_object(**named)
    with refused_by_s3("NoSuchKey", 404):
        s3.put_object(**named, Body=b"3", IfMatch=new["ETag"])
    s3.put_object(**named, Body=b"4", IfNoneMatch="*")


def test_an_upload_that_is_not_what_its_checksum_says_is_not_kept(aws: AwsServer) -> None:
    s3, named = aws.s3(), {"Bucket": new_bucket(aws), "Key": "a"}
    with refused_by_s3("BadDigest", 400):
        s3.put_object(**named, Body=b"sent", ChecksumSHA256=sha256(b"meant"))
    with refused_by_s3("InvalidRequest", 400):
        s3.put_object(**named, Body=b"sent", ChecksumSHA256="AAAA")
    with refused_by_s3("BadDigest", 400):
        s3.put_object(**named, Body=b"sent", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
    assert "Contents" not in s3.list_objects_v2(Bucket=named["Bucket"])
    put = s3.put_object(**named, Body=b"sent", ChecksumSHA256=sha256(b"sent"))
    assert put["ChecksumSHA256"] == sha256(b"sent")
    got = s3.get_object(**named, ChecksumMode="ENABLED")
    assert got["ChecksumSHA256"] == sha256(b"sent")
    with closing(got["Body"]) as body:
        assert body.read() == b"sent"


def test_a_list_has_pages_of_a_thousand_in_the_order_of_octets(aws: AwsServer) -> None:
    s3, bucket = aws.s3(connections=8), new_bucket(aws)
    odd = ["a&<b", "a b", "a%20b", "a+b", "é/1", "\U0001f511", "\ufb01", "z/"]
    keys = [*(f"n/{number}" for number in range(1200)), *odd]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: s3.put_object(Bucket=bucket, Key=key, Body=b"x" * 3), keys))
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket))
    assert [page["KeyCount"] for page in pages] == [1000, len(keys) - 1000]
    found = [entry["Key"] for page in pages for entry in page["Contents"]]
    assert found == sorted(keys, key=str.encode)
    entry = pages[0]["Contents"][0]
    there = s3.head_object(Bucket=bucket, Key=entry["Key"])
    assert (entry["ETag"], entry["Size"]) == (there["ETag"], 3)
    assert entry["LastModified"] == there["LastModified"]
    few = s3.list_objects_v2(Bucket=bucket, Prefix="n/11", MaxKeys=2, StartAfter="n/11")
    assert [entry["Key"] for entry in few["Contents"]] == ["n/110", "n/1100"]
    assert few["IsTruncated"]
    folders = s3.list_objects_v2(Bucket=bucket, Delimiter="/")["CommonPrefixes"]
    assert {"Prefix": "n/"} in folders
    with refused_by_s3("InvalidArgument", 400):
        s3.list_objects_v2(Bucket=bucket, ContinuationToken="!")
    s3.delete_object(Bucket=bucket, Key="z/")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="z/")


def test_a_bucket_of_another_account_is_refused_to_those_who_expect_one(aws: AwsServer) -> None:
    s3, named = aws.s3(), {"Bucket": new_bucket(aws), "Key": "a"}
    s3.put_object(**named, Body=b"1", ExpectedBucketOwner="123456789012")
    with refused_by_s3("AccessDenied", 403):
        s3.put_object(**named, Body=b"2", ExpectedBucketOwner="210987654321")
    with refused_by_s3("NoSuchBucket", 404):
        s3.put_object(Bucket="there-is-none", Key="a", Body=b"2")
    with refused_by_s3("NoSuchKey", 404):
        s3.get_object(Bucket=named["Bucket"], Key="b")
    with refused_by_s3("KeyTooLongError", 400):
        s3.put_object(Bucket=named["Bucket"], Key="k" * 1025, Body=b"2")


def test_a_client_that_asks_first_is_told_to_go_on(aws: AwsServer) -> None:
    # RFC 9110 section 10.1.1; the AWS SDKs wait a second for it at each upload.
    host, _, port = aws.endpoint.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(
            b"PUT /expected HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        with connection.makefile("rb") as answer:
            assert answer.readline() == b"HTTP/1.1 100 Continue\r\n"
            assert answer.readline() == b"\r\n"
            assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
            answer.read()


def test_an_upload_in_chunks_of_unknown_length_arrives_whole(aws: AwsServer) -> None:
    s3, bucket = aws.s3(), new_bucket(aws)
    url = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "key"})
    connection = http.client.HTTPConnection(aws.endpoint.removeprefix("http://"), timeout=30)
    try:
        parts = (b"a" * 70_000, b"b", b"c" * 5)
        path = url.removeprefix(aws.endpoint)
        connection.request("PUT", path, body=iter(parts), encode_chunked=True)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    finally:
        connection.close()
    with closing(s3.get_object(Bucket=bucket, Key="key")["Body"]) as body:
        assert body.read() == b"".join(parts)
