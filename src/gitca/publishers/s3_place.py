"""Which S3 an `s3:` URI means, and whether the operator lets gitca go there.

The rule is that of keys in KMS (`documents/aws_endpoints.py`). That a bucket is whoever's is told
by `expectedBucketOwner`; as whom gitca goes there, the AWS SDK's own configuration says alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from gitca.documents.aws_endpoints import ENDPOINTS_VARIABLE, is_allowed, listed_in
from gitca.documents.aws_uri import AwsUriError
from gitca.documents.s3_uri import OWN_HOSTS, S3Uri, parse_s3_uri
from gitca.errors import UsageError


def parse_target(uri: str, environ: Mapping[str, str] = os.environ) -> S3Uri:
    """Return the place that a URI names, if the operator allows to go there. Raises: UsageError."""
    try:
        place = parse_s3_uri(uri)
    except AwsUriError as error:
        raise UsageError(error.message, remedy=error.remedy) from error
    listed = listed_in(environ.get(ENDPOINTS_VARIABLE, ""))
    if place.endpoint and not is_allowed(place.endpoint, OWN_HOSTS, listed):
        raise UsageError(
            f"the s3 URI sends requests to {place.endpoint}; allowed are S3's own endpoints, "
            f"this machine, and what {ENDPOINTS_VARIABLE} lists",
            remedy=f"leave endpoint= out, or set {ENDPOINTS_VARIABLE}={place.endpoint} where gitca "
            "runs",
        )
    return place
