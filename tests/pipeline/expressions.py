"""GitHub's expressions, as far as the workflow files use them; anything else is refused.

GitHub Docs, "Evaluate expressions in workflows and actions". A function or context that is not
known here raises `UnknownSyntaxError`: a step must not be skipped because nobody understood it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Value = Any  # null, boolean, number, string, or a mapping or list of these
_HOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|(?P<sign>&&|\|\||==|!=|[!().,\[\]]))"
)
STATUS = ("success", "failure", "always", "cancelled")


class UnknownSyntaxError(Exception):
    """An expression, key or action that this imitation of GitHub does not know."""


@dataclass
class Scope:
    """What names mean: contexts by their name, and whether a step has failed."""

    contexts: Mapping[str, Value]
    failed: bool = False

    def status(self, function: str) -> bool:
        return {
            "success": not self.failed,
            "failure": self.failed,
            "always": True,
            "cancelled": False,
        }[function]


def fill(text: str, scope: Scope) -> str:
    """Return a text with each `${{ … }}` replaced by its value."""
    filled = _HOLE.sub(lambda hole: to_text(evaluate(hole[1], scope)), text)
    if "${{" in _HOLE.sub("", text):
        raise UnknownSyntaxError(f"an expression without an end: {text!r}")
    return filled


def condition(text: str | None, scope: Scope) -> bool:
    """Say whether a step or job with this `if:` runs.

    Without one of the status functions it runs only if nothing has failed.
    """
    inner = (text or "").strip()
    whole = re.fullmatch(r"\$\{\{(.*?)\}\}", inner, re.DOTALL)
    inner = whole[1] if whole else inner
    if "${{" in inner:
        raise UnknownSyntaxError(f"a condition that is an expression in part: {text!r}")
    asks = any(re.search(rf"\b{name}\s*\(", inner) for name in STATUS)
    if not asks and scope.failed:
        return False
    return truth(evaluate(inner, scope)) if inner else True


def evaluate(text: str, scope: Scope) -> Value:
    """Return the value of one expression, without its `${{ }}`."""
    parser = _Parser(_tokens(text), scope, text)
    value = parser.either()
    parser.end()
    return value


def truth(value: Value) -> bool:
    """Say whether a value is true: false, 0, -0, '' and null are not."""
    return not (value is None or value is False or value in (0, ""))


def to_text(value: Value) -> str:
    """Return a value as a string."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    raise UnknownSyntaxError(f"an object as text: {value!r}")


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise UnknownSyntaxError(f"{text!r} at {text[at:]!r}")
        kind = token.lastgroup or ""
        found.append((kind, token[kind]))
        at = token.end()
    return found


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()  # "GitHub ignores case when comparing strings"
    return bool(one == other if type(one) is type(other) else _number(one) == _number(other))


def _number(value: Value) -> float:
    """Return a value as a number: '' and null are 0, other words are not a number."""
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return float("nan")


def _contains(where: Value, what: Value) -> bool:
    if isinstance(where, Sequence) and not isinstance(where, str):
        return any(_same(each, what) for each in where)
    return to_text(what).casefold() in to_text(where).casefold()


def _format(text: Value, *values: Value) -> str:
    return re.sub(r"\{(\d+)\}", lambda hole: to_text(values[int(hole[1])]), to_text(text))


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "contains": _contains,
    "startsWith": lambda text, start: (
        to_text(text).casefold().startswith(to_text(start).casefold())
    ),
    "endsWith": lambda text, end: to_text(text).casefold().endswith(to_text(end).casefold()),
    "format": _format,
    "fromJSON": lambda text: json.loads(to_text(text)),
    "toJSON": lambda value: json.dumps(value, indent=2),
}


@dataclass
class _Parser:
    tokens: list[tuple[str, str]]
    scope: Scope
    text: str
    at: int = field(default=0)

    def end(self) -> None:
        if self.at != len(self.tokens):
            raise UnknownSyntaxError(f"{self.text!r}: {self.tokens[self.at :]}")

    def either(self) -> Value:
        value = self.both()
        while self._take("||"):
            other = self.both()
            value = value if truth(value) else other
        return value

    def both(self) -> Value:
        value = self.compared()
        while self._take("&&"):
            other = self.compared()
            value = other if truth(value) else value
        return value

    def compared(self) -> Value:
        value = self.negated()
        for sign in ("==", "!="):
            if self._take(sign):
                return _same(value, self.negated()) == (sign == "==")
        return value

    def negated(self) -> Value:
        return not truth(self.negated()) if self._take("!") else self.single()

    def single(self) -> Value:
        if self._take("("):
            value = self.either()
            self._need(")")
            return value
        kind, word = self._next()
        if kind == "string":
            return word[1:-1].replace("''", "'")
        if kind == "number":
            return float(word) if "." in word else int(word)
        if kind != "name":
            raise UnknownSyntaxError(f"{self.text!r} at {word!r}")
        constants: Mapping[str, Value] = {"true": True, "false": False, "null": None}
        if word in constants:
            return constants[word]
        return self._call(word) if self._take("(") else self._look_up(word)

    def _call(self, name: str) -> Value:
        arguments = []
        while not self._take(")"):
            arguments.append(self.either())
            if not self._take(","):
                self._need(")")
                break
        if name in STATUS:
            return self.scope.status(name)
        if name not in FUNCTIONS:
            raise UnknownSyntaxError(f"{self.text!r}: the function {name}")
        return FUNCTIONS[name](*arguments)

    def _look_up(self, name: str) -> Value:
        if name not in self.scope.contexts:
            raise UnknownSyntaxError(f"{self.text!r}: the context {name} is not available here")
        value = self.scope.contexts[name]
        while True:
            if self._take("."):
                value = _member(value, self._next()[1])
            elif self._take("["):
                value = _member(value, self.either())
                self._need("]")
            else:
                return value

    def _next(self) -> tuple[str, str]:
        if self.at == len(self.tokens):
            raise UnknownSyntaxError(f"{self.text!r} ends early")
        self.at += 1
        return self.tokens[self.at - 1]

    def _take(self, sign: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at] == ("sign", sign)
        self.at += found
        return found

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise UnknownSyntaxError(f"{self.text!r} lacks {sign}")


def _member(value: Value, name: Value) -> Value:
    """Return a property or element; null where there is none, as GitHub does."""
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, list) and isinstance(name, int):
        return value[name] if 0 <= name < len(value) else None
    return None
