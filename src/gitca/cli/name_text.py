"""Distinguished names as text (RFC 4514)."""

from __future__ import annotations

from collections.abc import Sequence

from gitca.x509.template import NameAttribute

# RFC 4514 section 3; every other attribute type is written as its dotted OID.
_KEYWORDS = {
    "2.5.4.3": "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.6": "C",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
}


def name_text(subject: Sequence[NameAttribute]) -> str:
    """The name with its last attribute first (RFC 4514 section 2.1); empty for an empty name."""
    return ",".join(
        f"{_KEYWORDS.get(attribute.oid, attribute.oid)}={_escaped(attribute.value)}"
        for attribute in reversed(subject)
    )


def _escaped(value: str) -> str:
    """The value as RFC 4514 section 2.4 has it."""
    text = "".join(f"\\{char}" if char in '"+,;<>\\' else char for char in value)
    text = text.replace("\0", "\\00")
    if text.startswith(("#", " ")):
        text = f"\\{text}"
    return f"{text[:-1]}\\ " if text.endswith(" ") and len(text) > 1 else text
