"""URIs of places in Amazon S3: `s3://BUCKET[/PREFIX]`, and how to get there.

After `?`, parted by `&`, may stand `region=`, `expectedBucketOwner=` (the account that must own the
bucket: one of the same name in another account is then refused by S3) and `endpoint=`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from gitca.documents.aws_uri import AwsUriError, parse_endpoint, parse_parameters, parse_region

SCHEME = "s3"
PARAMETERS = ("region", "expectedBucketOwner", "endpoint")

# AWS General Reference, "Amazon S3 endpoints and quotas", and Amazon S3 User Guide, "AWS
# PrivateLink for Amazon S3": endpoints of the service, not of a bucket.
OWN_HOSTS = re.compile(
    r"s3(-fips)?(\.dualstack)?\.[a-z0-9-]{5,30}\.amazonaws\.com(\.cn)?"
    r"|bucket\.vpce-[a-z0-9-]{8,60}\.s3\.[a-z0-9-]{5,30}\.vpce\.amazonaws\.com(\.cn)?"
)

_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))
_PREFIX = f"{SCHEME}://"
# Amazon S3 User Guide, "General purpose bucket naming rules".
_BUCKET = re.compile(r"(?!.*\.\.)(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
# Of "Object key naming guidelines" the characters that need no escape in a URL.
_SEGMENT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}")
_LONGEST_PREFIX = 512  # octets; a key has 1,024, and the names of CAs and requests need theirs
_ACCOUNT = re.compile(r"[0-9]{12}")
_EXAMPLE = "write s3://BUCKET/PREFIX?region=eu-west-1"


@dataclass(frozen=True, slots=True)
class S3Uri:
    """A place in S3: keys begin with `prefix` and a slash, or with neither where it is empty."""

    bucket: str
    prefix: str = ""
    region: str | None = None
    expected_bucket_owner: str | None = None
    endpoint: str | None = None

    def key(self, path: str) -> str:
        """Return the key of the object at a path below the prefix."""
        return f"{self.prefix}/{path}" if self.prefix else path

    @property
    def namespace(self) -> str:
        """What tells apart buckets of one name: the endpoint, or AWS's partition behind its own.

        A bucket's name is unique in a partition (User Guide, "General purpose bucket naming
        rules"), whichever of S3's endpoints one comes by.
        """
        parts = urlsplit(self.endpoint or "")
        host = parts.hostname or ""
        is_aws = OWN_HOSTS.fullmatch(host) is not None and parts.port in (None, 443)
        if self.endpoint and not is_aws:
            return self.endpoint.lower()
        places = (self.region or "", *host.split("."))
        found = (name for start, name in _PARTITIONS for each in places if each.startswith(start))
        return next(found, "aws")


def parse_s3_uri(uri: str) -> S3Uri:
    """Return the place that a URI of the scheme `s3` names. Raises: AwsUriError."""
    if not uri.startswith(_PREFIX) or not (uri.isascii() and uri.isprintable()):
        raise AwsUriError("an s3 URI begins with s3:// and is printable ASCII", _EXAMPLE)
    place, question, query = uri.removeprefix(_PREFIX).partition("?")
    bucket, _, prefix = place.partition("/")
    if _BUCKET.fullmatch(bucket) is None or _ADDRESS.fullmatch(bucket):
        raise AwsUriError(
            "the s3 URI names no bucket: after s3:// are allowed 3 to 63 lower-case letters, "
            "digits, dots and hyphens, as S3 has them",
            _EXAMPLE,
        )
    values = parse_parameters(query, PARAMETERS, scheme=SCHEME) if question else {}
    return S3Uri(
        bucket,
        _prefix(prefix.removesuffix("/")),
        parse_region(values.get("region"), scheme=SCHEME),
        _owner(values.get("expectedBucketOwner")),
        parse_endpoint(values.get("endpoint"), scheme=SCHEME),
    )


def _prefix(prefix: str) -> str:
    segments = prefix.split("/") if prefix else []
    if len(prefix) > _LONGEST_PREFIX or not all(map(_SEGMENT.fullmatch, segments)):
        raise AwsUriError(
            "the s3 URI has a prefix that is none: allowed are folders of letters, digits and "
            f". _ -, parted by /, none of them . or .., {_LONGEST_PREFIX} characters in all",
            _EXAMPLE,
        )
    return prefix


def _owner(account: str | None) -> str | None:
    if account is not None and _ACCOUNT.fullmatch(account) is None:
        raise AwsUriError(
            "the s3 URI has expectedBucketOwner= with what is no account; allowed are 12 digits",
            "write the number of the account that owns the bucket",
        )
    return account
