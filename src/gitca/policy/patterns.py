"""The patterns of a policy's allow and deny lists, compiled once.

In every pattern `*` stands for one or more characters that do not cross a separator and `**` for
one or more characters that may: the separator is `.` in names and values, `/` in paths. Everything
else stands for itself, the value of an identity template included. No star stands for a star, so
that a value `*` gains nothing, but for DNS: there a whole-label star covers the wildcard label of
`*.example.com`, which the `wildcards` rule judges by itself.
"""

from __future__ import annotations

import functools
import ipaddress
import string
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, Protocol

from gitca.policy.glob import CharacterClass, Glob, literal
from gitca.policy.pattern_tokens import (
    LABEL,
    PatternError,
    Stars,
    Written,
    has_variables,
    host_tokens,
    written,
)
from gitca.policy.uri_patterns import UriPattern
from gitca.x509.refusal import quoted

__all__ = ["Pattern", "PatternError", "PatternKind", "Values", "compile_pattern"]

PatternKind = Literal["dns", "ip", "uri", "email", "value", "path", "oid"]

Values = tuple[tuple[str, str | None], ...]
"""Identity templates, without their braces, and what they stand for; None: for nothing."""

_LONGEST_PATTERN = 1024  # characters; the longest name that RFC 5280 can carry is far shorter
# RFC 5322 atext and the dot, without the star.
_LOCAL_CHARACTERS = string.ascii_letters + string.digits + ".!#$%&'+-/=?^_`{|}~"


class Pattern(Protocol):
    """One entry of an allow or deny list."""

    @property
    def language(self) -> Glob | ipaddress.IPv4Network | ipaddress.IPv6Network | None:
        """All that the pattern may mean, read as widely as `forbids` reads it."""

    def admits(self, value: str) -> bool:
        """Whether an allow-list with this entry allows the value, read as strictly as possible."""

    def forbids(self, value: str) -> bool:
        """Whether a deny-list with this entry denies the value, read as widely as possible."""


@functools.lru_cache(maxsize=8192)
def compile_pattern(kind: PatternKind, text: str, values: Values = ()) -> Pattern:
    """Return the pattern that a policy wrote; a template without a value matches nothing.

    Raises: PatternError, with a message that says what is wrong.
    """
    if len(text) > _LONGEST_PATTERN:
        raise PatternError(f"a pattern of {len(text)} characters; {_LONGEST_PATTERN} are allowed")
    try:
        return _COMPILERS[kind](written(text, dict(values)))
    except PatternError as error:
        raise PatternError(f"{quoted(text)}: {error}") from error


class DnsPattern:
    """A DNS name pattern, compared in A-labels and lower case.

    `*.example.com` also covers the wildcard name `*.example.com`; a partial star (`web-*`) covers
    no wildcard.
    """

    def __init__(self, pattern: Written) -> None:
        self._glob = Glob(host_tokens(pattern.text, pattern.values, wildcards=True))

    @property
    def language(self) -> Glob:
        """Every name that the pattern may mean."""
        return self._glob

    def admits(self, value: str) -> bool:
        """Whether the name, and every name that it covers if it is a wildcard, is allowed."""
        if "*" in value.removeprefix("*."):
            return False
        return self._glob.matches(value)

    def forbids(self, value: str) -> bool:
        """Whether the name, or any name that it covers if it is a wildcard, is denied."""
        if value.startswith("*."):
            return self._glob.overlaps(LABEL, value[1:])
        return self._glob.matches(value)


class IpPattern:
    """An address or a CIDR network; a template stands for one address.

    An IPv4-mapped IPv6 address is the IPv4 address to many verifiers (Go's among them): only a
    network of mapped addresses allows it, and a denied IPv4 network denies it too.
    """

    def __init__(self, pattern: Written) -> None:
        self._network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None
        try:
            if not has_variables(pattern.text):
                self._network = ipaddress.ip_network(pattern.text)
            elif pattern.text in {"{0}", "{+0}"}:
                self._network = _address(pattern.values[0])
            else:
                raise PatternError("a template stands for a whole address, and alone")
        except PatternError:
            raise
        except ValueError as error:
            raise PatternError("neither an address nor a CIDR network") from error

    @property
    def language(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
        """The network; None where a template has no value."""
        return self._network

    def admits(self, value: str) -> bool:
        """Whether the address is in the network."""
        network, address = self._network, ipaddress.ip_address(value)
        if network is None:
            return False
        if _mapped(address) is not None and network.prefixlen < _MAPPED.prefixlen:
            return False
        return address in network

    def forbids(self, value: str) -> bool:
        """Whether the address, or the IPv4 address mapped into it, is in the network."""
        network, address = self._network, ipaddress.ip_address(value)
        mapped = _mapped(address)
        if network is None:
            return False
        return address in network or (mapped is not None and mapped in network)


class EmailPattern:
    """`local@domain`: a star in the local part stands for a run of RFC 5322 atext and dots."""

    def __init__(self, pattern: Written) -> None:
        local, at, domain = pattern.text.rpartition("@")
        if not at or not local:
            raise PatternError("no address pattern such as *@example.com")
        if "**" in local:
            raise PatternError(f"a local part has no depth; write *@{domain}")
        host = literal("@") + host_tokens(domain, pattern.values)
        self._glob = Glob(_LOCAL.tokens(local, pattern.values) + host)
        self._folded = Glob(_ANY_LOCAL.tokens(local.lower(), pattern.values) + host)

    @property
    def language(self) -> Glob:
        """Every address that the pattern may mean, in lower case."""
        return self._folded

    def admits(self, value: str) -> bool:
        """Whether the address matches, the local part to the letter (RFC 5321 section 2.4)."""
        return self._glob.matches(value)

    def forbids(self, value: str) -> bool:
        """Whether the address matches in any case, as mail systems deliver it."""
        return self._folded.matches(value.lower())


class ValuePattern:
    """A pattern for the value of a subject attribute; letters count with their case."""

    def __init__(self, pattern: Written) -> None:
        self._glob = _VALUE.glob(pattern.text, pattern.values)
        self._folded = _ANY_VALUE.glob(pattern.text.casefold(), pattern.values)

    @property
    def language(self) -> Glob:
        """Every value that the pattern may mean, its case folded."""
        return self._folded

    def admits(self, value: str) -> bool:
        """Whether the value matches to the letter."""
        return self._glob.matches(value)

    def forbids(self, value: str) -> bool:
        """Whether the value matches in any case; here a star stands for a star, too."""
        return self._folded.matches(value.casefold())


class PathPattern:
    """A pattern for the path of a request below `requests/`, without its ending."""

    def __init__(self, pattern: Written) -> None:
        segments = pattern.text.split("/")
        if any(not segment or "***" in segment for segment in segments):
            raise PatternError("no path pattern such as payments/**")
        if any("**" in segment and segment != "**" for segment in segments):
            raise PatternError("** stands for whole segments only")
        self._glob = _PATH.glob(pattern.text, pattern.values)

    @property
    def language(self) -> Glob:
        """Every path that the pattern may mean."""
        return self._glob

    def admits(self, value: str) -> bool:
        """Whether the path matches."""
        return self._glob.matches(value)

    def forbids(self, value: str) -> bool:
        """Whether the path matches."""
        return self._glob.matches(value)


class OidPattern:
    """A pattern for object identifiers: stars and templates stand for whole numbers."""

    def __init__(self, pattern: Written) -> None:
        for arc in pattern.text.split("."):
            if not arc.isascii() or not (arc.isdigit() or arc in _WHOLE or _is_hole(arc)):
                raise PatternError(f"{quoted(arc)} is no number and no star that stands for one")
        self._glob = _ARCS.glob(pattern.text, pattern.values)

    @property
    def language(self) -> Glob:
        """Every object identifier that the pattern may mean."""
        return self._glob

    def admits(self, value: str) -> bool:
        """Whether the object identifier matches."""
        return self._glob.matches(value)

    def forbids(self, value: str) -> bool:
        """Whether the object identifier matches."""
        return self._glob.matches(value)


_NO_STAR = CharacterClass(frozenset("*"), excluded=True)
_ANYTHING = CharacterClass(frozenset(), excluded=True)
_VALUE = Stars(CharacterClass(frozenset(".*"), excluded=True), _NO_STAR)
_ANY_VALUE = Stars(CharacterClass(frozenset("."), excluded=True), _ANYTHING)
_PATH = Stars(CharacterClass(frozenset("/*"), excluded=True), _NO_STAR)
_LOCAL_PART = CharacterClass(frozenset(_LOCAL_CHARACTERS))
_LOCAL = Stars(_LOCAL_PART, _LOCAL_PART)
_ANY_LOCAL_PART = CharacterClass(frozenset(_LOCAL_CHARACTERS + "*"))
_ANY_LOCAL = Stars(_ANY_LOCAL_PART, _ANY_LOCAL_PART)
_ARCS = Stars(CharacterClass(frozenset(string.digits)), CharacterClass(frozenset("0123456789.")))
_WHOLE = frozenset({"*", "**"})
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")

_COMPILERS: Mapping[PatternKind, Callable[[Written], Pattern]] = MappingProxyType(
    {
        "dns": DnsPattern,
        "ip": IpPattern,
        "uri": UriPattern,
        "email": EmailPattern,
        "value": ValuePattern,
        "path": PathPattern,
        "oid": OidPattern,
    }
)


def _address(value: str | None) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Return the network of the one address that a value is, None where it is none."""
    try:
        return ipaddress.ip_network(ipaddress.ip_address(value or ""))
    except ValueError:
        return None


def _mapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None


def _is_hole(arc: str) -> bool:
    return arc.startswith("{") and arc.endswith("}") and arc.count("{") == 1
