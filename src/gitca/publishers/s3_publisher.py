"""A place in Amazon S3 that is published into: conditional uploads, verified downloads.

What is conditional is decided by S3, on the current version of an object (User Guide, "How to
prevent object overwrites with conditional writes"); S3 compares the SHA-256 of what arrives with
what was sent, keeps it, and gives it back, and the SDK compares again. Credentials come from the
AWS SDK's own chain; gitca reads none.
"""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from typing import Any

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
)

from gitca.documents.s3_uri import S3Uri
from gitca.errors import BackendUnavailableError, UsageError
from gitca.publishers import ConflictError, Item, Listed, Stored
from gitca.publishers.paths import TooLargeError, segments_of
from gitca.publishers.s3_answers import content_of, listed_in, served_of, told
from gitca.publishers.s3_errors import code_of, wrapped

# 30 % of calls throttled leave 6 of a million that fail ten times over.
ATTEMPTS = 10
POOL = 64
CONNECT_SECONDS = 5
READ_SECONDS = 20  # without a byte; not for the whole of an object
# A download that breaks off, and an upload that met another, the SDK leaves to its caller.
READS = 3
COLLISIONS = 8
_PAUSE_SECONDS = 0.1
_SMALL = 1024 * 1024
_LONGEST_KEY = 1024  # octets (User Guide, "Naming Amazon S3 objects")
_ABSENT = frozenset({"NoSuchKey", "404"})
_NOT_HELD = frozenset({"PreconditionFailed", "412"})
# API Reference, "PutObject", If-None-Match: to be sent again.
_COLLIDED = frozenset({"ConditionalRequestConflict", "409"})
_BROKEN = (FlexibleChecksumError, IncompleteReadError, HTTPClientError)


class S3Publisher:
    """One bucket and prefix; versions are ETags. Made by `gitca.publishers.s3.open_publisher`."""

    def __init__(self, place: S3Uri) -> None:
        self._place = place
        self._subject = f"s3://{place.bucket}" + (f"/{place.prefix}" if place.prefix else "")
        self._client = self._connected()
        owner = place.expected_bucket_owner
        self._bucket = {"Bucket": place.bucket, **({"ExpectedBucketOwner": owner} if owner else {})}

    def _connected(self) -> Any:
        core = botocore.session.Session()
        session = boto3.session.Session(botocore_session=core)
        place = self._place
        with self._wrapped("connecting"):
            try:
                client = session.client(
                    "s3", region_name=place.region, endpoint_url=place.endpoint, config=_config()
                )
            except ValueError as error:  # an endpoint that is no URL, such as AWS_ENDPOINT_URL's
                # Its words repeat the URL, in which someone may have put a password.
                raise UsageError(
                    f"{self._subject}: the AWS SDK refuses an endpoint or region as malformed",
                    remedy="correct it, in the URI or in the environment (AWS_ENDPOINT_URL_S3, "
                    "AWS_ENDPOINT_URL, AWS_DEFAULT_REGION)",
                ) from error
        client.meta.events.register("before-send.s3.PutObject", _send_at_once)
        return client

    def _wrapped(self, operation: str, path: str = "") -> AbstractContextManager[None]:
        place = self._place
        bucket = f"{place.bucket}/{place.prefix}".rstrip("/")
        return wrapped(operation, self._at(path) if path else self._subject, bucket)

    def _at(self, path: str) -> str:
        return f"{self._subject}/{path}"

    def read(self, path: str, most: int | None = None) -> Stored | None:
        """Return what is at a path, its SHA-256 verified where S3 has it, or None."""
        key = self._key(path)
        with self._wrapped("GetObject", path):
            for remaining in reversed(range(READS)):
                answer = self._asked(key)
                if answer is None:
                    return None
                try:
                    # Not entered: that would give the stream below the one that verifies it.
                    with closing(answer["Body"]):
                        version = str(told(answer, "ETag", self._at(path)))
                        content = content_of(answer, path, self._at(path), most=most)
                        return Stored(content, version, served_of(answer))
                except _BROKEN:
                    if not remaining:
                        raise
        return None

    def _asked(self, key: str) -> Any:
        try:
            return self._client.get_object(**self._bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if code_of(error) in _ABSENT:
                return None
            raise

    def write(self, item: Item, replaces: str | None) -> str:
        """Put an object in the place of a version, and return its ETag.

        Where the object is there already, and served as it is to be, it is taken for written: an
        upload whose answer was lost was sent again, and met itself.
        """
        parameters = self._upload(item, replaces)
        for attempt in range(COLLISIONS):
            try:
                with self._wrapped("PutObject", item.path):
                    return self._put(parameters)
            except _NotHeldError as error:
                return self._settled(item, error)
            except _CollidedError:
                # Of two uploads at once S3 turns one away, before either's outcome can be told.
                jitter = random.uniform(0.5, 1.0)  # noqa: S311 - parts writers; nothing is secret
                time.sleep(_PAUSE_SECONDS * 2**attempt * jitter)
        raise BackendUnavailableError(
            f"{self._subject}/{item.path}: S3 reported other writers {COLLISIONS} times "
            "(ConditionalRequestConflict)",
            remedy="run again, once nobody else publishes there",
        )

    def _put(self, parameters: Mapping[str, object]) -> str:
        try:
            answer = self._client.put_object(**parameters)
        except ClientError as error:
            code = code_of(error)
            if code in _NOT_HELD or ("IfMatch" in parameters and code in _ABSENT):
                raise _NotHeldError(code) from error
            if code in _COLLIDED:
                raise _CollidedError(code) from error
            raise
        return str(told(answer, "ETag", f"s3://{self._place.bucket}/{parameters['Key']}"))

    def _upload(self, item: Item, replaces: str | None) -> Mapping[str, object]:
        condition = {"IfNoneMatch": "*"} if replaces is None else {"IfMatch": replaces}
        expires = {"Expires": item.expires} if item.expires else {}
        return {
            **self._bucket,
            **condition,
            **expires,
            "Key": self._key(item.path),
            "Body": item.content,
            "ContentType": item.media_type,
            "CacheControl": item.cache_control,
            "ChecksumSHA256": base64.b64encode(bytes.fromhex(item.sha256)).decode(),
        }

    def _settled(self, item: Item, error: _NotHeldError) -> str:
        try:
            there = self.read(item.path, len(item.content))
        except TooLargeError:
            held = "another object"
        else:
            if there is not None and there.holds(item):
                return there.version
            held = "nothing" if there is None else "another object"
        raise ConflictError(
            f"{self._subject}/{item.path}: the bucket holds {held} there by now ({error})",
            remedy="run again: it reads what is there first",
        ) from error

    def _key(self, path: str) -> str:
        segments_of(path)
        key = self._place.key(path)
        if len(key) > _LONGEST_KEY:
            raise UsageError(
                f"the key {key} has {len(key)} characters; S3 allows {_LONGEST_KEY}",
                remedy="shorten the prefix of the target, or the names in it",
            )
        return key

    def listing(self) -> Mapping[str, Listed]:
        """Return all objects below the prefix by path; folders of S3's console are none."""
        prefix = self._place.key("")
        found = {}
        with self._wrapped("ListObjectsV2"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(**self._bucket, Prefix=prefix):
                for key, size, version in listed_in(page, self._subject):
                    path = key.removeprefix(prefix)
                    if path and not path.endswith("/"):
                        found[path] = Listed(size, version)
        return found

    def describe(self) -> Mapping[str, str]:
        """Return bucket, prefix, region and endpoint."""
        metadata = self._client.meta
        return {
            "bucket": self._place.bucket,
            "prefix": self._place.prefix or "none",
            "region": str(metadata.region_name),
            "endpoint": str(metadata.endpoint_url),
            "owner": self._place.expected_bucket_owner or "whoever owns the bucket",
        }

    def close(self) -> None:
        """Close connections."""
        self._client.close()


class _NotHeldError(Exception):
    """S3 turned an upload away: the object is another by now, or none."""


class _CollidedError(Exception):
    """S3 turned an upload away because another was being done."""


def _send_at_once(request: AWSPreparedRequest, **_: object) -> None:
    """Let a small upload not wait for S3 to say that it may come, as the SDK lets each wait."""
    # A round trip for every one of thousands; of a large one it saves sending what is turned away.
    if int(request.headers.get("Content-Length", 0)) <= _SMALL and "Expect" in request.headers:
        del request.headers["Expect"]  # it is not signed


def _config() -> Config:
    return Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=POOL,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        # Uploads bring their SHA-256 along; nothing else needs a checksum of the SDK's.
        request_checksum_calculation="when_required",
    )
