"""Which KMS an `awskms:` URI means, and whether the operator lets gitca go there.

A URI comes from `ca/*.yaml`, so from whoever may change a CA, and says where requests signed with
the operator's credentials go. Such a request can be sent on by whoever receives it only to the host
that it was signed for, but it carries digests and, of a role, the session token. So an endpoint is
KMS's own, at this machine, or one that the operator lists in `GITCA_AWS_ENDPOINTS`; and a profile,
which chooses among the operator's identities, is `AWS_PROFILE` or listed in `GITCA_AWS_PROFILES`.

This machine needs no listing: who listens on its loopback runs here already, where the credentials
are. On a machine that strangers share, credentials have to be kept from them by other means too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from gitca.documents.aws_endpoints import ENDPOINTS_VARIABLE, is_allowed, listed_in
from gitca.documents.aws_key_uri import AwsKeyUri, AwsKeyUriError, parse_aws_key_uri
from gitca.errors import UsageError
from gitca.signers import KeyAbsentError

PROFILES_VARIABLE = "GITCA_AWS_PROFILES"

# AWS KMS, "Endpoints and quotas" and "Connect to AWS KMS through a VPC endpoint".
_KMS_HOST = re.compile(
    r"kms(-fips)?\.[a-z0-9-]{5,30}\.(amazonaws\.com(\.cn)?|api\.aws)"
    r"|vpce-[a-z0-9-]{8,60}\.kms(-fips)?\.[a-z0-9-]{5,30}\.vpce\.amazonaws\.com(\.cn)?"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Which KMS, and as whom."""

    region: str | None
    endpoint: str | None
    profile: str | None


def parse_uri(uri: str, environ: Mapping[str, str] = os.environ) -> tuple[AwsKeyUri, Place]:
    """Return what a URI names and where that is, if the operator allows to go there.

    Raises: UsageError; KeyAbsentError for a profile that is not this machine's to use.
    """
    try:
        key = parse_aws_key_uri(uri)
    except AwsKeyUriError as error:
        raise UsageError(error.message, remedy=error.remedy) from error
    if key.endpoint and not is_allowed(
        key.endpoint, _KMS_HOST, listed_in(environ.get(ENDPOINTS_VARIABLE, ""))
    ):
        raise UsageError(
            f"the awskms URI sends requests to {key.endpoint}; allowed are KMS's own endpoints, "
            f"this machine, and what {ENDPOINTS_VARIABLE} lists",
            remedy=f"leave endpoint= out, or set {ENDPOINTS_VARIABLE}={key.endpoint} where gitca "
            "runs",
        )
    profiles = {environ.get("AWS_PROFILE"), *listed_in(environ.get(PROFILES_VARIABLE, ""))}
    if key.profile and key.profile not in profiles:
        raise KeyAbsentError(
            f"the awskms URI asks for the profile {key.profile!r}; allowed are AWS_PROFILE and "
            f"what {PROFILES_VARIABLE} lists",
            remedy=f"set {PROFILES_VARIABLE}={key.profile} where gitca runs, if this repository "
            "may use it",
        )
    return key, Place(key.region, key.endpoint, key.profile)
