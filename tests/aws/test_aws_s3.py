"""moto's own services answer behind the same endpoint."""

from __future__ import annotations

import socket
import urllib.request

from aws.aws_server import AwsServer


def test_a_bucket_keeps_objects_and_gives_them_to_anybody_when_public(aws: AwsServer) -> None:
    s3 = aws.s3()
    s3.create_bucket(
        Bucket="crl-bucket", CreateBucketConfiguration={"LocationConstraint": aws.region}
    )
    body = bytes(range(256)) * 4000
    s3.put_object(Bucket="crl-bucket", Key="ca/été 1.crl", Body=body, ACL="public-read")
    assert s3.head_object(Bucket="crl-bucket", Key="ca/été 1.crl")["ContentLength"] == len(body)
    listed = s3.list_objects_v2(Bucket="crl-bucket")["Contents"]
    assert [entry["Key"] for entry in listed] == ["ca/été 1.crl"]
    url = f"{aws.endpoint}/crl-bucket/ca/%C3%A9t%C3%A9%201.crl"
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310
        assert answer.read() == body


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
    import http.client

    s3 = aws.s3()
    s3.create_bucket(Bucket="chunks", CreateBucketConfiguration={"LocationConstraint": aws.region})
    host = aws.endpoint.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        parts = (b"a" * 70_000, b"b", b"c" * 5)
        connection.request("PUT", "/chunks/key", body=iter(parts), encode_chunked=True)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    finally:
        connection.close()
    assert s3.get_object(Bucket="chunks", Key="key")["Body"].read() == b"".join(parts)
