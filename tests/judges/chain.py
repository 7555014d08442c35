"""What a judge is asked and what it answers: a certification path with its CRLs, and a verdict."""

from __future__ import annotations

import base64
import re
import textwrap
from dataclasses import dataclass
from typing import Literal

Purpose = Literal["server", "client"]

PURPOSE_OIDS: dict[Purpose, str] = {
    "server": "1.3.6.1.5.5.7.3.1",
    "client": "1.3.6.1.5.5.7.3.2",
}


@dataclass(frozen=True, slots=True)
class Chain:
    """A certification path in DER, the trust anchor apart, and the CRLs to hold against it.

    `intermediates` stand leaf side first; `crls` are those of every issuer in the path.
    """

    leaf: bytes
    intermediates: tuple[bytes, ...]
    anchor: bytes
    crls: tuple[bytes, ...]
    purpose: Purpose = "server"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's answer: whether it accepted the path, and its own words."""

    accepted: bool
    words: str

    def __bool__(self) -> bool:
        """Raise: a verdict taken for a truth value would hide the words of a refusal."""
        raise TypeError("ask for verdict.accepted")


def to_pem(der: bytes, label: str = "CERTIFICATE") -> str:
    """Return DER in the textual encoding of RFC 7468."""
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def from_pem(text: str, label: str = "CERTIFICATE") -> tuple[bytes, ...]:
    """Return the DER of every object with that label in a text, in its order."""
    blocks = re.findall(rf"-----BEGIN {label}-----(.*?)-----END {label}-----", text, re.DOTALL)
    return tuple(base64.b64decode(block) for block in blocks)


def bundle(ders: tuple[bytes, ...], label: str = "CERTIFICATE") -> str:
    """Return many DER objects as one PEM text."""
    return "".join(to_pem(der, label) for der in ders)
