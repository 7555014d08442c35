"""The names under which CRLs and CA certificates are published, as URLs in certificates end.

One table for those who publish and for those who hold URLs against it. `key` is the CA's subject
key identifier in lower-case hexadecimal, or the template that stands for it in a URL.
"""

from __future__ import annotations

import re

_WITH_ENDING = re.compile(r"(.+)\.(chain|crl)", re.IGNORECASE)
_WITH_KEY = re.compile(r"(.+)-[0-9a-f]{40}", re.IGNORECASE)


def crl_names(ca: str, key: str) -> tuple[str, ...]:
    """Return the names of a CA's CRL in DER."""
    return (f"{ca}.crl", f"{ca}-{key}.crl")


def certificate_names(ca: str, key: str) -> tuple[str, ...]:
    """Return the names of a CA's certificate in DER."""
    return (f"{ca}.cer", f"{ca}-{key}.cer")


def bundle_name(ca: str) -> str:
    """Return the name of all of a CA's certificates in one PKCS #7 object."""
    return f"{ca}.p7c"


def pem_names(ca: str) -> tuple[str, ...]:
    """Return the names of a CA's objects in PEM: certificate, chain, CRL."""
    return (f"{ca}.pem", f"{ca}.chain.pem", f"{ca}.crl.pem")


def names_of(ca: str, key: str) -> tuple[str, ...]:
    """Return every name that is a CA's, whether or not it has such an object now."""
    certificates = (*certificate_names(ca, key), bundle_name(ca))
    return (*crl_names(ca, key), *certificates, *pem_names(ca))


def clashing_name(ca: str) -> str | None:
    """Return the name of the CA beside which none may have this name; None for most names.

    `issuing.crl` would have `issuing.crl.pem` in common with `issuing`, and `issuing-KEY` the CRL
    and the certificate of the CA `issuing` with that key.
    """
    for form in (_WITH_ENDING, _WITH_KEY):
        found = form.fullmatch(ca)
        if found:
            return found[1]
    return None
