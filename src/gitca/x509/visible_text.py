"""Text that says to software what it says to a reader: no invisible characters, one spelling."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

# Controls, formats (bidirectional overrides, zero width), surrogates, private and unassigned ones,
# line and paragraph separators: none can be seen, all change what is seen.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


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
