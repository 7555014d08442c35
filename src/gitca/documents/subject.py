"""Distinguished names as documents write them: attribute names to values, in encoding order."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic.json_schema import WithJsonSchema

from gitca.documents.fields import Items, Table

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
"""The attributes that a document can name; their OIDs and bounds are in `x509.attributes`."""

# One string stands for a list of one: every reader then meets one form.
_AttributeText = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


def _several(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


AttributeValues = Annotated[
    Items[_AttributeText],
    Field(min_length=1),
    BeforeValidator(_several),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ]
        }
    ),
]
"""One value or several of an attribute, always as a tuple."""

Subject = Table[AttributeName, AttributeValues]
"""A distinguished name: attribute names to their values, in the order of the document."""
