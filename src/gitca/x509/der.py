"""DER, as much of it as gitca writes and splits itself (ITU-T X.690 sections 8 and 10).

Certificates are encoded and decoded by `cryptography`; this is for what it does not offer: the
outer shape of signed objects, byte-exact names, and CRLs of any size in linear time. The reader
takes one level apart at a time and never recurses, so that hostile nesting costs nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OID = 0x06
ENUMERATED = 0x0A
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31
CONTEXT = 0xA0  # constructed and context-specific: CONTEXT | 0 is [0]
NULL_DER = b"\x05\x00"

FIRST_GENERALIZED_YEAR = 2050  # RFC 5280 section 4.1.2.5
_FIRST_UTC_TIME_YEAR = 1950
_LONGEST_OID = 64  # octets; names of real things take some ten
_LONGEST_LENGTH = 4  # octets of a length: 4 GiB is beyond every object that is read here


class DerError(ValueError):
    """Bytes that are not the DER that was expected."""


def explicit(number: int, *values: bytes) -> bytes:
    """Return encoded values under an explicit tag `[number]`."""
    return tlv(CONTEXT | number, b"".join(values))


def tlv(tag: int, content: bytes) -> bytes:
    """Return the encoding of one value: identifier octet, shortest length, content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE of encoded values."""
    return tlv(SEQUENCE, b"".join(parts))


def integer(value: int, tag: int = INTEGER) -> bytes:
    """Return an INTEGER in the fewest octets of two's complement."""
    magnitude = value if value >= 0 else ~value
    return tlv(tag, value.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True))


def object_identifier(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER from its dotted form. Raises: DerError."""
    try:
        first, second, *rest = (int(arc) for arc in dotted.split("."))
    except ValueError as error:
        raise DerError(f"{dotted!r} is not a dotted object identifier") from error
    if (
        first not in (0, 1, 2)
        or second < 0
        or (first < 2 and second > 39)
        or min(rest, default=0) < 0
    ):
        raise DerError(f"{dotted!r} is not an object identifier (ITU-T X.660)")
    return tlv(OID, b"".join(_base_128(arc) for arc in (first * 40 + second, *rest)))


def algorithm_identifier(oid: str, *parameters: bytes) -> bytes:
    """Return an AlgorithmIdentifier with encoded parameters, or with none. Raises: DerError."""
    return sequence(object_identifier(oid), *parameters)


def _base_128(arc: int) -> bytes:
    septets = [arc & 0x7F]
    while arc := arc >> 7:
        septets.append(0x80 | (arc & 0x7F))
    return bytes(reversed(septets))


def bit_string(octets: bytes) -> bytes:
    """Return a BIT STRING of whole octets."""
    return tlv(BIT_STRING, b"\x00" + octets)


def time(value: datetime) -> bytes:
    """Return a Time: UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5).

    Raises: DerError for a time without zone or with a fraction of a second.
    """
    moment = _whole_second(value)
    if _FIRST_UTC_TIME_YEAR <= moment.year < FIRST_GENERALIZED_YEAR:
        return tlv(UTC_TIME, f"{moment:%y%m%d%H%M%SZ}".encode())
    return generalized_time(moment)


def generalized_time(value: datetime) -> bytes:
    """Return a GeneralizedTime, whatever the year (RFC 5280 section 5.3.2). Raises: DerError."""
    moment = _whole_second(value)
    return tlv(GENERALIZED_TIME, f"{moment.year:04d}{moment:%m%d%H%M%SZ}".encode())


def _whole_second(value: datetime) -> datetime:
    # A fraction cut off here would let a ledger and a certificate state different times.
    if value.tzinfo is None or value.microsecond:
        raise DerError(f"{value.isoformat()} is not a time in whole seconds with its zone")
    return value.astimezone(UTC)


def read_header(data: bytes, offset: int = 0) -> tuple[int, int, int]:
    """Return (identifier octet, start of the content, end) of the value at `offset`.

    Raises: DerError for a truncated value, a long-form tag, and a length that is indefinite or not
    the shortest.
    """
    if offset + 2 > len(data):
        raise DerError(f"truncated at octet {offset}")
    tag, size, start = data[offset], data[offset + 1], offset + 2
    if tag & 0x1F == 0x1F:
        raise DerError(f"unexpected long-form tag at octet {offset}")
    if size >= 0x80:
        size, start = _long_length(data, start, size & 0x7F)
    if start + size > len(data):
        raise DerError(
            f"truncated: the value at octet {offset} ends at {start + size} of {len(data)}"
        )
    return tag, start, start + size


def _long_length(data: bytes, start: int, count: int) -> tuple[int, int]:
    octets = data[start : start + count]
    if not 1 <= count <= _LONGEST_LENGTH or len(octets) < count:
        raise DerError(f"truncated or indefinite length at octet {start - 1}")
    size = int.from_bytes(octets, "big")
    if size < 0x80 or octets[0] == 0:
        raise DerError(f"length not in its shortest form at octet {start - 1}")
    return size, start + count


def parts(data: bytes, tag: int = SEQUENCE, *, most: int | None = None) -> list[bytes]:
    """Return the encoded values inside the one constructed value that `data` is.

    `most` bounds how many: a value of a few octets each takes many times its length in memory.
    Raises: DerError for another tag, trailing octets, more values and everything `read_header`
    refuses.
    """
    found, offset, end = read_header(data)
    if found != tag:
        raise DerError(f"tag 0x{found:02x} where 0x{tag:02x} was expected")
    if end != len(data):
        raise DerError(f"{len(data) - end} octets of trailing data")
    values: list[bytes] = []
    while offset < end:
        if most is not None and len(values) == most:
            raise DerError(f"more than {most} values")
        _, _, stop = read_header(data, offset)
        values.append(data[offset:stop])
        offset = stop
    return values


def content(value: bytes, tag: int) -> bytes:
    """Return the content octets of the one value that `value` is. Raises: DerError."""
    found, start, end = read_header(value)
    if found != tag or end != len(value):
        raise DerError(f"tag 0x{found:02x} where one value of tag 0x{tag:02x} was expected")
    return value[start:]


def read_integer(value: bytes) -> int:
    """Return the value of an encoded INTEGER. Raises: DerError also when it is not minimal."""
    octets = content(value, INTEGER)
    if not octets or (
        len(octets) > 1 and octets[0] in (0, 0xFF) and (octets[0] ^ octets[1]) < 0x80
    ):
        raise DerError("an INTEGER that is empty or not in its shortest form")
    return int.from_bytes(octets, "big", signed=True)


def read_bit_string(value: bytes) -> bytes:
    """Return the octets of an encoded BIT STRING of whole octets. Raises: DerError."""
    octets = content(value, BIT_STRING)
    if octets[:1] != b"\x00":
        raise DerError("a BIT STRING that is empty or has unused bits")
    return octets[1:]


def read_object_identifier(value: bytes) -> str:
    """Return the dotted form of an encoded OBJECT IDENTIFIER. Raises: DerError."""
    octets = content(value, OID)
    if not octets or octets[-1] & 0x80 or len(octets) > _LONGEST_OID:
        raise DerError("an OBJECT IDENTIFIER that is empty, unfinished or beyond 64 octets")
    arcs, arc = [], 0
    for position, octet in enumerate(octets):
        if octet == 0x80 and (position == 0 or not octets[position - 1] & 0x80):
            raise DerError("an OBJECT IDENTIFIER not in its shortest form")
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(number) for number in (first, arcs[0] - 40 * first, *arcs[1:]))
