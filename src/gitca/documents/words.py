"""What a person meant: the known word that is nearest to an unknown one."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from types import MappingProxyType

# Words of openssl, RFC 4514, RFC 8555 and other CAs that documents call otherwise.
_ALSO_CALLED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cn": ("commonName",),
        "o": ("organization",),
        "organizationname": ("organization",),
        "organisation": ("organization",),
        "ou": ("organizationalUnit",),
        "organizationalunitname": ("organizationalUnit",),
        "c": ("country",),
        "countryname": ("country",),
        "st": ("stateOrProvince",),
        "s": ("stateOrProvince",),
        "state": ("stateOrProvince",),
        "stateorprovincename": ("stateOrProvince",),
        "l": ("locality",),
        "localityname": ("locality",),
        "dc": ("domainComponent",),
        "uid": ("userId",),
        "emailaddress": ("email",),
        "mail": ("email",),
        "sn": ("surname",),
        "san": ("sans",),
        "subjectaltname": ("sans",),
        "subjectaltnames": ("sans",),
        "subjectalternativenames": ("sans",),
        "dnsnames": ("dns", "sans"),
        "ipaddresses": ("ip", "sans"),
        "uris": ("uri",),
        "emails": ("email",),
        "commonname": ("commonName", "subject"),
        "eku": ("extendedKeyUsage",),
        "extkeyusage": ("extendedKeyUsage",),
        "usages": ("keyUsage",),
        "ttl": ("validity",),
        "duration": ("validity",),
        "lifetime": ("validity",),
        "days": ("validity",),
        "request": ("csr",),
        "ca": ("issuer",),
        "issuerref": ("issuer",),
        "policyname": ("policy",),
        "algorithm": ("algorithms", "signatureAlgorithm"),
        "contentcommitment": ("nonRepudiation",),
        "certificate": ("CertificateRequest",),
        "policy": ("IssuancePolicy",),
        "ca-compromise": ("cACompromise",),
        "compromise": ("keyCompromise",),
        "compromised": ("keyCompromise",),
        "secp256r1": ("P-256",),
        "prime256v1": ("P-256",),
        "secp384r1": ("P-384",),
        "secp521r1": ("P-521",),
    }
)


def nearest(word: str, known: Collection[str]) -> str:
    """Return the known word that was most likely meant, or nothing."""
    plain = {_plain(candidate): candidate for candidate in known}
    if _plain(word) in plain:
        return plain[_plain(word)]
    for candidate in _ALSO_CALLED.get(word.lower(), ()):
        if candidate in known:
            return candidate
    # difflib is quadratic in the length of the word.
    close = difflib.get_close_matches(_plain(word[:64]), list(plain), n=1, cutoff=0.75)
    return plain[close[0]] if close else ""


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def listed(known: Collection[str], *, most: int = 30) -> str:
    """Return the words in a row, the first 30 of them where there are more."""
    words = list(known)
    shown = ", ".join(words[:most]) or "none"
    return shown if len(words) <= most else f"{shown} and {len(words) - most} more"
