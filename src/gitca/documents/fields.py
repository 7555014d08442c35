"""The forms that single values take in documents, each with its check and its JSON Schema."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, Strict, StringConstraints
from pydantic.json_schema import WithJsonSchema
from pydantic_core import PydanticCustomError

ItemT = TypeVar("ItemT")

SHOWN = 60
"""How many characters of a value a message repeats at most."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What is wrong between the fields of a model; `at` leads from the model to the field."""

    rule: str
    message: str
    remedy: str
    at: tuple[str | int, ...] = ()


def refuse(rule: str, message: str, remedy: str = "") -> PydanticCustomError:
    """Return the error that a validator raises; it becomes a finding at the value's place."""
    return refuse_all((Contradiction(rule, message, remedy),))


def refuse_all(contradictions: tuple[Contradiction, ...]) -> PydanticCustomError:
    """Return one error that carries several contradictions, each of which becomes a finding."""
    # They travel in the context, so that braces in them are not taken for a template.
    return PydanticCustomError("contradiction", "refused", {"contradictions": contradictions})


def shown(value: object) -> str:
    """Return a value as a message may repeat it: in quotes, escaped, cut after 60 characters."""
    text = str(value)
    return f"“{escaped(text if len(text) <= SHOWN else f'{text[:SHOWN]}…')}”"


def escaped(text: str) -> str:
    """Return a text whose invisible and control characters are escape sequences."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


# A YAML sequence arrives as a list and is kept as a tuple; its items stay strict.
Items = Annotated[tuple[ItemT, ...], Strict(False)]


KeyT = TypeVar("KeyT")


def no_entries() -> Mapping[Any, Any]:
    """Return the empty mapping that stands for an absent one."""
    return MappingProxyType({})


def read_only(value: Mapping[KeyT, ItemT]) -> Mapping[KeyT, ItemT]:
    """Return a copy that nothing can change."""
    return MappingProxyType(dict(value))


Table = Annotated[Mapping[KeyT, ItemT], AfterValidator(read_only)]
"""A mapping in the order of the document that nothing can change afterwards."""

UNITS: Mapping[str, timedelta] = MappingProxyType(
    {
        "m": timedelta(minutes=1),
        "h": timedelta(hours=1),
        "d": timedelta(days=1),
        "w": timedelta(weeks=1),
        "y": timedelta(days=365),
    }
)
LONGEST = 100 * UNITS["y"]
_DURATION = re.compile(r"([1-9][0-9]{0,7})([mhdwy])")
_DURATION_REMEDY = "write a whole number and one unit: 30m, 12h, 90d, 2w or 1y (365 days)"


def parse_duration(text: str) -> timedelta:
    """Return the duration that `90d`, `12h`, `30m`, `2w` or `1y` (365 days) states.

    Raises: PydanticCustomError (rule `document.duration`) for any other form, for nothing, and for
    more than 100 years.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise refuse("document.duration", f"{shown(text)} is not a duration", _DURATION_REMEDY)
    count, unit = int(match[1]), UNITS[match[2]]
    # Compared before they are multiplied: a timedelta overflows.
    if count > LONGEST // unit:
        raise refuse("document.duration", f"duration {text} is above 100y", "shorten it")
    return count * unit


def duration_text(duration: timedelta) -> str:
    """Return a duration as documents write it, in the largest of y, d, h, m that is exact."""
    for unit in ("y", "d", "h", "m"):
        count, rest = divmod(duration, UNITS[unit])
        if count and not rest:
            return f"{count}{unit}"
    return f"{int(duration.total_seconds())}s"


def _duration(value: object) -> timedelta:
    if not isinstance(value, str):
        raise refuse("document.type", f"{shown(value)} is not a duration", _DURATION_REMEDY)
    return parse_duration(value)


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,7}[mhdwy]$"}),
]
"""`90d`, `12h`, `30m`, `2w`, `1y` (365 days): above nothing, at most 100 years."""

_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def parse_timestamp(text: str) -> datetime:
    """Return the time that `2026-11-20T00:00:00Z` states, aware and in UTC.

    Raises: PydanticCustomError (rule `document.timestamp`) for any other form.
    """
    remedy = "write UTC to the second, as in 2026-11-20T00:00:00Z"
    if _TIMESTAMP.fullmatch(text) is None:
        raise refuse("document.timestamp", f"{shown(text)} is not a time", remedy)
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise refuse("document.timestamp", f"{text} is on no calendar", remedy) from None


def _timestamp(value: object) -> datetime:
    if not isinstance(value, str):
        raise refuse("document.type", f"{shown(value)} is not a time", "write a time as text")
    return parse_timestamp(value)


Timestamp = Annotated[
    datetime,
    BeforeValidator(_timestamp),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
        }
    ),
]
"""A time in UTC to the second, `2026-11-20T00:00:00Z` (RFC 3339)."""


def _form(pattern: str, rule: str, noun: str, remedy: str) -> AfterValidator:
    """Return the check that a text has the form; its finding says what it is not and the remedy."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise refuse(rule, f"{shown(value)} is not {noun}", remedy)
        return value

    return AfterValidator(check)


def _schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$"})


def parse_network(text: str) -> str:
    """Return the canonical text of an address or of a network in CIDR form.

    Raises: ValueError for anything else, for set host bits and for netmasks.
    """
    network = ipaddress.ip_network(text)
    if "/" in text and text.rpartition("/")[2] != str(network.prefixlen):
        raise ValueError("the prefix length is no plain number")
    return str(network)


SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_SEGMENT_REMEDY = "use letters, digits, dots, hyphens and underscores; start with a letter or digit"
_PATH = rf"{SEGMENT}(?:/{SEGMENT})*"

SegmentName = Annotated[
    str, _form(SEGMENT, "document.name", "the name of a CA", _SEGMENT_REMEDY), _schema(SEGMENT)
]
"""The name of a CA: the file's name in `ca/` without `.yaml`."""

PathName = Annotated[
    str,
    _form(
        _PATH,
        "document.name",
        "the name of a policy or request",
        f"{_SEGMENT_REMEDY}; part folders by /; leave .yaml out",
    ),
    _schema(_PATH),
]
"""The name of a policy or request: its path below `policies/` or `requests/` without `.yaml`."""

_SERIAL = r"[1-9a-f][0-9a-f]{0,39}"
Serial = Annotated[
    str,
    _form(
        _SERIAL,
        "document.serial",
        "a serial number",
        "write it in quotes, in lower-case hexadecimal as gitca list prints it: no colons, no 0x,"
        " no leading zeros, at most 40 digits",
    ),
    _schema(_SERIAL),
]
"""A serial number in one form, for it is compared as text: lower-case hexadecimal without leading
zeros, at most 40 digits (RFC 5280 section 4.1.2.2)."""

_KEY_IDENTIFIER = r"sha256:[0-9a-f]{64}"
KeyIdentifier = Annotated[
    str,
    _form(
        _KEY_IDENTIFIER,
        "document.key-identifier",
        "the identifier of a key",
        "write sha256: and the 64 lower-case hexadecimal digits of the key's SPKI digest",
    ),
    _schema(_KEY_IDENTIFIER),
]
"""`sha256:` and the SHA-256 of a SubjectPublicKeyInfo, as `gitca show` prints it."""

OID_PATTERN = (
    r"(?:[01]\.(?:[0-9]|[1-3][0-9])|2\.(?:0|[1-9][0-9]{0,17}))(?:\.(?:0|[1-9][0-9]{0,17})){0,30}"
)
_LONGEST_OID = 63  # octets encoded; cryptography and others read no longer ones


def check_oid(value: str) -> str:
    """Return a dotted object identifier. Raises: PydanticCustomError where none could read it."""
    first, second, *rest = map(int, value.split("."))
    octets = sum(max(1, -(-arc.bit_length() // 7)) for arc in (40 * first + second, *rest))
    if octets > _LONGEST_OID:
        message = f"{shown(value)} takes {octets} octets; allowed are {_LONGEST_OID}"
        raise refuse("document.oid", message, "use a shorter object identifier")
    return value


ObjectIdentifier = Annotated[
    str,
    _form(
        OID_PATTERN,
        "document.oid",
        "an object identifier",
        "write a dotted object identifier, as in 1.3.6.1.4.1.99999.1",
    ),
    AfterValidator(check_oid),
    _schema(OID_PATTERN),
]
"""A dotted object identifier."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
"""Text for people, not empty."""

Label = Annotated[str, StringConstraints(max_length=256)]
LabelName = Annotated[
    str,
    _form(
        r"[A-Za-z0-9][A-Za-z0-9._/-]{0,126}",
        "document.label",
        "the name of a label",
        "use letters, digits, dots, hyphens, underscores and slashes; start with a letter or digit",
    ),
]
Count = Annotated[int, Field(ge=0, le=10_000)]

_BRANCH = (
    r"(?!HEAD$|refs/)(?!.*(?:\.\.|//|/\.|\.lock(?:/|$)|@\{|\.$|/$))"
    r"[A-Za-z0-9_][A-Za-z0-9_./@+-]{0,199}"
)
BranchName = Annotated[
    str,
    _form(
        _BRANCH,
        "document.branch",
        "the name of a branch",
        "write a branch name of letters, digits, and - _ . / + @, as git check-ref-format allows",
    ),
    _schema(_BRANCH),
]
"""The short name of a Git branch, `main`; stricter than git check-ref-format."""
