"""Name constraint subtrees as documents write them (RFC 5280 section 4.2.1.10)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from gitca.documents.fields import parse_network, refuse, shown

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def _dns(value: str) -> str:
    if _HOST.fullmatch(value) is None:
        raise refuse(
            "authority.name-constraints.dns",
            f"{shown(value)} is not a domain",
            "write the domain in ASCII without a leading dot: it covers itself and what is below",
        )
    return value.lower()


def _ip(value: str) -> str:
    try:
        return parse_network(value)
    except ValueError as error:
        raise refuse(
            "authority.name-constraints.ip",
            f"{shown(value)} is not a network: {error}",
            "write the network's first address and its prefix length, as in 10.0.0.0/8",
        ) from None


def _uri(value: str) -> str:
    if _HOST.fullmatch(value.removeprefix(".")) is None:
        raise refuse(
            "authority.name-constraints.uri",
            f"{shown(value)} is not a host",
            "write the host alone, without scheme and path; a leading dot covers hosts below it",
        )
    return value.lower()


def _email(value: str) -> str:
    local, at, host = value.rpartition("@")
    well_formed = _LOCAL_PART.fullmatch(local) if at else True
    if not well_formed or _HOST.fullmatch(host if at else host.removeprefix(".")) is None:
        raise refuse(
            "authority.name-constraints.email",
            f"{shown(value)} is not an address, a host or a domain",
            "write user@host, host, or .domain for every host below it",
        )
    return f"{local}{at}{host.lower()}"


DnsSubtree = Annotated[str, AfterValidator(_dns)]
"""A domain in lower case without a leading dot."""

IpSubtree = Annotated[str, AfterValidator(_ip)]
"""A network in the form of `ipaddress`."""

UriSubtree = Annotated[str, AfterValidator(_uri)]
"""A host in lower case, or a domain with a leading dot."""

EmailSubtree = Annotated[str, AfterValidator(_email)]
"""An address, a host, or a domain with a leading dot; the host in lower case."""
