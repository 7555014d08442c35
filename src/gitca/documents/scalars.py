"""Plain scalars by the core schema of YAML 1.2 (section 10.3.2), less what surprises people.

Numbers are decimal without leading zeros: `0123`, `0x1f` and `12:34:56` stay text, as do `yes`,
`on`, `NO` and dates, which YAML 1.1 would change.
"""

from __future__ import annotations

import math
import re

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
# Every scalar that is not text begins with one of these.
_FIRST = frozenset("0123456789+-.tTfFnN~")
_LONGEST_NUMBER = 18


class UnfitNumberError(ValueError):
    """A number that JSON or 64 bits cannot hold."""


def plain_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of a plain (unquoted) scalar.

    Raises: UnfitNumberError for infinities, not-a-number, and more than 18 digits.
    """
    if text and text[0] not in _FIRST:
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(_bounded(text))
    if _FLOAT.fullmatch(text):
        return _float(text)
    if _NOT_FINITE.fullmatch(text):
        raise UnfitNumberError("is not a finite number")
    return text


def _bounded(text: str) -> str:
    digits = len(text.lstrip("+-"))
    if digits > _LONGEST_NUMBER:
        raise UnfitNumberError(f"is a number of {digits} digits, {_LONGEST_NUMBER} are allowed")
    return text


def _float(text: str) -> float:
    if len(text) > 2 * _LONGEST_NUMBER:
        raise UnfitNumberError(f"is a number of {len(text)} characters, 36 are allowed")
    value = float(text)
    if math.isinf(value):
        raise UnfitNumberError("is too large for a number")
    return value
