"""Lists and kinds of names as messages say them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from gitca.x509.refusal import quoted
from gitca.x509.template import GeneralName, GeneralNameKind

_SHOWN = 8  # entries of a list; the document that holds the list shows them all

KIND_WORDS: Mapping[GeneralNameKind, str] = MappingProxyType(
    {
        "dns": "DNS name",
        "ip": "IP address",
        "uri": "URI",
        "email": "e-mail address",
        "otherName": "other name",
        "directoryName": "directory name",
        "registeredID": "registered ID",
    }
)


def allowed(entries: Iterable[str], *, quote: bool = True) -> str:
    """Return `allowed is “a”`, `allowed are “a”, “b”` or `allowed is nothing`, for a message."""
    texts = [quoted(entry) if quote else entry for entry in entries]
    if not texts:
        return "allowed is nothing"
    more = [f"and {len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
    return f"allowed {'is' if len(texts) == 1 else 'are'} {', '.join(texts[:_SHOWN] + more)}"


def name_words(name: GeneralName) -> str:
    """Return a general name with its type, for a message."""
    return f"{KIND_WORDS[name.kind]} {quoted(name.text)}"
