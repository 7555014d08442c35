"""The attributes of distinguished names that documents can name, and their OIDs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

AttributeName = Literal[
    "commonName",
    "organization",
    "organizationalUnit",
    "organizationIdentifier",
    "country",
    "stateOrProvince",
    "locality",
    "street",
    "postalCode",
    "serialNumber",
    "dnQualifier",
    "userId",
    "domainComponent",
    "email",
    "givenName",
    "surname",
    "title",
    "pseudonym",
]
"""The attributes that have a name; their bounds and string types are in `x509.attributes`."""

ATTRIBUTE_OIDS: Mapping[str, str] = MappingProxyType(
    {
        "commonName": "2.5.4.3",
        "organization": "2.5.4.10",
        "organizationalUnit": "2.5.4.11",
        "organizationIdentifier": "2.5.4.97",
        "country": "2.5.4.6",
        "stateOrProvince": "2.5.4.8",
        "locality": "2.5.4.7",
        "street": "2.5.4.9",
        "postalCode": "2.5.4.17",
        "serialNumber": "2.5.4.5",
        "dnQualifier": "2.5.4.46",
        "userId": "0.9.2342.19200300.100.1.1",
        "domainComponent": "0.9.2342.19200300.100.1.25",
        "email": "1.2.840.113549.1.9.1",
        "givenName": "2.5.4.42",
        "surname": "2.5.4.4",
        "title": "2.5.4.12",
        "pseudonym": "2.5.4.65",
    }
)
ATTRIBUTE_NAMES: Mapping[str, str] = MappingProxyType(
    {oid: name for name, oid in ATTRIBUTE_OIDS.items()}
)


def attribute_name(oid: str) -> str:
    """Return the name that documents use for an attribute type, or its OID."""
    return ATTRIBUTE_NAMES.get(oid, oid)


def attribute_oid(name: str) -> str:
    """Return the OID of an attribute type that a document names, or gives as its OID."""
    return ATTRIBUTE_OIDS.get(name, name)
