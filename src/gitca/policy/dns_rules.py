"""What a policy says of DNS names beyond its lists: wildcards, and names of a special kind."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from gitca.documents.name_rules import DnsRules, SpecialName
from gitca.policy.identity import Request, allow_list
from gitca.policy.pattern_lists import pattern_list
from gitca.policy.public_suffix import is_public_suffix
from gitca.x509.names import is_wildcard


def allows(rules: DnsRules, name: str, request: Request) -> bool:
    """Whether the allow-list admits a name, bare domains included where the policy says so."""
    texts = rules.allow
    if "bareDomain" in rules.special:
        texts = _with_bare_domains(texts)
    return allow_list("dns", texts, request).admits(name)


def allows_wildcard(rules: DnsRules, name: str, request: Request) -> bool:
    """Whether a wildcard name may be asked for at all."""
    if isinstance(rules.wildcards, bool):
        return rules.wildcards
    return allow_list("dns", rules.wildcards, request).admits(name)


def unsaid(rules: DnsRules, name: str, request: Request) -> Iterator[SpecialName]:
    """Yield the kinds of a special name that a star alone allows: `special` has none of them."""
    if pattern_list("dns", _literals(rules.allow)).admits(name) or not allows(rules, name, request):
        return
    for kind in special_kinds(name):
        if kind not in rules.special:
            yield kind


def special_kinds(name: str) -> Iterator[SpecialName]:
    """Yield in which ways a DNS name is special, bareDomain, which depends on a pattern, excepted.

    A wildcard is what the domain below its star is; one right below a top-level domain is one
    below a public suffix, listed or not.
    """
    base = name.removeprefix("*.")
    if base == "localhost" or base.endswith(".localhost"):
        yield "localhost"
        return
    if "." not in name:
        yield "singleLabel"
    if is_public_suffix(base) or (is_wildcard(name) and "." not in base):
        yield "publicSuffix"


@functools.lru_cache(maxsize=1024)
def _with_bare_domains(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the patterns and, for each that begins with a star's label, what it stands below."""
    bare = (text.partition(".")[2] for text in texts if text.startswith(("*.", "**.")))
    return (*texts, *bare)


@functools.lru_cache(maxsize=1024)
def _literals(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text for text in texts if "*" not in text and "{" not in text)
