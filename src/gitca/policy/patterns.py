"""The patterns of a policy's allow and deny lists, compiled once.

In every pattern `*` stands for one or more characters that do not cross a separator and `**` for
one or more characters that may: the separator is `.` in names and values, `/` in paths. Everything
else stands for itself. No star stands for a star, so that a value `*` gains nothing, but for DNS:
there a whole-label star covers the wildcard label of `*.example.com`, which the `wildcards` rule
judges by itself.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import string
from typing import Literal, Protocol

import idna

from gitca.policy.glob import CharacterClass, Glob, Token, literal
from gitca.x509.refusal import quoted

PatternKind = Literal["dns", "ip", "uri", "email", "value", "path"]

_LONGEST_PATTERN = 1024  # characters; the longest name that RFC 5280 can carry is far shorter
_STARS = re.compile(r"(\*+)")
_LDH = re.compile(r"[a-z0-9_-]+")
_HOST_CHARACTERS = string.ascii_lowercase + string.digits + "-_"
# RFC 3986 pchar without the star, percent-encoding and `@`: no other spelling of a path fits.
_SEGMENT_CHARACTERS = string.ascii_letters + string.digits + "-._~!$&'()+,;=:"
# RFC 5322 atext and the dot, without the star.
_LOCAL_CHARACTERS = string.ascii_letters + string.digits + ".!#$%&'+-/=?^_`{|}~"


class PatternError(ValueError):
    """A pattern that can mean nothing, or nothing that its author can have meant."""


class Pattern(Protocol):
    """One entry of an allow or deny list."""

    def admits(self, value: str) -> bool:
        """Whether an allow-list with this entry allows the value, read as strictly as possible."""

    def forbids(self, value: str) -> bool:
        """Whether a deny-list with this entry denies the value, read as widely as possible."""


@functools.lru_cache(maxsize=8192)
def compile_pattern(kind: PatternKind, text: str) -> Pattern:
    """Return the pattern that a policy wrote.

    Raises: PatternError, with a message that says what is wrong.
    """
    if len(text) > _LONGEST_PATTERN:
        raise PatternError(f"a pattern of {len(text)} characters; {_LONGEST_PATTERN} are allowed")
    match kind:
        case "dns":
            return DnsPattern(text)
        case "ip":
            return IpPattern(text)
        case "uri":
            return UriPattern(text)
        case "email":
            return EmailPattern(text)
        case "value":
            return ValuePattern(text)
        case "path":
            return PathPattern(text)


class DnsPattern:
    """A DNS name pattern, compared in A-labels and lower case.

    `*.example.com` also covers the wildcard name `*.example.com`; a partial star (`web-*`) covers
    no wildcard.
    """

    def __init__(self, text: str) -> None:
        self._glob = Glob(_host_tokens(text, wildcards=True))

    def admits(self, value: str) -> bool:
        """Whether the name, and every name that it covers if it is a wildcard, is allowed."""
        if "*" in value.removeprefix("*."):
            return False
        return self._glob.matches(value)

    def forbids(self, value: str) -> bool:
        """Whether the name, or any name that it covers if it is a wildcard, is denied."""
        if value.startswith("*."):
            return self._glob.overlaps(_LABEL, value[1:])
        return self._glob.matches(value)


class IpPattern:
    """An address or a CIDR network.

    An IPv4-mapped IPv6 address is the IPv4 address to many verifiers (Go's among them): only a
    network of mapped addresses allows it, and a denied IPv4 network denies it too.
    """

    def __init__(self, text: str) -> None:
        try:
            self._network = ipaddress.ip_network(text)
        except ValueError as error:
            raise PatternError(
                f"{quoted(text)} is neither an address nor a CIDR network"
            ) from error

    def admits(self, value: str) -> bool:
        """Whether the address is in the network."""
        address = ipaddress.ip_address(value)
        if _mapped(address) is not None and self._network.prefixlen < _MAPPED.prefixlen:
            return False
        return address in self._network

    def forbids(self, value: str) -> bool:
        """Whether the address, or the IPv4 address mapped into it, is in the network."""
        address = ipaddress.ip_address(value)
        mapped = _mapped(address)
        return address in self._network or (mapped is not None and mapped in self._network)


class UriPattern:
    """A URI pattern: stars stand for host labels and for path segments, all else is literal.

    What a star admits has one spelling only: no percent-encoding, no `.`, `..` or empty segment,
    no user, port, query or fragment, no upper case in a host. So no URI that is denied in one
    spelling is allowed in another.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._has_stars = "*" in text
        self._glob = Glob(_uri_tokens(text))

    def admits(self, value: str) -> bool:
        """Whether the URI matches in its one plain spelling."""
        if not self._has_stars:
            return value == self._text
        return self._glob.matches(value) and self._is_plain(value)

    def forbids(self, value: str) -> bool:
        """Whether the URI matches."""
        return self._glob.matches(value)

    def _is_plain(self, value: str) -> bool:
        _, _, path, _ = _split_uri(value)
        segments = path.removeprefix("/").split("/")
        if not segments[-1] and (not path or self._text.endswith("/")):
            segments.pop()
        return not any(segment in {"", ".", ".."} for segment in segments)


class EmailPattern:
    """`local@domain`: a star in the local part stands for a run of RFC 5322 atext and dots."""

    def __init__(self, text: str) -> None:
        local, at, domain = text.rpartition("@")
        if not at or not local:
            raise PatternError(f"{quoted(text)} is no address pattern such as *@example.com")
        if "**" in local:
            raise PatternError(f"{quoted(text)}: a local part has no depth; write *@{domain}")
        host = literal("@") + _host_tokens(domain)
        self._glob = Glob(_local_tokens(local) + host)
        self._folded = Glob(_local_tokens(local.lower()) + host)

    def admits(self, value: str) -> bool:
        """Whether the address matches, the local part to the letter (RFC 5321 section 2.4)."""
        return self._glob.matches(value)

    def forbids(self, value: str) -> bool:
        """Whether the address matches in any case, as mail systems deliver it."""
        return self._folded.matches(value.lower())


class ValuePattern:
    """A pattern for the value of a subject attribute; letters count with their case."""

    def __init__(self, text: str) -> None:
        self._glob = Glob(_value_tokens(text))
        self._folded = Glob(_value_tokens(text.casefold()))

    def admits(self, value: str) -> bool:
        """Whether the value matches to the letter."""
        return self._glob.matches(value)

    def forbids(self, value: str) -> bool:
        """Whether the value matches in any case."""
        return self._folded.matches(value.casefold())


class PathPattern:
    """A pattern for the path of a request below `requests/`, without its ending."""

    def __init__(self, text: str) -> None:
        segments = text.split("/")
        if any(not segment or "***" in segment for segment in segments):
            raise PatternError(f"{quoted(text)} is no path pattern such as payments/**")
        if any("**" in segment and segment != "**" for segment in segments):
            raise PatternError(f"{quoted(text)}: ** stands for whole segments only")
        self._glob = Glob(_starred(text, CharacterClass(frozenset("/*"), excluded=True), _NO_STAR))

    def admits(self, value: str) -> bool:
        """Whether the path matches."""
        return self._glob.matches(value)

    def forbids(self, value: str) -> bool:
        """Whether the path matches."""
        return self._glob.matches(value)


_NO_STAR = CharacterClass(frozenset("*"), excluded=True)
_LABEL = CharacterClass(frozenset(_HOST_CHARACTERS))
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def _mapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None


def _starred(text: str, one: CharacterClass, deep: CharacterClass) -> list[Token]:
    """Return the tokens of text in which `*` repeats the class `one` and `**` the class `deep`."""
    tokens: list[Token] = []
    for part in _STARS.split(text):
        if part == "*":
            tokens.append(Token(one, repeats=True))
        elif part == "**":
            tokens.append(Token(deep, repeats=True))
        elif part.startswith("*"):
            raise PatternError(f"{quoted(text)}: {part} means nothing; write * or **")
        else:
            tokens.extend(literal(part))
    return tokens


def _value_tokens(text: str) -> list[Token]:
    return _starred(text, CharacterClass(frozenset(".*"), excluded=True), _NO_STAR)


def _local_tokens(text: str) -> list[Token]:
    characters = CharacterClass(frozenset(_LOCAL_CHARACTERS))
    return _starred(text, characters, characters)


def _host_tokens(text: str, *, wildcards: bool = False) -> list[Token]:
    """Return the tokens of a host pattern, label by label, in A-labels and lower case."""
    tokens: list[Token] = []
    for label in text.split("."):
        tokens += literal(".") if tokens else []
        tokens += _label_tokens(label, text, star="*" if wildcards else "")
    return tokens


def _label_tokens(label: str, text: str, *, star: str) -> list[Token]:
    if label in {"*", "**"}:
        separator = "." if label == "**" else ""
        return [Token(CharacterClass(frozenset(_HOST_CHARACTERS + separator + star)), repeats=True)]
    if "**" in label:
        raise PatternError(f"{quoted(text)}: ** stands for whole labels only")
    ascii_label = label.lower() if label.isascii() else _a_label(label.lower(), text)
    if not _LDH.fullmatch(ascii_label.replace("*", "")):
        raise PatternError(f"{quoted(text)}: {quoted(label)} is no label of a host name")
    return _starred(ascii_label, _LABEL, _LABEL)


def _a_label(label: str, text: str) -> str:
    """Return the A-label of a U-label (RFC 5890 section 2.3.2.1)."""
    try:
        return idna.encode(label, uts46=False).decode("ascii")
    except idna.IDNAError as error:
        raise PatternError(
            f"{quoted(text)}: {quoted(label)} is no label by IDNA 2008 ({error})"
        ) from error


def _split_uri(text: str) -> tuple[str, str, str, str]:
    """Return scheme, authority (with its `//`), path and the rest from `?` or `#` on."""
    scheme, _, rest = text.partition(":")
    ending = min((at for at in (rest.find("?"), rest.find("#")) if at >= 0), default=len(rest))
    body, tail = rest[:ending], rest[ending:]
    if not body.startswith("//"):
        return scheme, "", body, tail
    slash = body.find("/", 2)
    slash = len(body) if slash < 0 else slash
    return scheme, body[:slash], body[slash:], tail


def uri_host(uri: str) -> str:
    """Return the host of a URI in lower case, without user and port; empty where it has none."""
    _, authority, _, _ = _split_uri(uri)
    host = authority.removeprefix("//").rpartition("@")[2]
    return host.lower() if host.startswith("[") else host.partition(":")[0].lower()


def _uri_tokens(text: str) -> list[Token]:
    """Return the tokens of a URI pattern (RFC 3986 section 3)."""
    scheme, authority, path, tail = _split_uri(text)
    if not scheme or "*" in scheme or ":" not in text:
        raise PatternError(
            f"{quoted(text)}: a URI pattern begins with a literal scheme and a colon"
        )
    if "*" in tail:
        raise PatternError(f"{quoted(text)}: stars stand for host labels and path segments only")
    segments = path.split("/")
    if any("**" in segment and segment != "**" for segment in segments):
        raise PatternError(f"{quoted(text)}: ** stands for whole segments only")
    one = CharacterClass(frozenset(_SEGMENT_CHARACTERS))
    deep = CharacterClass(frozenset(_SEGMENT_CHARACTERS + "/"))
    tokens = literal(f"{scheme}:") + _authority_tokens(authority, text)
    return tokens + _starred(path, one, deep) + literal(tail)


def _authority_tokens(authority: str, text: str) -> list[Token]:
    if "*" not in authority:
        return literal(authority)
    host, colon, port = authority.removeprefix("//").partition(":")
    if "*" in port or "@" in authority:
        raise PatternError(f"{quoted(text)}: a star stands for labels of the host only")
    return literal("//") + _host_tokens(host) + literal(colon + port)
