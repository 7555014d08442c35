"""Ed25519ph of RFC 8032 section 5.1, which `cryptography` has not; plain integers, for tests only.

Slow (some milliseconds) and not constant in time: the keys are thrown away with the test.
"""

from __future__ import annotations

import hashlib

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
# RFC 8032 section 2: dom2(F=1, C="") of Ed25519ph.
_DOM2 = b"SigEd25519 no Ed25519 collisions" + bytes([1, 0])

Point = tuple[int, int, int, int]  # extended coordinates: x = X/Z, y = Y/Z, xy = T/Z


def _base() -> Point:
    y = 4 * pow(5, -1, _P) % _P
    x = _recover_x(y, 0)
    return x, y, 1, x * y % _P


def _recover_x(y: int, sign: int) -> int:
    """Return the x of a point with this y and sign. Raises: ValueError (RFC 8032, 5.1.3)."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if (x * x - square) % _P or (x == 0 and sign):
        raise ValueError("not a point of edwards25519")
    return _P - x if x & 1 != sign else x


def _add(p: Point, q: Point) -> Point:
    """Add two points (RFC 8032 section 5.1.4)."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, p: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, p)
        p, scalar = _add(p, p), scalar >> 1
    return result


def _encode(p: Point) -> bytes:
    inverse = pow(p[2], -1, _P)
    x, y = p[0] * inverse % _P, p[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode(data: bytes) -> Point:
    number = int.from_bytes(data, "little")
    y = number & (1 << 255) - 1
    x = _recover_x(y, number >> 255)
    return x, y, 1, x * y % _P


def _hash(data: bytes) -> int:
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % _L


def sign(seed: bytes, message: bytes) -> bytes:
    """Return the Ed25519ph signature with an empty context (RFC 8032 section 5.1.6)."""
    expanded = hashlib.sha512(seed).digest()
    secret = int.from_bytes(expanded[:32], "little") & ((1 << 254) - 8) | 1 << 254
    public = _encode(_times(secret, _base()))
    prehash = hashlib.sha512(message).digest()
    r = _hash(_DOM2 + expanded[32:] + prehash)
    point = _encode(_times(r, _base()))
    k = _hash(_DOM2 + point + public + prehash)
    return point + ((r + k * secret) % _L).to_bytes(32, "little")


def is_valid(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether it is an Ed25519ph signature over a message (RFC 8032 section 5.1.7)."""
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= _L:
        return False
    try:
        key, point = _decode(public), _decode(signature[:32])
    except ValueError:
        return False
    k = _hash(_DOM2 + signature[:32] + public + hashlib.sha512(message).digest())
    return _encode(_times(s, _base())) == _encode(_add(point, _times(k, key)))
