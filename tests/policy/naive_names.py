"""Whether a policy, as plain data, allows a name: written as plainly and as slowly as possible."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from naive_matcher import naive

Data = dict[str, Any]
Fits = Callable[[str, str], bool]

PUBLIC_SUFFIXES = {"co.uk", "uk", "com"}
"""Those that the tests' names are below; the real list is long."""
LABELS = ("a", "b", "api", "zz9")
"""What a wildcard stands for: enough labels to meet each pattern of the tests."""


@dataclass(frozen=True)
class Identity:
    """What the templates of patterns stand for."""

    name: str
    labels: dict[str, str]

    def filled(self, pattern: str, allowed: str) -> str | None:
        """Return a pattern with its templates filled in; None where one stands for nothing.

        A value that is not made of the allowed characters, stars not among them, is none.
        """
        for template in re.findall(r"\{[^}]*\}", pattern):
            value = self._value(template[1:-1])
            if not value or not re.fullmatch(allowed, value):
                return None
            pattern = pattern.replace(template, value)
        return pattern

    def _value(self, template: str) -> str | None:
        if template.startswith("labels."):
            return self.labels.get(template.removeprefix("labels."))
        assert template == "path[-1]", template
        return self.name.split("/")[-1]


def concrete(name: str) -> list[str]:
    """Return the names that a DNS name stands for: itself, or some that a wildcard covers."""
    return [f"{label}{name[1:]}" for label in LABELS] if name.startswith("*.") else [name]


def text(pattern: str, value: str) -> bool:
    return naive(pattern, value, separators=".")


def dns(pattern: str, value: str) -> bool:
    return naive(pattern.lower(), value, separators=".")


def ip(pattern: str, value: str) -> bool:
    address, network = ipaddress.ip_address(value), ipaddress.ip_network(pattern)
    mapped = getattr(address, "ipv4_mapped", None)
    return address in network and not (mapped and network.prefixlen < 96)


def ip_denied(pattern: str, value: str) -> bool:
    address, network = ipaddress.ip_address(value), ipaddress.ip_network(pattern)
    mapped = getattr(address, "ipv4_mapped", None)
    return address in network or bool(mapped and mapped in network)


def email(pattern: str, value: str) -> bool:
    local, _, domain = value.rpartition("@")
    local_pattern, _, domain_pattern = pattern.rpartition("@")
    return naive(local_pattern, local, separators="@") and dns(domain_pattern, domain.lower())


def uri(pattern: str, value: str) -> bool:
    """Whether a URI fits: with stars, only one of a plain host and plain segments does."""
    if "*" not in pattern:
        return pattern == value
    parts = re.fullmatch(r"([a-z]+)://([a-z0-9.-]+)((?:/[A-Za-z0-9._-]+)*)", value)
    wanted = re.fullmatch(r"([a-z]+)://([^/]+)(.*)", pattern)
    assert wanted is not None, pattern
    if parts is None or {".", ".."} & set(parts[3].split("/")):
        return False
    return (
        parts[1] == wanted[1]
        and naive(wanted[2], parts[2], separators=".")
        and naive(wanted[3], parts[3], separators="/")
    )


def oid(pattern: str, value: str) -> bool:
    return naive(pattern, value, separators=".")


FITS: dict[str, tuple[Fits, str]] = {
    "dns": (dns, "[A-Za-z0-9_-]+"),
    "ip": (ip, "[0-9a-f.:]+"),
    "uri": (uri, "[A-Za-z0-9._-]+"),
    "email": (email, "[A-Za-z0-9._-]+"),
    "registeredID": (oid, "[0-9]+"),
    "text": (text, "[^.*]+"),
}
"""By kind: when a pattern fits, and what the value of a template may be made of."""


def allowed(kind: str, patterns: list[str], value: str, identity: Identity) -> bool:
    """Whether a pattern of an allow-list fits a value."""
    fits, characters = FITS[kind]
    filled = (identity.filled(pattern, characters) for pattern in patterns)
    return any(pattern is not None and fits(pattern, value) for pattern in filled)


def denied(kind: str, patterns: list[str], value: str) -> bool:
    """Whether a pattern of a deny-list fits a value, read as a verifier may read it."""
    if kind == "ip":
        return any(ip_denied(pattern, value) for pattern in patterns)
    if kind in {"email", "text"}:
        return any(FITS[kind][0](pattern.lower(), value.lower()) for pattern in patterns)
    return any(FITS[kind][0](pattern, value) for pattern in patterns)


def dns_objections(rules: Data, name: str, identity: Identity) -> Iterator[str]:
    """Yield what a policy's `sans.dns` has against a name."""
    allow, special = rules["allow"], rules.get("special", [])
    bare = [pattern.partition(".")[2] for pattern in allow if re.match(r"\*\*?\.", pattern)]
    listed = allow + (bare if "bareDomain" in special else [])
    for each in concrete(name):
        if not allowed("dns", listed, each, identity):
            yield f"{name} is not allowed"
        if denied("dns", rules.get("deny", []), each):
            yield f"{name} is denied"
    wildcards = rules.get("wildcards", False)
    if "*" in name and wildcards is not True:
        covered = [allowed("dns", wildcards or [], each, identity) for each in concrete(name)]
        if not all(covered) or not name.startswith("*."):
            yield f"{name} is a wildcard"
    if name.lower() not in map(str.lower, allow):
        yield from _special_objections(name, special)


def _special_objections(name: str, special: list[str]) -> Iterator[str]:
    base = name.removeprefix("*.")
    if base == "localhost" or base.endswith(".localhost"):
        if "localhost" not in special:
            yield f"{name} is local"
        return
    if "." not in name and "singleLabel" not in special:
        yield f"{name} has one label"
    is_public = base in PUBLIC_SUFFIXES or (name != base and "." not in base)
    if is_public and "publicSuffix" not in special:
        yield f"{name} is a public suffix"


def directory_allowed(
    patterns: list[Data], name: list[tuple[str, str]], identity: Identity
) -> bool:
    """Whether a directory name, as (attribute, value), is one of a list of patterns."""
    for pattern in patterns:
        wanted = flattened(pattern)
        if [kind for kind, _ in wanted] == [kind for kind, _ in name] and all(
            allowed("text", [each], value, identity)
            for (_, each), (_, value) in zip(wanted, name, strict=True)
        ):
            return True
    return False


def directory_denied(patterns: list[Data], name: list[tuple[str, str]]) -> bool:
    return any(
        all(
            any(kind == wanted and denied("text", [each], value) for kind, value in name)
            for wanted, each in flattened(pattern)
        )
        for pattern in patterns
    )


def flattened(pattern: Data) -> list[tuple[str, str]]:
    return [
        (kind, each)
        for kind, texts in pattern.items()
        for each in ([texts] if isinstance(texts, str) else texts)
    ]


def may_certify(constraints: tuple[Data, Data], kind: str, value: str) -> bool:
    """Whether name constraints, (permitted, excluded) as documents write them, let a name pass."""
    permitted, excluded = (side.get(kind, []) for side in constraints)
    inside = any(_below(kind, value, base) for base in permitted)
    return (inside or not permitted) and not any(_below(kind, value, base) for base in excluded)


def _below(kind: str, value: str, base: str) -> bool:
    """Whether a name lies in a subtree (RFC 5280 section 4.2.1.10)."""
    if kind == "ip":
        return ipaddress.ip_address(value) in ipaddress.ip_network(base)
    if kind == "dns":
        return f".{value}".endswith(f".{base}")
    if kind == "email" and "@" in base:
        return value == base
    host = value.rpartition("@")[2] if kind == "email" else re.split("[/:]+", value)[1]
    return host.endswith(base) if base.startswith(".") else host == base
