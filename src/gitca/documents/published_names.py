"""The names under which CRLs and CA certificates are published, as URLs in certificates end.

One table for those who publish and for those who hold URLs against it. `key` is the CA's subject
key identifier in lower-case hexadecimal, or the template that stands for it in a URL.
"""

from __future__ import annotations


def crl_names(ca: str, key: str) -> tuple[str, ...]:
    """Return the names of a CA's CRL in DER."""
    return (f"{ca}.crl", f"{ca}-{key}.crl")


def certificate_names(ca: str, key: str) -> tuple[str, ...]:
    """Return the names of a CA's certificate in DER."""
    return (f"{ca}.cer", f"{ca}-{key}.cer")


def bundle_name(ca: str) -> str:
    """Return the name of all of a CA's certificates in one PKCS #7 object."""
    return f"{ca}.p7c"
