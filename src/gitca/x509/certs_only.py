"""Certificates in one PKCS #7 object: a degenerate SignedData that nobody signed."""

from __future__ import annotations

from collections.abc import Iterable

from gitca.x509 import der

_DATA_OID = "1.2.840.113549.1.7.1"
_SIGNED_DATA_OID = "1.2.840.113549.1.7.2"


def certs_only(certificates: Iterable[bytes]) -> bytes:
    """Return the DER "certs-only" message of DER certificates, in the order of DER's sets.

    RFC 5652 section 5.1, as RFC 5280 section 4.2.2.1 has it for `caIssuers`. Nothing is checked.
    """
    signed_data = der.sequence(
        der.integer(1),
        der.tlv(der.SET, b""),
        der.sequence(der.object_identifier(_DATA_OID)),
        der.explicit(0, *sorted(set(certificates))),
        der.tlv(der.SET, b""),
    )
    return der.sequence(der.object_identifier(_SIGNED_DATA_OID), der.explicit(0, signed_data))
