"""Text that says to software what it says to a reader: no invisible characters, one spelling."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

# Controls, formats (bidirectional overrides, zero width), surrogates, private and unassigned ones,
# line and paragraph separators: none can be seen, all change what is seen.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

# What moves a cursor, breaks a line or turns the order of what is shown: all of the above but
# private and unassigned characters, which show as a box.
_MOVING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class TextFlaw:
    """What is wrong with a text: the last part of a rule, words to follow the text, the remedy."""

    rule: str
    seen: str
    remedy: str


def text_flaw(value: str) -> TextFlaw | None:
    """Return why a text could be read as another than it is, or None."""
    if any(unicodedata.category(character) in _INVISIBLE for character in value):
        seen = "has a NUL, control, bidirectional or other invisible character"
        return TextFlaw("invisible", seen, "write what a reader can see alone")
    if value != unicodedata.normalize("NFC", value):
        seen = "is not in Unicode's NFC form"
        return TextFlaw("normalization", seen, "write composed characters")
    if value != value.strip():
        return TextFlaw("space", "begins or ends with white space", "remove it")
    return None


def spelled_out(text: str) -> str:
    """Return a text on one line, with every control and format character spelled out (`\\x1b`)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelled(char) for char in text)


def _spelled(char: str) -> str:
    if unicodedata.category(char) not in _MOVING:
        return char
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
