"""What URIs of keys and of buckets at AWS share: parameters after `?`, regions and endpoints.

Nothing is asked of AWS here, and no library of AWS's is needed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

REGION = r"[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}"
"""The pattern of a region's name."""

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]")
_NAME = re.compile(r"[A-Za-z_-]{1,30}")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class AwsUriError(ValueError):
    """A URI that names nothing at AWS: what was seen and was allowed, and the remedy.

    Neither repeats what could be a secret that was pasted into the wrong place.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def parse_parameters(query: str, allowed: tuple[str, ...], *, scheme: str) -> Mapping[str, str]:
    """Return the parameters of a URI's query by name, unescaped. Raises: AwsUriError."""
    values: dict[str, str] = {}
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if name not in allowed:
            seen = f"the parameter {name!r}" if equals and _NAME.fullmatch(name) else "a part"
            raise AwsUriError(
                f"the {scheme} URI has {seen} that is unknown; after ? are allowed "
                f"{', '.join(f'{known}=' for known in allowed)}, parted by &",
                "remove it; credentials are given to the AWS SDK, never in a URI",
            )
        if name in values:
            raise AwsUriError(f"the {scheme} URI has {name}= twice; allowed is once", "keep one")
        if not value or _ESCAPE.search(value) or "#" in value:
            raise AwsUriError(
                f"the {scheme} URI has {name}= with no value, a % that escapes nothing, or a #",
                f"write {name}= with its value, or leave it out",
            )
        values[name] = unquote(value)
    return values


def parse_region(given: str | None, *, scheme: str) -> str | None:
    """Return the name of a region as it is given, if any. Raises: AwsUriError."""
    if given is not None and re.fullmatch(REGION, given) is None:
        place = "key" if scheme == "awskms" else "bucket"
        raise AwsUriError(
            f"the {scheme} URI has region= with what is no name of a region; allowed is such as "
            "eu-west-1",
            f"write the region that the {place} is in",
        )
    return given


def parse_endpoint(url: str | None, *, scheme: str) -> str | None:
    """Return an endpoint URL without a path: http to this machine, https to others.

    Raises: AwsUriError.
    """
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise _no_endpoint(scheme) from error
    host = parts.netloc.rpartition("@")[2]
    if ":" in host and not host.endswith("]"):
        host = host.rpartition(":")[0]
    plain = "@" not in parts.netloc and parts.path in ("", "/") and "?" not in url
    if parts.scheme not in ("http", "https") or not plain or not _HOST.fullmatch(host):
        raise _no_endpoint(scheme)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise AwsUriError(
            f"the {scheme} URI has an endpoint of http at {parts.hostname}; allowed is http to "
            "this machine alone (127.0.0.1, [::1], localhost), and https",
            "write https://",
        )
    return url.removesuffix("/")


def _no_endpoint(scheme: str) -> AwsUriError:
    return AwsUriError(
        f"the {scheme} URI has endpoint= with what is no URL of a server; allowed is "
        "https://HOST[:PORT] in lower case, with neither user name nor path",
        "write endpoint=https://HOST, or leave it out for the region's own endpoint",
    )


def is_loopback(host: str) -> bool:
    """Return whether a host, by its name or address, can be no other machine (RFC 6761)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
