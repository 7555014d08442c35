"""The `s3:` publisher: a bucket of Amazon S3, or a prefix in one.

`s3://BUCKET/PREFIX?region=R`, also `&expectedBucketOwner=ACCOUNT`, and `&endpoint=URL` where the
operator allows it. boto3 is imported when a target is opened. docs/publishing.md tells operators.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gitca.publishers.s3_place import parse_target

if TYPE_CHECKING:
    from gitca.publishers.s3_publisher import S3Publisher


def open_publisher(uri: str, *, base: Path) -> S3Publisher:
    """Return the publisher of a bucket; nothing is sent yet.

    Raises: UsageError for a malformed or forbidden URI, and where the AWS configuration of the
    machine allows no connection.
    """
    place = parse_target(uri)
    from gitca.publishers.s3_publisher import S3Publisher

    return S3Publisher(place)
