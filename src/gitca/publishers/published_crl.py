"""What is published in the place of a CRL, as far as the CA's key signed it.

The signature comes first: who may write to a target may put anything there, and what the CA's key
signed is the CA's word, whether or not it can be read here.
"""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gitca.x509 import der
from gitca.x509.algorithms import AlgorithmRefusedError
from gitca.x509.pem import pem_blocks
from gitca.x509.signed import MOST_FIELDS, tbs_of, verify_signature

PEM_ENDING = ".pem"
_PEM_START = b"-----BEGIN"
_TIMES = (der.UTC_TIME, der.GENERALIZED_TIME)


def signed_crls(path: str, content: bytes, spki_der: bytes) -> tuple[bytes, ...]:
    """Return the DER of the CRLs in an object at `path` that verify under a key.

    They need not be CRLs that `parse_crl` takes. Others that the key signed, certificates and CSRs
    among them, are not here: whoever writes to the target could put those there.
    """
    return tuple(found for found in _objects(path, content) if _is_signed_crl(found, spki_der))


def _objects(path: str, content: bytes) -> Iterator[bytes]:
    """Yield the objects; PEM is read where relying parties expect it alone."""
    if not (path.endswith(PEM_ENDING) and content.startswith(_PEM_START)):
        yield content
        return
    try:
        for block in pem_blocks(content):
            yield block.decode()
    except ValueError:
        return


def _is_signed_crl(signed_der: bytes, spki_der: bytes) -> bool:
    try:
        return _says_crl(signed_der) and verify_signature(signed_der, spki_der)
    except AlgorithmRefusedError:
        return _is_signed_otherwise(signed_der, spki_der)
    except ValueError:
        return False


def _says_crl(signed_der: bytes) -> bool:
    """Whether the signed bytes begin as a TBSCertList of any version (RFC 5280 section 5.1.2).

    After the version, which may be absent, come algorithm, issuer and thisUpdate; a certificate and
    a CSR have no time there.
    """
    tags = [part[0] for part in der.parts(tbs_of(signed_der), most=MOST_FIELDS)]
    if tags[:1] == [der.INTEGER]:
        tags = tags[1:]
    return tags[:2] == [der.SEQUENCE, der.SEQUENCE] and len(tags) > 2 and tags[2] in _TIMES


def _is_signed_otherwise(crl_der: bytes, spki_der: bytes) -> bool:
    """Whether a CRL verifies under an algorithm that gitca never signs with, such as SHA-1."""
    try:
        key = load_der_public_key(spki_der)
        if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            return False
        return x509.load_der_x509_crl(crl_der).is_signature_valid(key)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        return False
