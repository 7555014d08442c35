"""Which S3 an `s3:` URI means, and whether the operator lets gitca go there.

The rule is that of keys in KMS (`documents/aws_endpoints.py`). That a bucket is whoever's is told
by `expectedBucketOwner`; as whom gitca goes there, the AWS SDK's own configuration says alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from gitca.documents.aws_endpoints import ENDPOINTS_VARIABLE, is_allowed, listed_in
from gitca.documents.aws_uri import AwsUriError
from gitca.documents.s3_uri import S3Uri, parse_s3_uri
from gitca.errors import UsageError

# AWS General Reference, "Amazon S3 endpoints and quotas", and Amazon S3 User Guide, "AWS
# PrivateLink for Amazon S3": endpoints of the service, not of a bucket.
_S3_HOST = re.compile(
    r"s3(-fips)?(\.dualstack)?\.[a-z0-9-]{5,30}\.amazonaws\.com(\.cn)?"
    r"|bucket\.vpce-[a-z0-9-]{8,60}\.s3\.[a-z0-9-]{5,30}\.vpce\.amazonaws\.com(\.cn)?"
)


def parse_target(uri: str, environ: Mapping[str, str] = os.environ) -> S3Uri:
    """Return the place that a URI names, if the operator allows to go there. Raises: UsageError."""
    try:
        place = parse_s3_uri(uri)
    except AwsUriError as error:
        raise UsageError(error.message, remedy=error.remedy) from error
    listed = listed_in(environ.get(ENDPOINTS_VARIABLE, ""))
    if place.endpoint and not is_allowed(place.endpoint, _S3_HOST, listed):
        raise UsageError(
            f"the s3 URI sends requests to {place.endpoint}; allowed are S3's own endpoints, "
            f"this machine, and what {ENDPOINTS_VARIABLE} lists",
            remedy=f"leave endpoint= out, or set {ENDPOINTS_VARIABLE}={place.endpoint} where gitca "
            "runs",
        )
    return place
