"""Bytes to text: what must not be in a document at all, before YAML is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitca.documents.flaws import flaw
from gitca.findings import Finding, Location

MAX_DOCUMENT_SIZE = 256 * 1024
"""Bytes that a document may have."""

# C0 less tab, LF and CR before LF; DEL and C1; NEL, LS and PS, which some parsers take for line
# breaks and others do not; surrogates and non-characters.
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff"
# A byte order mark inside, and what turns the direction of text: a reviewer would read one thing
# and gitca another.
_INVISIBLES = r"\ufeff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_REFUSED = re.compile(rf"\t|\r(?!\n)|[{_CONTROLS}{_INVISIBLES}]")
_REFUSED_IN_VALUE = re.compile(rf"[\r{_CONTROLS}{_INVISIBLES}]")

_TAB = ("yaml.tab", "a tab, where only spaces are allowed", "replace it by spaces")
_CONTROL = ("yaml.control-character", "is not allowed in a document", "remove it")
_INVISIBLE = (
    "yaml.invisible-character",
    "cannot be seen and changes what is read, and is not allowed in a document",
    "remove it",
)


def decode(path: str, data: bytes) -> tuple[str | None, tuple[Finding, ...]]:
    """Return the text of a document, or the findings that speak against looking at it.

    Findings: `document.size`, `yaml.bom`, `yaml.encoding`, `yaml.tab`, `yaml.control-character`,
    `yaml.invisible-character`; one for each line.
    """
    problem = _size(path, data) or _byte_order_mark(path, data)
    if problem:
        return None, (problem,)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, (_not_utf8(path, data, error),)
    if _REFUSED.search(text) is None:
        return text, ()
    return None, tuple(_refused_characters(path, text))


def control_character(value: str) -> str:
    """Return the first character that a value may not hold, as U+XXXX, or nothing.

    Double-quoted YAML can write any character as an escape, so that text that passed `decode`
    yields values that would not.
    """
    found = _REFUSED_IN_VALUE.search(value)
    return _code_point(found[0]) if found else ""


def position(text: str, offset: int) -> tuple[int, int]:
    """Return line and column, from 1, of an offset into a text."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _finding(path: str, rule: str, message: str, remedy: str, at: tuple[int, int]) -> Finding:
    return flaw(rule, message, Location(path, *at), remedy)


def _size(path: str, data: bytes) -> Finding | None:
    if len(data) <= MAX_DOCUMENT_SIZE:
        return None
    message = f"the document has {len(data)} bytes, {MAX_DOCUMENT_SIZE} are allowed"
    return _finding(path, "document.size", message, "split or shorten it", (1, 1))


def _byte_order_mark(path: str, data: bytes) -> Finding | None:
    if not data.startswith(b"\xef\xbb\xbf"):
        return None
    message = "the document begins with a byte order mark, and plain UTF-8 is allowed"
    return _finding(path, "yaml.bom", message, "save it as UTF-8 without BOM", (1, 1))


def _not_utf8(path: str, data: bytes, error: UnicodeDecodeError) -> Finding:
    before = data[: error.start].decode("utf-8")
    message = f"byte 0x{data[error.start]:02x} is not UTF-8, the only encoding that is allowed"
    at = position(before, len(before))
    return _finding(path, "yaml.encoding", message, "save the document as UTF-8", at)


def _refused_characters(path: str, text: str) -> Iterator[Finding]:
    """Yield a finding for the first refused character of each line."""
    line_end = -1
    line = 1
    counted = 0
    for found in _REFUSED.finditer(text):
        if found.start() < line_end:
            continue
        line += text.count("\n", counted, found.start())
        counted = found.start()
        line_end = text.find("\n", found.start())
        line_end = len(text) if line_end < 0 else line_end
        column = found.start() - text.rfind("\n", 0, found.start())
        yield _refused(path, found[0], (line, column))


def _refused(path: str, character: str, at: tuple[int, int]) -> Finding:
    if character == "\t":
        return _finding(path, *_TAB, at)
    rule, said, remedy = _INVISIBLE if re.match(f"[{_INVISIBLES}]", character) else _CONTROL
    return _finding(path, rule, f"character {_code_point(character)} {said}", remedy, at)


def _code_point(character: str) -> str:
    return f"U+{ord(character):04X}"
