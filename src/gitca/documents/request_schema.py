"""The JSON Schema that a policy may embed for an organisation's own rules on requests.

It is checked as a schema before any request is held against it, and bounded, so that judging a
request by it ends: no other dialect, no reference to elsewhere, no recursion, and not more than
10,000 subschemas once its references are followed. The regular expressions in it are Python's and
are not bounded: they are written by those who govern the policies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from gitca.documents.fields import Contradiction, refuse_all, shown

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_SUBSCHEMAS = 10_000
_MAX_PATTERN = 512
# They give a schema other names, or make a reference depend on where it is followed from.
_REFUSED_KEYWORDS = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef")

_Pointer = tuple[str | int, ...]


def check_request_schema(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema if it is well-formed and bounded.

    Raises: PydanticCustomError (rules `policy.request-schema.*`) with everything found.
    """
    found = tuple(_keywords(schema, ())) or tuple(_expansion(schema)) or tuple(_against(schema))
    if found:
        raise refuse_all(found)
    return schema


def _keywords(node: object, at: _Pointer) -> Iterator[Contradiction]:
    """Yield what is wrong with dialects, names, references and patterns, wherever they stand."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _keywords(item, (*at, index))
    if not isinstance(node, Mapping):
        return
    for key, value in node.items():
        if isinstance(value, str):
            yield from _keyword(key, value, (*at, key))
        elif key == "patternProperties" and isinstance(value, Mapping):
            for pattern in value:
                yield from _pattern(pattern, (*at, key, pattern))
        yield from _keywords(value, (*at, key))


def _keyword(key: str, value: str, at: _Pointer) -> Iterator[Contradiction]:
    if key == "$schema" and value.rstrip("#") != DIALECT:
        message = f"dialect {shown(value)} is not supported; allowed is {DIALECT}"
        yield Contradiction("policy.request-schema.dialect", message, "remove $schema", at)
    if key == "$ref" and not (value == "#" or value.startswith("#/")):
        message = f"reference {shown(value)} leads out of this schema; allowed is #/$defs/NAME"
        remedy = "copy the subschema under $defs"
        yield Contradiction("policy.request-schema.remote", message, remedy, at)
    if key in _REFUSED_KEYWORDS:
        message = f"keyword {key} is not allowed in a requestSchema"
        remedy = "use $defs and $ref: #/$defs/NAME"
        yield Contradiction("policy.request-schema.keyword", message, remedy, at)
    if key == "pattern":
        yield from _pattern(value, at)


def _pattern(pattern: str, at: _Pointer) -> Iterator[Contradiction]:
    if len(pattern) > _MAX_PATTERN:
        message = f"the pattern has {len(pattern)} characters, {_MAX_PATTERN} are allowed"
        yield Contradiction("policy.request-schema.pattern", message, "shorten it", at)
        return
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        message = f"pattern {shown(pattern)} is no regular expression: {error}"
        yield Contradiction("policy.request-schema.pattern", message, "mend it", at)


class _UnboundedError(Exception):
    """A reference that leads nowhere, or round, or to too much."""


def _expansion(schema: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Yield what is wrong unless the schema stays bounded when references are followed."""
    try:
        _Expansion(schema).size(schema)
    except _UnboundedError as error:
        rule = "policy.request-schema.reference"
        yield Contradiction(rule, str(error), "mend the references under $ref")


class _Expansion:
    """Counts subschemas with references followed, each target once."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._sizes: dict[str, int | None] = {}

    def size(self, node: object) -> int:
        """Return how many nodes a subschema comes to. Raises: _UnboundedError."""
        total = 1
        if isinstance(node, list):
            total += sum(self.size(child) for child in node)
        elif isinstance(node, Mapping):
            total += sum(self.size(child) for child in node.values())
            reference = node.get("$ref")
            total += self._referenced(reference) if isinstance(reference, str) else 0
        if total > MAX_SUBSCHEMAS:
            raise _UnboundedError(
                f"the schema comes to more than {MAX_SUBSCHEMAS} subschemas once its references are"
                " followed"
            )
        return total

    def _referenced(self, reference: str) -> int:
        if reference not in self._sizes:
            self._sizes[reference] = None
            self._sizes[reference] = self.size(self._resolve(reference))
        size = self._sizes[reference]
        if size is None:
            raise _UnboundedError(f"reference {shown(reference)} leads back to itself")
        return size

    def _resolve(self, reference: str) -> object:
        """Return what a local JSON pointer names (RFC 6901 section 6)."""
        node: object = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, Mapping) and name in node:
                node = node[name]
            elif isinstance(node, list) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            else:
                raise _UnboundedError(f"reference {shown(reference)} leads nowhere")
        return node


def _against(schema: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Yield what the meta-schema of draft 2020-12 has against the schema."""
    # 90 ms to import, and few policies embed a schema.
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    for error in validator.iter_errors(schema):
        keyword = ".".join(map(str, error.absolute_path)) or "the schema"
        message = f"{shown(keyword)} is not JSON Schema: {shown(error.message)}"
        remedy = "mend the keyword (JSON Schema draft 2020-12)"
        place = tuple(error.absolute_path)
        yield Contradiction("policy.request-schema.syntax", message, remedy, place)
