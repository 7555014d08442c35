"""ListObjectsV2 of moto's buckets: pages of a thousand keys, in the order of their octets.

moto does this as well, in a time that grows with the square of the number of objects.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from urllib.parse import quote
from xml.sax.saxutils import escape

from moto.s3.models import FakeBucket, FakeKey
from s3_errors import S3Error
from s3_objects import find

_MOST = 1000
# What is asked for with others (`delimiter`, say) is moto's to answer.
KNOWN = {"list-type", "prefix", "max-keys", "continuation-token", "start-after", "encoding-type",
         "fetch-owner"}  # fmt: skip


def page(bucket: FakeBucket, query: Mapping[str, str]) -> bytes:
    """Return a page in XML (API Reference, "ListObjectsV2"). Raises: S3Error."""
    prefix, after = query.get("prefix", ""), _after(query)
    limit = min(int(query.get("max-keys", _MOST)), _MOST)
    keys = sorted(
        (key for key in bucket.keys if key.startswith(prefix) and key.encode() > after),
        key=str.encode,
    )
    there = [found for key in keys if (found := find(bucket, key)) is not None]
    shown, is_truncated = there[:limit], len(there) > limit
    head = {
        "Name": bucket.name,
        "Prefix": prefix,
        "KeyCount": str(len(shown)),
        "MaxKeys": str(limit),
        "IsTruncated": str(is_truncated).lower(),
        **({"EncodingType": "url"} if _is_encoded(query) else {}),
    }
    if is_truncated:
        head["NextContinuationToken"] = base64.urlsafe_b64encode(shown[-1].name.encode()).decode()
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in head.items())
    contents = "".join(_contents(shown, is_encoded=_is_encoded(query)))
    space = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
    return f"<ListBucketResult {space}>{inner}{contents}</ListBucketResult>".encode()


def _after(query: Mapping[str, str]) -> bytes:
    token = query.get("continuation-token")
    if token is None:
        return query.get("start-after", "").encode()
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True)
    except binascii.Error:
        message = "The continuation token provided is incorrect"
        raise S3Error("InvalidArgument", message=message) from None


def _is_encoded(query: Mapping[str, str]) -> bool:
    return query.get("encoding-type") == "url"


def _contents(keys: list[FakeKey], *, is_encoded: bool) -> Iterator[str]:
    for key in keys:
        name = quote(key.name) if is_encoded else escape(key.name)
        yield (
            f"<Contents><Key>{name}</Key>"
            f"<LastModified>{key.last_modified:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<ETag>{escape(key.etag)}</ETag><Size>{key.size}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
        )
