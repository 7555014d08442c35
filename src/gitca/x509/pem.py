"""PEM, the textual encoding of RFC 7468: taken apart strictly, with text around it allowed."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from dataclasses import dataclass

_LINE = re.compile(rb"^[ \t]*-----(BEGIN|END) ([ -,.-~]{0,64})-----[ \t]*\r?$", re.MULTILINE)


class PemError(ValueError):
    """Text that is no PEM, or not whole; the message repeats nothing of the content."""


class TruncatedPemError(PemError):
    """A PEM block without its END line."""


@dataclass(frozen=True, slots=True)
class PemBlock:
    """One block: its label (`CERTIFICATE REQUEST`) and the lines between BEGIN and END."""

    label: str
    body: bytes

    def decode(self) -> bytes:
        """Return the bytes of the block. Raises: PemError when it is not base64 alone."""
        try:
            return base64.b64decode(b"".join(self.body.split()), validate=True)
        except binascii.Error as error:
            raise PemError(f"the {self.label} block is not base64") from error


def is_pem(data: bytes) -> bool:
    """Return whether the bytes claim to hold PEM."""
    return b"-----BEGIN" in data


def pem_blocks(data: bytes) -> tuple[PemBlock, ...]:
    """Return the blocks of a text in order; whatever stands between them is passed over.

    Raises: PemError for a BEGIN or END line that is mangled or has no partner.
    """
    data = data.removeprefix(codecs.BOM_UTF8)  # as Windows' editors begin every file
    lines = list(_LINE.finditer(data))
    if len(lines) != data.count(b"-----BEGIN") + data.count(b"-----END"):
        raise PemError("a BEGIN or END line is mangled or does not stand on a line of its own")
    blocks = []
    for begin, end in zip(lines[::2], [*lines[1::2], None], strict=False):
        if begin[1] != b"BEGIN" or (end and end[2] != begin[2]):
            raise PemError("a BEGIN line and an END line do not belong together")
        label = begin[2].decode("ascii")
        if end is None or end[1] != b"END":
            raise TruncatedPemError(f"the {label} block has no END line")
        blocks.append(PemBlock(label, data[begin.end() : end.start()]))
    return tuple(blocks)


def to_pem(der: bytes, label: str) -> str:
    """Return the PEM text of one object, in lines of 64 characters (RFC 7468 section 2)."""
    text = base64.b64encode(der).decode("ascii")
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])
