"""A call of S3 over HTTP: who asks what of which object, and how it is answered."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from http_message import Request, render
from s3_errors import S3Error
from s3_objects import is_bucket

# API Reference, "Actions": these queries make an operation of their own of a method and a key.
_OF_OBJECT = {
    "GET": "GetObject",
    "HEAD": "HeadObject",
    "PUT": "PutObject",
    "DELETE": "DeleteObject",
}
_OF_BUCKET = {"GET": "ListObjects", "HEAD": "HeadBucket", "PUT": "CreateBucket",
              "DELETE": "DeleteBucket"}  # fmt: skip
# Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
ACTIONS = {"HeadObject": "GetObject", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket",
           "HeadBucket": "ListBucket"}  # fmt: skip


@dataclass(slots=True)
class S3Call:
    """One request; `arrived` is in seconds of the monotonic clock."""

    request: Request
    operation: str
    bucket: str
    key: str
    is_anonymous: bool
    query: Mapping[str, str]
    arrived: float = field(default_factory=time.monotonic)
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex[:16].upper())

    @property
    def headers(self) -> Mapping[str, str]:
        return self.request.headers

    @property
    def access_key(self) -> str:
        """The id of the credentials, which nobody checks."""
        scope = self.headers.get("authorization", "").partition("Credential=")[2]
        return scope.partition("/")[0]

    @property
    def action(self) -> str:
        """The IAM action, without its `s3:`, that the operation needs above all."""
        return ACTIONS.get(self.operation, self.operation)

    @property
    def resource(self) -> str:
        return (
            f"arn:aws:s3:::{self.bucket}/{self.key}" if self.key else f"arn:aws:s3:::{self.bucket}"
        )

    def answer(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> bytes:
        """Return an answer; that to HEAD has the headers of GET's and no body."""
        both = {"x-amz-request-id": self.request_id, "Server": "AmazonS3", **headers}
        answer = render(status, both, body)
        return answer[: len(answer) - len(body)] if self.request.method == "HEAD" else answer

    def refusal(self, error: S3Error) -> bytes:
        headers = {"Content-Type": "application/xml"}
        return self.answer(error.status, headers, error.to_xml(self.request_id))


def call_of(request: Request) -> S3Call | None:
    """Return the call that a request is, or None where it is for another service.

    The service is in the credential scope. Without credentials, what reads or writes a path is
    taken for S3's, and the Host header may name the bucket (User Guide, "Virtual hosting of general
    purpose buckets"), alone as with a domain of one's own.
    """
    authorization = request.headers.get("authorization", "")
    is_anonymous = not authorization and "Signature=" not in request.target
    if authorization and "/s3/aws4_request" not in authorization:
        return None
    if is_anonymous and request.method == "POST":
        return None
    path, _, query = request.target.partition("?")
    bucket, _, key = path.removeprefix("/").partition("/")
    host = request.headers.get("host", "").partition(":")[0]
    named = host.partition(".s3.")[0]
    if is_anonymous and is_bucket(named):
        bucket, key = named, path.removeprefix("/")
    parts = dict(parse_qsl(query, keep_blank_values=True))
    operation = _operation(request, parts, bucket=bucket, key=key)
    return S3Call(request, operation, bucket, unquote(key), is_anonymous, parts)


def _operation(request: Request, query: Mapping[str, str], *, bucket: str, key: str) -> str:
    if not bucket:
        return "ListBuckets"
    of = _OF_OBJECT if key else _OF_BUCKET
    operation = of.get(request.method, request.method)
    if operation == "ListObjects" and query.get("list-type") == "2":
        return "ListObjectsV2"
    others = sorted(name for name, value in query.items() if not value or name == "uploadId")
    if others:
        return f"{request.method} {others[0]}"  # such as `PUT policy`
    return "CopyObject" if "x-amz-copy-source" in request.headers else operation
