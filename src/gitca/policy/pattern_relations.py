"""What patterns have to do with each other, and with the name constraints of a CA.

Every answer is on the safe side: "no" where it is not certain. An identity template may stand for
anything, so nothing is certain of a pattern with one.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from gitca.policy.glob import Glob
from gitca.policy.patterns import PatternError, PatternKind, compile_pattern
from gitca.policy.uri_patterns import uri_host
from gitca.x509.template import GeneralName


def is_open(text: str) -> bool:
    """Whether a pattern means something else for every request."""
    return "{" in text


@functools.lru_cache(maxsize=4096)
def is_denied(kind: PatternKind, allowed: str, denied: str) -> bool:
    """Whether everything that one pattern allows is denied by another."""
    if is_open(allowed) or is_open(denied):
        return False
    return _is_within(kind, allowed, denied)


@functools.lru_cache(maxsize=4096)
def is_outside(kind: PatternKind, allowed: str, base: GeneralName) -> bool:
    """Whether no name that a pattern allows lies in a subtree of its kind (RFC 5280 4.2.1.10)."""
    if is_open(allowed):
        return False
    if kind == "uri":
        kind, allowed = "dns", uri_host(allowed)
    return bool(allowed) and not any(_meets(kind, allowed, text) for text in _patterns(base))


@functools.lru_cache(maxsize=4096)
def is_inside(kind: PatternKind, allowed: str, base: GeneralName) -> bool:
    """Whether every name that a pattern allows lies in a subtree of its kind."""
    if is_open(allowed) or "@" in base.value:
        return False  # in a subtree of one address letters count with their case
    if kind == "uri":
        kind, allowed = "dns", uri_host(allowed)
    return bool(allowed) and any(_is_within(kind, allowed, text) for text in _patterns(base))


def _patterns(base: GeneralName) -> Iterator[str]:
    """Yield the patterns that together match what lies in a subtree."""
    domain = base.value
    match base.kind:
        case "dns":
            yield from (domain, f"**.{domain}")
        case "uri":
            yield f"**{domain}" if domain.startswith(".") else domain
        case "email" if "@" not in domain:
            yield f"*@**{domain}" if domain.startswith(".") else f"*@{domain}"
        case _:
            yield domain


def _is_within(kind: PatternKind, inner: str, outer: str) -> bool:
    try:
        one, other = compile_pattern(kind, inner).language, compile_pattern(kind, outer).language
    except PatternError:
        return False
    if isinstance(one, Glob) or isinstance(other, Glob):
        return isinstance(one, Glob) and isinstance(other, Glob) and one.is_within(other)
    if one is None or other is None or one.version != other.version:
        return False
    return one.prefixlen >= other.prefixlen and one.network_address in other


def _meets(kind: PatternKind, first: str, second: str) -> bool:
    try:
        one, other = compile_pattern(kind, first).language, compile_pattern(kind, second).language
    except PatternError:
        return True
    if isinstance(one, Glob) or isinstance(other, Glob):
        return not (isinstance(one, Glob) and isinstance(other, Glob)) or one.meets(other)
    return one is None or other is None or one.overlaps(other)
