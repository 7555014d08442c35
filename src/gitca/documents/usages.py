"""Key usages and extended key usages as documents name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, WithJsonSchema

from gitca.documents.fields import OID_PATTERN, refuse, shown
from gitca.documents.words import nearest

KeyUsage = Literal[
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "encipherOnly",
    "decipherOnly",
]
"""RFC 5280 section 4.2.1.3, without keyCertSign and cRLSign: gitca gives those to CAs alone."""

EXTENDED_KEY_USAGES: Mapping[str, str] = MappingProxyType(
    {
        "serverAuth": "1.3.6.1.5.5.7.3.1",
        "clientAuth": "1.3.6.1.5.5.7.3.2",
        "codeSigning": "1.3.6.1.5.5.7.3.3",
        "emailProtection": "1.3.6.1.5.5.7.3.4",
        "timeStamping": "1.3.6.1.5.5.7.3.8",
        "OCSPSigning": "1.3.6.1.5.5.7.3.9",
    }
)
"""The names that a document may use, and their OIDs (RFC 5280 section 4.2.1.12)."""


def _extended_key_usage(value: str) -> str:
    if value in EXTENDED_KEY_USAGES or re.fullmatch(OID_PATTERN, value):
        return value
    names = ", ".join(EXTENDED_KEY_USAGES)
    meant = nearest(value, EXTENDED_KEY_USAGES)
    raise refuse(
        "document.extended-key-usage",
        f"{shown(value)} is no extended key usage; known are {names} and dotted OIDs",
        f"write {meant}" if meant else "write one of these names, or the OID",
    )


ExtendedKeyUsage = Annotated[
    str,
    AfterValidator(_extended_key_usage),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "enum": list(EXTENDED_KEY_USAGES)},
                {"type": "string", "pattern": f"^(?:{OID_PATTERN})$"},
            ]
        }
    ),
]
"""One of the names of `EXTENDED_KEY_USAGES` or a dotted OID, as written."""


def extended_key_usage_oid(usage: str) -> str:
    """Return the dotted OID of an extended key usage as a document writes it."""
    return EXTENDED_KEY_USAGES.get(usage, usage)
