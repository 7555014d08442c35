"""What is published, by kind: media type, and how long caches may keep it.

Lifetimes follow from the object alone, never from the moment of publishing, so that publishing the
same thing again changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gitca.publishers import Item

HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=365)
LONGEST_CRL_AGE = HOUR


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: `cache_control` is the value of that header (RFC 9111 section 5.2)."""

    media_type: str
    cache_control: str

    def item(self, path: str, content: bytes) -> Item:
        """Return an object of this kind."""
        return Item(path, content, self.media_type, self.cache_control)


def _kept(age: timedelta) -> str:
    return f"public, max-age={int(age.total_seconds())}"


CERTIFICATE = Kind("application/pkix-cert", _kept(DAY))  # RFC 2585 section 4.1
CERTIFICATE_PEM = Kind("application/x-pem-file", _kept(DAY))
CHAIN = Kind("application/pem-certificate-chain", _kept(DAY))  # RFC 8555 section 9.1
PKCS7 = Kind("application/pkcs7-mime", _kept(DAY))  # RFC 5280 section 4.2.2.1
ROOTS = Kind("application/x-pem-file", _kept(HOUR))
CURRENT = Kind("application/pem-certificate-chain", "no-cache")
SERIAL = Kind("application/pkix-cert", f"{_kept(YEAR)}, immutable")  # RFC 8246
MANIFEST = Kind("application/json", "no-cache")

_CRL_TYPE = "application/pkix-crl"  # RFC 2585 section 4.2
_CRL_PEM_TYPE = "application/x-pem-file"


def crl_item(
    path: str, content: bytes, *, next_update: datetime, refresh_before: timedelta
) -> Item:
    """Return a CRL, which a cache keeps for an hour at most.

    The next CRL is made `refresh_before` ahead of nextUpdate: a copy that a cache took right before
    that is gone from it by nextUpdate.
    """
    media_type = _CRL_PEM_TYPE if path.endswith(".pem") else _CRL_TYPE
    age = min(LONGEST_CRL_AGE, refresh_before)
    return Item(path, content, media_type, _kept(age), expires=next_update)
