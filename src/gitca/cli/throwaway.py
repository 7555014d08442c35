"""Keys that are made for the tests of policies and thrown away, and CSRs on them."""

from __future__ import annotations

import functools

from gitca.x509.keys import KeyDescription


@functools.cache
def throwaway_csr(key: KeyDescription) -> str:
    """Return the PEM of a CSR without names on a new key of a kind; one a kind and process.

    Nobody keeps the private key: whatever a policy lets pass, no certificate on it is of use.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    digest = hashes.SHA256()
    match key.type, key.size:
        case "rsa", bits:
            csr = builder.sign(rsa.generate_private_key(key.exponent or 65537, bits), digest)
        case "ecdsa", 256:
            csr = builder.sign(ec.generate_private_key(ec.SECP256R1()), digest)
        case "ecdsa", 384:
            csr = builder.sign(ec.generate_private_key(ec.SECP384R1()), digest)
        case "ecdsa", _:
            csr = builder.sign(ec.generate_private_key(ec.SECP521R1()), digest)
        case "ml-dsa", 44:
            csr = builder.sign(mldsa.MLDSA44PrivateKey.generate(), None)
        case "ml-dsa", 65:
            csr = builder.sign(mldsa.MLDSA65PrivateKey.generate(), None)
        case "ml-dsa", _:
            csr = builder.sign(mldsa.MLDSA87PrivateKey.generate(), None)
        case _:
            csr = builder.sign(ed25519.Ed25519PrivateKey.generate(), None)
    return csr.public_bytes(serialization.Encoding.PEM).decode("ascii")
