"""What an issuance policy says of the rarer types of alternative names, and of SPIFFE IDs."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.json_schema import WithJsonSchema

from gitca.documents.document import Model
from gitca.documents.fields import Count, Items, Table, refuse, shown
from gitca.documents.patterns import (
    OidPattern,
    OidTemplate,
    SpiffePathTemplate,
    TextPattern,
    TextTemplate,
)
from gitca.documents.subject import AttributeType, one_or_several

_TRUST_DOMAIN_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")


class NameRules(Model):
    """What every type of alternative name shares."""

    required: bool = Field(
        False,
        description="Whether a request must have at least one name of this type.",
        examples=[True],
    )
    max: Count | None = Field(
        None, description="How many names of this type a request may have.", examples=[10]
    )


class OtherNameRules(NameRules):
    """Other names of one type that a request may ask for."""

    allow: Items[TextTemplate] = Field(
        (),
        description="Patterns of allowed values: * stands for characters between dots, ** for dots"
        " too; for a user principal name they are those of mail addresses. An empty list allows"
        " nothing.",
        examples=[["*@example.internal"]],
    )
    deny: Items[TextPattern] = Field(
        (),
        description="Patterns of refused values, whatever allow says.",
        examples=[["administrator@example.internal"]],
    )


def _schema_of_values() -> WithJsonSchema:
    text = {"type": "string", "minLength": 1, "maxLength": 1024}
    return WithJsonSchema({"anyOf": [text, {"type": "array", "items": text, "minItems": 1}]})


_Templates = Annotated[
    Items[TextTemplate],
    Field(min_length=1),
    BeforeValidator(one_or_several),
    _schema_of_values(),
]
_Patterns = Annotated[
    Items[TextPattern],
    Field(min_length=1),
    BeforeValidator(one_or_several),
    _schema_of_values(),
]


class DirectoryNameRules(NameRules):
    """Directory names that a request may ask for."""

    allow: Items[Annotated[Table[AttributeType, _Templates], Field(min_length=1)]] = Field(
        (),
        description="Allowed names: attributes to patterns of their values. A name has these"
        " attributes, in this order, and no others. An empty list allows nothing.",
        examples=[[{"organization": "Example", "commonName": "*"}]],
    )
    deny: Items[Annotated[Table[AttributeType, _Patterns], Field(min_length=1)]] = Field(
        (),
        description="Refused names, whatever allow says: every name that has these attributes,"
        " whichever others it has.",
        examples=[[{"commonName": "root"}]],
    )


class RegisteredIdRules(NameRules):
    """Registered IDs that a request may ask for."""

    allow: Items[OidTemplate] = Field(
        (),
        description="Patterns of allowed object identifiers: * stands for one number, ** for one or"
        " more. An empty list allows nothing.",
        examples=[["1.3.6.1.4.1.99999.**"]],
    )
    deny: Items[OidPattern] = Field(
        (),
        description="Patterns of refused object identifiers, whatever allow says.",
        examples=[["1.3.6.1.4.1.99999.1"]],
    )


def _trust_domain(value: str) -> str:
    if not 0 < len(value) <= 255 or not _TRUST_DOMAIN_CHARACTERS.issuperset(value):
        raise refuse(
            "policy.spiffe.trust-domain",
            f"{shown(value)} is no trust domain of SPIFFE-ID section 2.1",
            "write up to 255 lower-case letters, digits, dots, hyphens and underscores, without"
            " scheme and path",
        )
    return value


class SpiffeRules(Model):
    """SPIFFE IDs that a request may ask for; they are judged by these keys and by deny alone."""

    trust_domain: Annotated[str, AfterValidator(_trust_domain)] = Field(
        description="The trust domain that each SPIFFE ID is in.", examples=["example.internal"]
    )
    paths: Items[SpiffePathTemplate] = Field(
        description="Patterns of allowed paths, without the first slash: * stands within one"
        " segment, ** for one or more. An empty list allows nothing.",
        examples=[["payments/*"]],
    )
