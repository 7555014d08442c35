"""Objects as S3 keeps them, in moto's buckets: PutObject, GetObject and HeadObject.

moto does these as well. It verifies no checksum, and its threads look and write in two steps, so
that of two conditional writes both can win.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeBucket, FakeKey, S3Backend, get_canned_acl, s3_backends
from s3_errors import S3Error

# API Reference, "PutObject": what is kept of a request and given back with the object.
_KEPT = ("cache-control", "content-disposition", "content-encoding", "content-language",
         "x-amz-website-redirect-location",
         "content-type", "expires")  # fmt: skip
_DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "crc32": lambda data: binascii.crc32(data).to_bytes(4, "big"),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
}
_CHECKSUM = "x-amz-checksum-"
_LONGEST_KEY = 1024
Headers = Mapping[str, str]


def backend() -> S3Backend:
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]


def is_bucket(name: str) -> bool:
    return name in backend().buckets


def bucket_named(name: str) -> FakeBucket:
    found = backend().buckets.get(name)
    if found is None:
        raise S3Error("NoSuchBucket", BucketName=name)
    return found


def find(bucket: FakeBucket, key: str) -> FakeKey | None:
    """Return the current version of an object, unless there is none or it was deleted."""
    found = bucket.keys.get(key)
    return found if isinstance(found, FakeKey) else None


def can_put(headers: Headers) -> bool:
    """Say whether an upload is one that is done here; moto does what is signed in chunks."""
    sent = headers.get("x-amz-content-sha256", "")
    algorithms = [name for name in headers if _is_checksum(name)]
    known = all(name.removeprefix(_CHECKSUM) in _DIGESTS for name in algorithms)
    return known and not sent.startswith("STREAMING-") and "x-amz-trailer" not in headers


def put(bucket: FakeBucket, key: str, headers: Headers, body: bytes) -> dict[str, str]:
    """Store an object where the conditions of the request hold, and return the answer's headers."""
    if len(key.encode()) > _LONGEST_KEY:
        raise S3Error("KeyTooLongError")
    checksum = _verified(headers, body)
    _check_conditions(headers, find(bucket, key), key)
    made = backend().put_object(bucket.name, key, body, disable_notification=True)
    kept = {name: value for name, value in headers.items() if name in _KEPT or _is_meta(name)}
    made.set_metadata(kept)
    made.set_acl(get_canned_acl(headers.get("x-amz-acl", "private")))
    if checksum:
        made.checksum_algorithm, made.checksum_value = checksum[0].upper(), checksum[1]
    return {"ETag": made.etag, "x-amz-server-side-encryption": "AES256", **_versions(made),
            **_checksums(made)}  # fmt: skip


def _is_meta(name: str) -> bool:
    return name.startswith("x-amz-meta-")


def _is_checksum(name: str) -> bool:
    return name.startswith(_CHECKSUM) and name not in (f"{_CHECKSUM}mode", f"{_CHECKSUM}type")


def _verified(headers: Headers, body: bytes) -> tuple[str, str] | None:
    """Return the algorithm and value of the checksum that was sent, which is the body's.

    User Guide, "Checking object integrity in Amazon S3": an object whose checksum is another is not
    stored; BadDigest.
    """
    sent = headers.get("x-amz-content-sha256", "")
    if len(sent) == 64 and sent != hashlib.sha256(body).hexdigest():
        raise S3Error("XAmzContentSHA256Mismatch")
    md5 = headers.get("content-md5")
    if md5 and md5 != _base64(hashlib.md5(body, usedforsecurity=False).digest()):
        raise S3Error("BadDigest", "Content-MD5")
    for name in filter(_is_checksum, headers):
        algorithm, value = name.removeprefix(_CHECKSUM), headers[name]
        digest = _DIGESTS[algorithm](body)
        if len(value) != len(_base64(digest)):
            raise S3Error("InvalidRequest", algorithm)
        if value != _base64(digest):
            raise S3Error("BadDigest", algorithm.upper())
        return algorithm, value
    return None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _check_conditions(headers: Headers, there: FakeKey | None, key: str) -> None:
    """Hold the conditions of a write against what there is.

    User Guide, "How to prevent object overwrites with conditional writes": If-None-Match takes `*`
    alone; If-Match on nothing is a 404; the ETag's quotes may be left out.
    """
    if_match, if_none_match = headers.get("if-match"), headers.get("if-none-match")
    if if_none_match is not None:
        if if_none_match != "*" or if_match is not None:
            raise S3Error("NotImplemented", Header="If-None-Match")
        if there is not None:
            raise S3Error("PreconditionFailed", Condition="If-None-Match")
    if if_match is not None:
        if there is None:
            raise S3Error("NoSuchKey", Key=key)
        if if_match.strip('"') != there.etag.strip('"'):
            raise S3Error("PreconditionFailed", Condition="If-Match")


def get(bucket: FakeBucket, key: str, headers: Headers) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and content of an object (API Reference, "GetObject")."""
    there = find(bucket, key)
    if there is None:
        raise S3Error("NoSuchKey", Key=key)
    if headers.get("if-match", there.etag).strip('"') != there.etag.strip('"'):
        raise S3Error("PreconditionFailed", Condition="If-Match")
    modified = int(there.last_modified.timestamp())
    basic = {
        "ETag": there.etag,
        "Last-Modified": formatdate(modified, usegmt=True),
        **_versions(there),
        **{name.title(): value for name, value in there.metadata.items() if name in _KEPT},
    }
    if _is_unmodified(headers, there.etag, modified):
        return 304, basic, b""
    verified = _checksums(there) if headers.get(f"{_CHECKSUM}mode") == "ENABLED" else {}
    meta = {name: value for name, value in there.metadata.items() if _is_meta(name)}
    content: bytes = there.value
    return 200, {**basic, **meta, **verified, "Accept-Ranges": "bytes"}, content


def _is_unmodified(headers: Headers, etag: str, modified: int) -> bool:
    """Say whether a reader's copy is current (RFC 9110 section 13.2.2)."""
    tags = headers.get("if-none-match")
    if tags is not None:
        return etag.strip('"') in {tag.strip(' "') for tag in tags.split(",")} or tags == "*"
    since = headers.get("if-modified-since")
    return since is not None and modified <= parsedate_to_datetime(since).timestamp()


def _versions(key: FakeKey) -> dict[str, str]:
    return {} if key.version_id == "null" else {"x-amz-version-id": key.version_id}


def _checksums(key: Any) -> dict[str, str]:
    if not key.checksum_algorithm or not key.checksum_value:
        return {}
    name = f"{_CHECKSUM}{key.checksum_algorithm.lower()}"
    return {name: key.checksum_value, f"{_CHECKSUM}type": "FULL_OBJECT"}
