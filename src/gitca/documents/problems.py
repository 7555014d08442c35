"""Pydantic's errors as findings, each at the line and column of what a person wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pydantic_core import ErrorDetails

from gitca.documents.compose import Pointer
from gitca.documents.fields import Contradiction, escaped, shown
from gitca.documents.flaws import flaw
from gitca.documents.schema import keys_at
from gitca.documents.source import Source
from gitca.documents.words import listed, nearest
from gitca.findings import Finding


def problems(source: Source, kind: str, error: ErrorDetails) -> Iterator[Finding]:
    """Yield the findings that one of pydantic's errors stands for."""
    # Pydantic marks an error of a mapping's key by a last part `[key]`, which may be a key as well.
    is_of_key = error["type"] != "extra_forbidden" and error["loc"][-1:] == ("[key]",)
    loc = error["loc"][:-1] if is_of_key else error["loc"]
    pointer = _pointer(source.value, loc, missing=error["type"] == "missing")
    place_of = source.key_at if is_of_key else source.at
    contradictions: tuple[Contradiction, ...] = error.get("ctx", {}).get("contradictions", ())
    for one in contradictions:
        yield flaw(one.rule, one.message, place_of(*pointer, *one.at), one.remedy)
    if contradictions or _is_echo(source, error, pointer):
        return
    if is_of_key or error["type"] == "extra_forbidden":
        yield _unknown_key(source, keys_at(kind, loc[:-1]), pointer)
    elif error["type"] in {"missing", "union_tag_not_found"}:
        yield _missing_key(source, error, pointer)
    else:
        yield _wrong_value(source, error, pointer)


def _is_echo(source: Source, error: ErrorDetails, pointer: Pointer) -> bool:
    """Whether a list is called too short only because its items were refused before."""
    if error["type"] != "too_short":
        return False
    value = _value_at(source.value, pointer)
    # A text stands for a list of one.
    length = len(value) if isinstance(value, list | dict) else 1
    return length >= int(error["ctx"]["min_length"])


def _pointer(value: object, loc: tuple[str | int, ...], *, missing: bool) -> Pointer:
    """Return pydantic's place as a pointer into the source, without the tags of unions."""
    pointer: list[str | int] = []
    for part in loc:
        if _has(value, part):
            value = _value_at(value, (part,))
            pointer.append(part)
    return (*pointer, loc[-1]) if missing else tuple(pointer)


def _unknown_key(source: Source, known: tuple[str, ...], pointer: Pointer) -> Finding:
    key = str(pointer[-1])
    where = named(pointer[:-1])
    message = f"key {shown(key)} is not known in {where}; known are {listed(known)}"
    meant = nearest(key, known)
    remedy = f"write {meant}" if meant else "remove it"
    if pointer == ("metadata", "name"):
        remedy = "remove it: the path is the name"
    return flaw("document.unknown-key", message, source.key_at(*pointer), remedy)


def _missing_key(source: Source, error: ErrorDetails, pointer: Pointer) -> Finding:
    if error["type"] == "union_tag_not_found":
        pointer = (*pointer, "type")
    message = f"key {pointer[-1]} is missing in {named(pointer[:-1])}"
    place = source.at(*pointer[:-1])
    return flaw("document.missing-key", message, place, f"add {pointer[-1]}")


_TYPES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "string_type": ("text", "write text; put what looks like a number or true in quotes"),
        "int_type": ("a whole number", "write a number without quotes"),
        "bool_type": ("true or false", "write true or false without quotes"),
        "tuple_type": ("a list", "write [one, two], or a line with “- ” for each"),
        "mapping_type": ("a mapping", "write key: value below it, indented"),
        "dict_type": ("a mapping", "write key: value below it, indented"),
        "model_type": ("a mapping", "write key: value below it, indented"),
        "model_attributes_type": ("a mapping", "write key: value below it, indented"),
    }
)

# What is allowed, with the places of pydantic's context, and what to do.
_LIMITS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "string_too_short": ("at least {min_length} characters are needed", "write more"),
        "string_too_long": ("at most {max_length} characters are allowed", "shorten it"),
        "too_short": ("at least {min_length} is needed", "add one, or remove the key"),
        "too_long": ("at most {max_length} are allowed", "remove some"),
        "greater_than_equal": ("{ge} or more is allowed", "raise it"),
        "less_than_equal": ("{le} or less is allowed", "lower it"),
        "string_pattern_mismatch": ("text of the form {pattern} is allowed", "rewrite it"),
        "literal_error": ("allowed: {expected}", "write an allowed value"),
        "union_tag_invalid": ("allowed: {expected_tags}", "write an allowed value"),
    }
)


def _wrong_value(source: Source, error: ErrorDetails, pointer: Pointer) -> Finding:
    if error["type"] == "union_tag_invalid":
        pointer = (*pointer, "type")
    seen = described(_value_at(source.value, pointer))
    place = source.at(*pointer)
    if error["type"] in _TYPES:
        wanted, remedy = _TYPES[error["type"]]
        message = f"{named(pointer)} is {seen}, where {wanted} is allowed"
        return flaw("document.type", message, place, remedy)
    allowed, remedy = _LIMITS.get(error["type"], (error["msg"], "rewrite it"))
    context = error.get("ctx", {})
    message = f"{named(pointer)} is {seen}; {allowed.format_map(context).replace(chr(39), '')}"
    meant = nearest(str(_value_at(source.value, pointer)), _choices(context))
    return flaw("document.value", message, place, f"write {meant}" if meant else remedy)


def _choices(context: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the allowed values that pydantic lists as `'a', 'b' or 'c'`."""
    listing = str(context.get("expected", context.get("expected_tags", "")))
    return tuple(re.findall(r"'([^']+)'", listing))


def _has(value: object, part: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value


def _value_at(value: object, pointer: Pointer) -> object:
    """Return the value at a pointer, or the last that is there on the way."""
    for part in pointer:
        if isinstance(value, list | dict) and _has(value, part):
            value = value[part]  # type: ignore[index]  # _has says that the part fits the value
    return value


def described(value: object) -> str:
    """Return what a value is, as a message may say it."""
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return shown(value)
    return f"the number {value}"


def named(pointer: Pointer) -> str:
    """Return a pointer as people write it: `spec.sans.dns[0]`."""
    name = ""
    for part in pointer:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
    return escaped(name[:120]) or "the document"
