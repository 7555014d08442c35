"""What tells one run from another, and one certificate: the randomness that is drawn here alone."""

from __future__ import annotations

import secrets

_SERIAL_BITS = 159  # 20 octets whose first bit is clear (RFC 5280 section 4.1.2.2)


def next_serial() -> int:
    """A serial number: 158 random bits below a set one, so that all have the same length."""
    return 1 << (_SERIAL_BITS - 1) | secrets.randbits(_SERIAL_BITS - 1)


def run_name() -> str:
    """A name for this run, under which it records its orders."""
    return secrets.token_hex(8)
