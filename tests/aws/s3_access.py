"""Who may do what with objects: what is switched off, and what a bucket's policy gives anybody."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from s3_call import S3Call
from s3_errors import S3Error
from s3_objects import bucket_named, find

_CALLER = f"arn:aws:sts::{DEFAULT_ACCOUNT_ID}:assumed-role/publisher/session"
# Without credentials these are held against the bucket's policy; the rest moto does for anybody.
_JUDGED = {"GetObject", "HeadObject", "PutObject", "DeleteObject", "ListObjects", "ListObjectsV2"}


def check_access(call: S3Call, deny: Iterable[str]) -> None:
    """Refuse a call that its caller may not make. Raises: S3Error (AccessDenied).

    Without permission to list, an object that is not there is AccessDenied as well (API Reference,
    "GetObject", Permissions). If-Match needs the permission to read (User Guide, "Conditional
    writes").
    """
    owner = call.headers.get("x-amz-expected-bucket-owner", DEFAULT_ACCOUNT_ID)
    if owner != DEFAULT_ACCOUNT_ID:
        raise S3Error("AccessDenied", message="Access Denied")
    needed = {call.action}
    if call.operation in ("GetObject", "HeadObject") and not _is_there(call):
        needed.add("ListBucket")
    if call.operation == "PutObject" and "if-match" in call.headers:
        needed.add("GetObject")
    if call.is_anonymous:
        if call.operation in _JUDGED and not all(_anybody_may(call, each) for each in needed):
            raise S3Error("AccessDenied", message="Access Denied")
        return
    refused = needed if "*" in deny else needed & set(deny)
    for action in sorted(refused):
        raise S3Error(
            "AccessDenied",
            message=f"User: {_CALLER} is not authorized to perform: s3:{action} on resource: "
            f'"{call.resource}" because no identity-based policy allows the s3:{action} action',
        )


def _is_there(call: S3Call) -> bool:
    return find(bucket_named(call.bucket), call.key) is not None


def _anybody_may(call: S3Call, action: str) -> bool:
    bucket = bucket_named(call.bucket)
    found = find(bucket, call.key) if call.key else None
    if action == "GetObject" and found is not None and found.acl and found.acl.public_read:
        return True
    statements = json.loads(bucket.policy)["Statement"] if bucket.policy else ()
    # For ListBucket the resource is the bucket itself.
    resource = call.resource if action != "ListBucket" else f"arn:aws:s3:::{call.bucket}"
    fitting = [each for each in _all(statements) if _fits(each, action, resource)]
    effects = {each["Effect"] for each in fitting}
    return "Allow" in effects and "Deny" not in effects


def _fits(statement: dict[str, Any], action: str, resource: str) -> bool:
    principal = statement.get("Principal")
    anybody = principal == "*" or (isinstance(principal, dict) and "*" in _all(principal["AWS"]))
    return (
        anybody
        and any(fnmatch.fnmatchcase(f"s3:{action}", each) for each in _all(statement["Action"]))
        and any(fnmatch.fnmatchcase(resource, each) for each in _all(statement["Resource"]))
    )


def _all(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
