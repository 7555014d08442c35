"""The syntax of patterns in policies; `policy.patterns` gives them their meaning.

`*` stands for one or more characters within a label or segment, `**` for one or more whole ones.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from gitca.documents.fields import parse_network, refuse, shown

_Pattern = Annotated[str, StringConstraints(min_length=1, max_length=1024)]

_ASCII_LABEL = re.compile(r"[A-Za-z0-9_*-]+")
_UNICODE_LABEL = re.compile(r"[\w-]+")
_SEGMENT = re.compile(r"[A-Za-z0-9*][A-Za-z0-9._*-]*")
_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)(?P<rest>.*)"
)
_URI_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")


def _refuse(value: str, seen: str, remedy: str) -> PydanticCustomError:
    return refuse("policy.pattern", f"pattern {shown(value)} {seen}", remedy)


def _check_text(value: str) -> str:
    if "***" in value:
        raise _refuse(value, "has three stars in a row", "write * or **")
    return value


def _is_whole(part: str) -> bool:
    """Whether two stars, if there are any, are all there is."""
    return "**" not in part or part == "**"


def _is_host(text: str) -> bool:
    return all(
        _is_whole(label)
        and (_ASCII_LABEL if label.isascii() else _UNICODE_LABEL).fullmatch(label) is not None
        for label in text.split(".")
    )


def _check_dns(value: str) -> str:
    if not _is_host(value):
        raise _refuse(
            value,
            "is not made of labels of letters, digits, hyphens and stars, ** alone in its label",
            "write a pattern such as **.example.internal or web-*.example.internal",
        )
    return value


def _check_email(value: str) -> str:
    local, _, domain = value.rpartition("@")
    if _LOCAL_PART.fullmatch(local) is None or "**" in local or not _is_host(domain):
        remedy = "write a pattern such as *@example.internal"
        raise _refuse(value, "is not of the form local@domain, with * alone before @", remedy)
    return value


def _check_uri(value: str) -> str:
    parts = _URI.fullmatch(value)
    if parts is None or _URI_CHARACTERS.fullmatch(value) is None:
        remedy = "write a pattern such as spiffe://example.internal/payments/*"
        raise _refuse(value, "is not an ASCII URI with a literal scheme", remedy)
    authority = parts["authority"] or ""
    host, _, port = authority.partition(":")
    well_placed = "*" not in parts["rest"] + port and ("*" not in authority or _is_host(host))
    if not well_placed or not all(_is_whole(part) for part in parts["path"].split("/")):
        remedy = "use * within host labels and path segments, and ** for whole ones"
        raise _refuse(value, "has stars where they mean nothing", remedy)
    return value


def _check_path(value: str) -> str:
    segments = value.split("/")
    if not all(_SEGMENT.fullmatch(part) is not None and _is_whole(part) for part in segments):
        raise _refuse(
            value,
            "is not made of folder names and stars, ** alone in its segment",
            "write a pattern such as payments/** (without requests/ and .yaml)",
        )
    return value


def _ip_range(value: str) -> str:
    try:
        return parse_network(value)
    except ValueError as error:
        raise refuse(
            "policy.pattern",
            f"{shown(value)} is neither an address nor a network: {error}",
            "write an address, or a network's first address and prefix length, as in 10.0.0.0/8",
        ) from None


TextPattern = Annotated[_Pattern, AfterValidator(_check_text)]
"""A pattern for the value of a subject attribute; its parts lie between dots."""

DnsPattern = Annotated[_Pattern, AfterValidator(_check_dns)]
"""A pattern for DNS names, label by label."""

UriPattern = Annotated[_Pattern, AfterValidator(_check_uri)]
"""A pattern for URIs: the scheme is literal; stars stand in the host and in the path."""

EmailPattern = Annotated[_Pattern, AfterValidator(_check_email)]
"""A pattern for mail addresses: `*` stands in the local part, `*` and `**` in the domain."""

PathPattern = Annotated[_Pattern, AfterValidator(_check_path)]
"""A pattern for the names of requests, segment by segment."""

IpRange = Annotated[_Pattern, AfterValidator(_ip_range)]
"""An address or a network, as a network in the form of `ipaddress`."""
