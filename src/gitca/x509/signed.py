"""The outer shape that certificates, CRLs and CSRs share: SIGNED{} of ITU-T X.509.

A SEQUENCE of the bytes to be signed, an AlgorithmIdentifier and a BIT STRING (RFC 5280 sections
4.1.1 and 5.1.1, RFC 2986 section 4.2).
"""

from __future__ import annotations

from gitca.x509 import der
from gitca.x509.algorithms import algorithm_identifier_der, algorithm_of, verify

# A TBSCertificate has 10 values at the most, the others fewer (RFC 5280 section 4.1). What is read
# here before its signature is looked at may be anybody's.
MOST_FIELDS = 16


def assemble(tbs: bytes, signature_algorithm: str, signature: bytes) -> bytes:
    """Return the DER object of its TBS and a signature over it. Raises: AlgorithmRefusedError."""
    identifier_der = algorithm_identifier_der(signature_algorithm)
    return der.sequence(tbs, identifier_der, der.bit_string(signature))


def tbs_of(signed_der: bytes) -> bytes:
    """Return the bytes that a signed object's signature is over. Raises: DerError."""
    tbs, _, _ = _split(signed_der)
    return tbs


def algorithm_name(signed_der: bytes) -> str:
    """Return the name of the algorithm that a signed object says it was signed with.

    Raises: ValueError (DerError, AlgorithmRefusedError).
    """
    _, identifier_der, _ = _split(signed_der)
    return algorithm_of(identifier_der).name


def verify_signature(signed_der: bytes, spki_der: bytes) -> bool:
    """Return whether a certificate, CRL or CSR was signed with the key, as it says it was.

    False also when its two AlgorithmIdentifiers differ. Nothing but the signature is checked: no
    name, no date. Raises: ValueError (DerError, AlgorithmRefusedError, KeyRefusedError) when the
    object or the key cannot be read or the algorithm is not in the table.
    """
    tbs, identifier_der, signature_der = _split(signed_der)
    algorithm = algorithm_of(identifier_der)
    if _inner_identifier(tbs) not in (None, identifier_der):
        return False
    return verify(spki_der, algorithm, signature=der.read_bit_string(signature_der), message=tbs)


def _split(signed_der: bytes) -> tuple[bytes, bytes, bytes]:
    parts = der.parts(signed_der, most=MOST_FIELDS)
    if [part[0] for part in parts] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        raise der.DerError("not a signed object: its parts are not bytes, algorithm, signature")
    return parts[0], parts[1], parts[2]


def _inner_identifier(tbs: bytes) -> bytes | None:
    """Return the AlgorithmIdentifier within a certificate or CRL; None in a CSR, which has none."""
    parts = der.parts(tbs, most=MOST_FIELDS)
    tags = [part[0] for part in parts]
    if tags[:3] == [der.CONTEXT, der.INTEGER, der.SEQUENCE]:
        return parts[2]  # a certificate of version 2 or 3
    if tags[:2] == [der.INTEGER, der.SEQUENCE] and tags[3:4] != [der.CONTEXT]:
        return parts[1]  # a certificate of version 1, or a CRL of version 2
    if tags == [der.INTEGER, der.SEQUENCE, der.SEQUENCE, der.CONTEXT]:
        return None
    if tags[:1] == [der.SEQUENCE]:
        return parts[0]  # a CRL of version 1
    raise der.DerError("not a certificate, CRL or certification request")
