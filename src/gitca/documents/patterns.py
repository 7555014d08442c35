"""The syntax of patterns in policies; `policy` gives them their meaning.

`*` stands for characters within one label or segment, `**` for one or more whole ones.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from gitca.documents.fields import refuse, shown

_Pattern = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


def _check_stars(value: str) -> str:
    if "***" in value:
        raise refuse(
            "policy.pattern",
            f"pattern {shown(value)} has three stars in a row, where one or two are allowed",
            "write * for one label or segment, ** for one or more",
        )
    return value


TextPattern = Annotated[_Pattern, AfterValidator(_check_stars)]
DnsPattern = TextPattern
UriPattern = TextPattern
EmailPattern = TextPattern
PathPattern = TextPattern


def _ip_range(value: str) -> str:
    try:
        network = ipaddress.ip_network(value)
    except ValueError as error:
        raise refuse(
            "policy.pattern.ip",
            f"{shown(value)} is neither an address nor a network: {error}",
            "write an address, or a network's first address and prefix length, as in 10.0.0.0/8",
        ) from None
    return str(network)


IpRange = Annotated[str, AfterValidator(_ip_range)]
"""An address or a network, as a network in the form of `ipaddress`."""

_ = re
