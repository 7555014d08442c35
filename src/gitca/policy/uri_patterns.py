"""URI patterns, and the parts of a URI that they and name constraints look at (RFC 3986)."""

from __future__ import annotations

import string

from gitca.policy.glob import CharacterClass, Glob, Token, literal
from gitca.policy.pattern_tokens import PatternError, Stars, Written, has_variables, host_tokens

# RFC 3986 pchar without the star, percent-encoding and `@`: no other spelling of a path fits.
_SEGMENT_CHARACTERS = string.ascii_letters + string.digits + "-._~!$&'()+,;=:"
_SEGMENT = CharacterClass(frozenset(_SEGMENT_CHARACTERS))
_SEGMENTS = CharacterClass(frozenset(_SEGMENT_CHARACTERS + "/"))
_PATH = Stars(_SEGMENT, _SEGMENTS, name=_SEGMENTS)


class UriPattern:
    """A URI pattern: stars stand for host labels and for path segments, all else is literal.

    What a star or a template admits has one spelling only: no percent-encoding, no `.`, `..` or
    empty segment, no user, port, query or fragment, no upper case in a host. So no URI that is
    denied in one spelling is allowed in another.
    """

    def __init__(self, pattern: Written) -> None:
        self._pattern = pattern
        self._glob = Glob(_tokens(pattern))

    @property
    def language(self) -> Glob:
        """Every URI that the pattern may mean."""
        return self._glob

    def admits(self, value: str) -> bool:
        """Whether the URI matches in its one plain spelling."""
        if self._pattern.is_literal:
            return value == self._pattern.text
        return self._glob.matches(value) and self._is_plain(value)

    def forbids(self, value: str) -> bool:
        """Whether the URI matches."""
        return self._glob.matches(value)

    def _is_plain(self, value: str) -> bool:
        _, _, path, _ = _split(value)
        segments = path.removeprefix("/").split("/")
        if not segments[-1] and (not path or self._pattern.text.endswith("/")):
            segments.pop()
        return not any(segment in {"", ".", ".."} for segment in segments)


def uri_host(uri: str) -> str:
    """Return the host of a URI in lower case, without user and port; empty where it has none."""
    _, authority, _, _ = _split(uri)
    host = authority.removeprefix("//").rpartition("@")[2]
    return host.lower() if host.startswith("[") else host.partition(":")[0].lower()


def uri_scheme(uri: str) -> str:
    """Return the scheme of a URI in lower case."""
    return uri.partition(":")[0].lower()


def _split(text: str) -> tuple[str, str, str, str]:
    """Return scheme, authority (with its `//`), path and the rest from `?` or `#` on."""
    scheme, _, rest = text.partition(":")
    ending = min((at for at in (rest.find("?"), rest.find("#")) if at >= 0), default=len(rest))
    body, tail = rest[:ending], rest[ending:]
    if not body.startswith("//"):
        return scheme, "", body, tail
    slash = body.find("/", 2)
    slash = len(body) if slash < 0 else slash
    return scheme, body[:slash], body[slash:], tail


def _tokens(pattern: Written) -> list[Token]:
    """Return the tokens of a URI pattern (RFC 3986 section 3)."""
    scheme, authority, path, tail = _split(pattern.text)
    if not scheme or has_variables(scheme) or ":" not in pattern.text:
        raise PatternError("a URI pattern begins with a literal scheme and a colon")
    if has_variables(tail):
        raise PatternError("stars and templates stand for host labels and path segments only")
    segments = path.split("/")
    if any("**" in segment and segment != "**" for segment in segments):
        raise PatternError("** stands for whole segments only")
    tokens = literal(f"{scheme}:") + _authority_tokens(authority, pattern.values)
    return tokens + _PATH.tokens(path, pattern.values) + literal(tail)


def _authority_tokens(authority: str, values: tuple[str | None, ...]) -> list[Token]:
    if not has_variables(authority):
        return literal(authority)
    host, colon, port = authority.removeprefix("//").partition(":")
    if has_variables(port) or "@" in authority:
        raise PatternError("a star or template stands for labels of the host only")
    return literal("//") + host_tokens(host, values) + literal(colon + port)
