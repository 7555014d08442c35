"""The syntax of patterns in policies; `policy.patterns` gives them their meaning.

`*` stands for one or more characters within a label or segment, `**` for one or more whole ones.
In allow patterns an identity template, `{path[0]}` or `{labels.team}`, may stand where `*` may.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from gitca.documents.fields import parse_network, refuse, shown
from gitca.documents.identity_templates import (
    KNOWN_TEMPLATES,
    has_other_braces,
    replace_templates,
)

_Pattern = Annotated[str, StringConstraints(min_length=1, max_length=1024)]

_ASCII_LABEL = re.compile(r"[A-Za-z0-9_*-]+")
_UNICODE_LABEL = re.compile(r"[\w-]+")
_SEGMENT = re.compile(r"[A-Za-z0-9*][A-Za-z0-9._*-]*")
_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`|~-]+")
_ARC = re.compile(r"\*|\*\*|0|[1-9][0-9]{0,17}")
_SPIFFE_SEGMENT = re.compile(r"[A-Za-z0-9._*-]+")
_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)(?P<rest>.*)"
)
_URI_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")


class _MeaninglessError(ValueError):
    """A pattern that means nothing: what is seen, to follow the pattern, and what to do."""

    def __init__(self, seen: str, remedy: str) -> None:
        super().__init__(seen)
        self.seen = seen
        self.remedy = remedy


def _refusal(value: str, error: _MeaninglessError) -> PydanticCustomError:
    return refuse("policy.pattern", f"pattern {shown(value)} {error.seen}", error.remedy)


def _check_text(value: str) -> str:
    if "***" in value:
        raise _MeaninglessError("has three stars in a row", "write * or **")
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
        raise _MeaninglessError(
            "is not made of labels of letters, digits, hyphens and stars, ** alone in its label",
            "write a pattern such as **.example.internal or web-*.example.internal",
        )
    return value


def _check_email(value: str) -> str:
    local, _, domain = value.rpartition("@")
    if _LOCAL_PART.fullmatch(local) is None or "**" in local or not _is_host(domain):
        remedy = "write a pattern such as *@example.internal"
        raise _MeaninglessError("is not of the form local@domain, with * alone before @", remedy)
    return value


def _check_uri(value: str) -> str:
    parts = _URI.fullmatch(value)
    if parts is None or _URI_CHARACTERS.fullmatch(value) is None:
        remedy = "write a pattern such as spiffe://example.internal/payments/*"
        raise _MeaninglessError("is not an ASCII URI with a literal scheme", remedy)
    authority = parts["authority"] or ""
    host, _, port = authority.partition(":")
    well_placed = "*" not in parts["rest"] + port and ("*" not in authority or _is_host(host))
    if not well_placed or not all(_is_whole(part) for part in parts["path"].split("/")):
        remedy = "use * within host labels and path segments, and ** for whole ones"
        raise _MeaninglessError("has stars where they mean nothing", remedy)
    return value


def _check_path(value: str) -> str:
    segments = value.split("/")
    if not all(_SEGMENT.fullmatch(part) is not None and _is_whole(part) for part in segments):
        raise _MeaninglessError(
            "is not made of folder names and stars, ** alone in its segment",
            "write a pattern such as payments/** (without requests/ and .yaml)",
        )
    return value


def _check_spiffe_path(value: str) -> str:
    segments = value.split("/")
    plain = all(_SPIFFE_SEGMENT.fullmatch(part) and _is_whole(part) for part in segments)
    if not plain or {".", ".."}.intersection(segments):
        raise _MeaninglessError(
            "is not made of SPIFFE path segments and stars, ** alone in its segment",
            "write a pattern such as payments/* (the part after spiffe://TRUST-DOMAIN/)",
        )
    return value


def _check_oid(value: str) -> str:
    arcs = value.split(".")
    if len(arcs) < 2 or not all(_ARC.fullmatch(arc) for arc in arcs):
        remedy = "write a pattern such as 1.3.6.1.4.1.99999.**"
        raise _MeaninglessError("is not made of numbers and stars for whole numbers", remedy)
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


def _plain(check: Callable[[str], str]) -> AfterValidator:
    """Return the check of a pattern in which no template may stand."""

    def checked(value: str) -> str:
        if "{" in value or "}" in value:
            seen = "has a brace, where no identity template means anything"
            remedy = "remove the braces; identity templates stand in allow patterns alone"
            raise _refusal(value, _MeaninglessError(seen, remedy))
        return _checked(check, value, value)

    return AfterValidator(checked)


def _templated(check: Callable[[str], str], *, whole: bool = False) -> AfterValidator:
    """Return the check of a pattern in which templates may stand; `whole`: alone or not at all."""

    def checked(value: str) -> str:
        if has_other_braces(value):
            seen = "has a brace that belongs to no identity template"
            raise _refusal(value, _MeaninglessError(seen, f"known are {KNOWN_TEMPLATES}"))
        if whole and value != replace_templates(value, lambda _: ""):
            return _checked(_check_lone_template, value, value)
        # A template stands where a star does, and for less.
        rest = replace_templates(value, lambda _: "*")
        found = _checked(check, rest, value)
        return found if rest == value else value

    return AfterValidator(checked)


def _checked(check: Callable[[str], str], text: str, written: str) -> str:
    try:
        return check(text)
    except _MeaninglessError as error:
        raise _refusal(written, error) from None


def _check_lone_template(value: str) -> str:
    if replace_templates(value, lambda _: "*") != "*":
        remedy = "write the template alone: it stands for one address"
        raise _MeaninglessError("has a template beside other text", remedy)
    return value


TextPattern = Annotated[_Pattern, _plain(_check_text)]
"""A pattern for the value of a subject attribute; its parts lie between dots."""

DnsPattern = Annotated[_Pattern, _plain(_check_dns)]
"""A pattern for DNS names, label by label."""

UriPattern = Annotated[_Pattern, _plain(_check_uri)]
"""A pattern for URIs: the scheme is literal; stars stand in the host and in the path."""

EmailPattern = Annotated[_Pattern, _plain(_check_email)]
"""A pattern for mail addresses: `*` stands in the local part, `*` and `**` in the domain."""

OidPattern = Annotated[_Pattern, _plain(_check_oid)]
"""A pattern for object identifiers, number by number."""

PathPattern = Annotated[_Pattern, _plain(_check_path)]
"""A pattern for the names of requests, segment by segment."""

IpRange = Annotated[_Pattern, _plain(_ip_range)]
"""An address or a network, as a network in the form of `ipaddress`."""

TextTemplate = Annotated[_Pattern, _templated(_check_text)]
"""A `TextPattern` in which identity templates may stand."""

DnsTemplate = Annotated[_Pattern, _templated(_check_dns)]
"""A `DnsPattern` in which identity templates may stand."""

UriTemplate = Annotated[_Pattern, _templated(_check_uri)]
"""A `UriPattern` in which identity templates may stand, in the host and in the path."""

EmailTemplate = Annotated[_Pattern, _templated(_check_email)]
"""An `EmailPattern` in which identity templates may stand."""

OidTemplate = Annotated[_Pattern, _templated(_check_oid)]
"""An `OidPattern` in which identity templates may stand for whole numbers."""

SpiffePathTemplate = Annotated[_Pattern, _templated(_check_spiffe_path)]
"""A pattern for the path of a SPIFFE ID, without its first slash; templates may stand in it."""

IpTemplate = Annotated[_Pattern, _templated(_ip_range, whole=True)]
"""An `IpRange`, or an identity template that stands for one address."""
