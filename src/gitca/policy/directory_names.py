"""Directory names against the patterns of a policy, attribute by attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitca.documents.attribute_types import attribute_oid
from gitca.policy.identity import Request, allow_list
from gitca.policy.pattern_lists import pattern_list
from gitca.x509.template import NameAttribute

DirectoryPattern = Mapping[str, tuple[str, ...]]
"""Attribute types to the patterns of their values, in order."""


def admits(
    pattern: DirectoryPattern, attributes: tuple[NameAttribute, ...], request: Request
) -> bool:
    """Whether a name has exactly the attributes of the pattern, in order, with values that fit."""
    wanted = tuple(_flattened(pattern))
    if [oid for oid, _ in wanted] != [attribute.oid for attribute in attributes]:
        return False
    return all(
        allow_list("value", (text,), request).admits(attribute.value)
        for (_, text), attribute in zip(wanted, attributes, strict=True)
    )


def forbids(pattern: DirectoryPattern, attributes: tuple[NameAttribute, ...]) -> bool:
    """Whether a name has every attribute of the pattern, in whatever order and company."""
    return all(
        any(
            attribute.oid == oid and pattern_list("value", (text,)).forbidding(attribute.value)
            for attribute in attributes
        )
        for oid, text in _flattened(pattern)
    )


def pattern_text(pattern: DirectoryPattern) -> str:
    """Return a pattern for a message: `organization=Example,commonName=*`."""
    return ",".join(f"{name}={text}" for name, texts in pattern.items() for text in texts)


def _flattened(pattern: DirectoryPattern) -> Iterator[tuple[str, str]]:
    for name, texts in pattern.items():
        for text in texts:
            yield attribute_oid(name), text
