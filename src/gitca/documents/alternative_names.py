"""Subject alternative names as requests write them, by type (RFC 5280 section 4.2.1.6)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from gitca.documents.document import Model
from gitca.documents.fields import Items, ObjectIdentifier
from gitca.documents.subject import Subject

_Name = Annotated[str, StringConstraints(min_length=1, max_length=2048)]


class OtherName(Model):
    """A name of a type that an OID names; its value is encoded as a UTF8String."""

    oid: ObjectIdentifier = Field(
        description="The type of the name: 1.3.6.1.4.1.311.20.2.3 is Microsoft's user principal"
        " name (UPN).",
        examples=["1.3.6.1.4.1.311.20.2.3"],
    )
    utf8: Annotated[str, StringConstraints(min_length=1, max_length=1024)] = Field(
        description="The name itself. A UPN has the form user@domain.",
        examples=["jo@example.internal"],
    )


class SubjectAlternativeNames(Model):
    """The names that a certificate shall carry, by type (RFC 5280 section 4.2.1.6)."""

    dns: Items[_Name] = Field(
        (),
        description="DNS names in ASCII, a name with other letters as its A-label (xn--…)."
        " `*.` first makes a wildcard.",
        examples=[["api.example.internal"]],
    )
    ip: Items[_Name] = Field(
        (), description="IPv4 and IPv6 addresses.", examples=[["10.1.2.3", "2001:db8::1"]]
    )
    uri: Items[_Name] = Field(
        (),
        description="URIs with a scheme and a host, such as SPIFFE IDs.",
        examples=[["spiffe://example.internal/payments/api"]],
    )
    email: Items[_Name] = Field(
        (), description="Mail addresses.", examples=[["ops@example.internal"]]
    )
    other_name: Items[OtherName] = Field(
        (),
        description="Names of a type that an OID names, such as Microsoft's user principal name.",
        examples=[[{"oid": "1.3.6.1.4.1.311.20.2.3", "utf8": "jo@example.internal"}]],
    )
    directory_name: Items[Annotated[Subject, Field(min_length=1)]] = Field(
        (),
        description="Distinguished names: attributes to their values, in the order in which they"
        " are encoded.",
        examples=[[{"organization": "Example", "commonName": "jo"}]],
    )
    registered_id: Items[ObjectIdentifier] = Field(
        (),
        alias="registeredID",
        description="Dotted object identifiers.",
        examples=[["1.3.6.1.4.1.99999.1"]],
    )
