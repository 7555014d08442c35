"""The judge of ML-DSA signatures: dilithium-py, a plain rendering of FIPS 204.

OpenSSL knows ML-DSA from 3.5 only, Java from 24. The DER is taken apart by `cryptography`, which
gitca uses too; the signature is judged by code that it does not share.
"""

from __future__ import annotations

import dilithium_py.ml_dsa as fips204
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from judges.chain import Verdict

# By the OID of the signature (RFC 9881): the verifier, and the size of its public key in octets
# (FIPS 204 table 2), which are the last ones of the SPKI.
_ML_DSA = {
    "2.16.840.1.101.3.4.3.17": (fips204.ML_DSA_44, 1312),
    "2.16.840.1.101.3.4.3.18": (fips204.ML_DSA_65, 1952),
    "2.16.840.1.101.3.4.3.19": (fips204.ML_DSA_87, 2592),
}


def verify_certificate(certificate: bytes, issuer: bytes) -> Verdict:
    """Judge a certificate's signature under its issuer's key; names and dates are not judged."""
    parsed = x509.load_der_x509_certificate(certificate)
    oid = parsed.signature_algorithm_oid.dotted_string
    return _verify(oid, parsed.signature, parsed.tbs_certificate_bytes, issuer)


def verify_crl(crl: bytes, issuer: bytes) -> Verdict:
    """Judge a CRL's signature under its issuer's key."""
    parsed = x509.load_der_x509_crl(crl)
    oid = parsed.signature_algorithm_oid.dotted_string
    return _verify(oid, parsed.signature, parsed.tbs_certlist_bytes, issuer)


def _verify(oid: str, signature: bytes, message: bytes, issuer: bytes) -> Verdict:
    key = x509.load_der_x509_certificate(issuer).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    algorithm, size = _ML_DSA[oid]
    accepted = bool(algorithm.verify(spki[-size:], message, signature))
    return Verdict(accepted, f"{oid}: {'accepted' if accepted else 'refused'}")
