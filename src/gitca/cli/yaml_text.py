"""Documents as text: the few shapes of YAML that gitca itself writes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Value = str | Sequence[str] | Mapping[str, "Value"]

# What every YAML reader takes for this very string: a word, a duration, an IPv4 address.
_PLAIN = re.compile(
    r"[A-Za-z][A-Za-z0-9]*(?:[._/-][A-Za-z0-9]+)*|[1-9][0-9]*[mhdwy]|[0-9]+(?:\.[0-9]+){3}"
)
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def quoted(text: str) -> str:
    """The text as the inside of a double-quoted YAML scalar."""
    return "".join(_escaped(char) for char in text)


def scalar(text: str) -> str:
    """The text as a YAML scalar: plain where that is safe, in double quotes elsewhere."""
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return f'"{quoted(text)}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def lines_of(key: str, value: Value, *, indent: int = 0) -> list[str]:
    """The lines of `key: value` in block style; text of several lines stands after a `|`."""
    margin = " " * indent
    if isinstance(value, str):
        if "\n" in value:
            body = [f"{margin}  {line}" for line in value.rstrip("\n").split("\n")]
            return [f"{margin}{key}: |", *body]
        return [f"{margin}{key}: {scalar(value)}"]
    if isinstance(value, Mapping):
        nested = [line for k, v in value.items() for line in lines_of(k, v, indent=indent + 2)]
        return [f"{margin}{key}:", *nested]
    return [f"{margin}{key}:", *(f"{margin}  - {scalar(item)}" for item in value)]


def document_text(kind: str, spec: Mapping[str, Value]) -> str:
    """A whole document of a kind."""
    head = ["apiVersion: gitca/v1", f"kind: {kind}"]
    return "\n".join([*head, *lines_of("spec", spec)]) + "\n"
