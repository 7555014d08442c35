"""Which endpoints a URI of a document may send requests to: one rule for KMS and S3.

A URI comes from a document, so from whoever may change that, and says where requests go that are
signed with the operator's credentials. So an endpoint is AWS's own, at this machine, or one that
the operator lists where gitca runs.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from gitca.documents.aws_uri import is_loopback

ENDPOINTS_VARIABLE = "GITCA_AWS_ENDPOINTS"


def is_allowed(endpoint: str, own_hosts: re.Pattern[str], listed: tuple[str, ...]) -> bool:
    """Return whether requests may go to an endpoint; `own_hosts` are the service's, by https."""
    host = urlsplit(endpoint).hostname or ""
    known = endpoint.startswith("https://") and own_hosts.fullmatch(host) is not None
    return is_loopback(host) or known or endpoint in (each.rstrip("/") for each in listed)


def listed_in(text: str) -> tuple[str, ...]:
    """Return what a variable of the operator's lists, parted by commas."""
    return tuple(filter(None, map(str.strip, text.split(","))))
