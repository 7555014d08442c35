"""The words that the explanation of a policy is made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from fractions import Fraction

from pydantic import BaseModel

from gitca.documents.fields import UNITS, duration_text
from gitca.x509.refusal import quoted

_SHOWN = 20  # entries of a list; the policy itself shows them all
_UNIT_WORDS = {"y": "year", "d": "day", "h": "hour", "m": "minute"}


def either(values: Iterable[str], *, quote: bool = True, last: str = "or") -> str:
    """Return `“a”, “b” or “c”`."""
    texts = [quoted(value) if quote else value for value in values]
    if len(texts) > _SHOWN:
        texts = [*texts[:_SHOWN], f"{len(texts) - _SHOWN} more"]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {last} {texts[-1]}"


def span(duration: timedelta) -> str:
    """Return a duration in words: `30 days`."""
    for unit, word in _UNIT_WORDS.items():
        count, left = divmod(duration, UNITS[unit])
        if count and not left:
            return number(count, word)
    return number(int(duration.total_seconds()), "second")


def number(count: int, noun: str) -> str:
    """Return `1 day`, `30 days`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def moment(time: datetime) -> str:
    """Return a time in UTC as documents write it."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def rest(model: BaseModel, path: str, told: Collection[str]) -> Iterator[str]:
    """Yield a plain sentence for every field of a model that says something and was not told.

    So a field that this module has no words for is never passed over: its value, and the
    description that the schema has of it.
    """
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if name in told or value == field.get_default(call_default_factory=True):
            continue
        key = f"{path}.{field.alias or name}" if path else str(field.alias or name)
        yield f"{key} is {_plain(value)}. {field.description or ''}".strip()


def _plain(value: object) -> str:
    if isinstance(value, BaseModel):
        return _plain(value.model_dump(by_alias=True, exclude_unset=True))
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_plain(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_plain, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, datetime):
        return moment(value)
    return str(value) if isinstance(value, int | Fraction) else quoted(str(value))
