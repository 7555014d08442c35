"""Extensions that no document can give by OID, because gitca writes what they say itself.

Among them are the older and vendors' extensions that verifiers take for one of these: a certificate
with Netscape's certificate type is a CA to OpenSSL, and Windows reads application policies in place
of extended key usages.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator

from gitca.documents.fields import ObjectIdentifier, refuse

_OF_THE_KEY = "the key's own identifier is always written"
_OF_THE_ISSUER = "it comes from the CA's own document"
_BY_CA = "ask for a CA by the field ca"
_BY_USAGE = "state usages by keyUsage and extendedKeyUsage"
_BY_SANS = "state names by sans"

MANAGED_EXTENSIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "2.5.29.14": ("subjectKeyIdentifier", _OF_THE_KEY),
        "2.5.29.35": ("authorityKeyIdentifier", _OF_THE_ISSUER),
        "2.5.29.19": ("basicConstraints", _BY_CA),
        "2.5.29.15": ("keyUsage", _BY_USAGE),
        "2.5.29.37": ("extKeyUsage", _BY_USAGE),
        "2.5.29.17": ("subjectAltName", _BY_SANS),
        "2.5.29.31": ("cRLDistributionPoints", _OF_THE_ISSUER),
        "1.3.6.1.5.5.7.1.1": ("authorityInfoAccess", _OF_THE_ISSUER),
        "2.5.29.30": ("nameConstraints", _BY_CA),
        "2.5.29.32": ("certificatePolicies", "let the policy state extensions.certificatePolicies"),
        "2.5.29.46": ("freshestCRL", "gitca makes no delta CRLs"),
        "2.5.29.1": ("the old authorityKeyIdentifier", _OF_THE_ISSUER),
        "2.5.29.2": ("the old keyAttributes", _BY_USAGE),
        "2.5.29.4": ("the old keyUsageRestriction", _BY_USAGE),
        "2.5.29.7": ("the old subjectAltName", _BY_SANS),
        "2.5.29.10": ("the old basicConstraints", _BY_CA),
        "2.16.840.1.113730.1.1": ("Netscape's certificate type", _BY_USAGE),
        "1.3.6.1.4.1.311.21.10": ("Microsoft's application policies", _BY_USAGE),
        "1.3.6.1.4.1.311.21.11": ("Microsoft's application policy mappings", _BY_USAGE),
    }
)
"""OIDs to their names and to what a person does instead (RFC 5280 section 4.2)."""


def _unmanaged(value: str) -> str:
    if value in MANAGED_EXTENSIONS:
        name, remedy = MANAGED_EXTENSIONS[value]
        message = f"extension {value} ({name}) is written by gitca alone; allowed are other OIDs"
        raise refuse("extensions.managed", message, remedy)
    return value


ExtensionOid = Annotated[ObjectIdentifier, AfterValidator(_unmanaged)]
"""The dotted OID of an extension that gitca does not write by itself."""
