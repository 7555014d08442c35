"""What an issuance policy says of names: subject attributes and alternative names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from gitca.documents.document import CheckedModel
from gitca.documents.fields import (
    Contradiction,
    Count,
    Items,
    ObjectIdentifier,
    Table,
    no_entries,
)
from gitca.documents.other_name_rules import (
    DirectoryNameRules,
    NameRules,
    OtherNameRules,
    RegisteredIdRules,
    SpiffeRules,
)
from gitca.documents.patterns import (
    DnsPattern,
    DnsTemplate,
    EmailPattern,
    EmailTemplate,
    IpRange,
    IpTemplate,
    TextPattern,
    TextTemplate,
    UriPattern,
    UriTemplate,
)

_Value = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class AttributeRule(CheckedModel):
    """What one attribute of the subject may say."""

    allow: Items[TextTemplate] | None = Field(
        None,
        description="Patterns of allowed values: * stands for characters between dots, ** for dots"
        " too. Without it, or with an empty list, only default is allowed.",
        examples=[["**.example.internal"]],
    )
    deny: Items[TextPattern] = Field(
        (),
        description="Patterns of refused values, in any case of letters, whatever allow says.",
        examples=[["*admin*"]],
    )
    max: Count | None = Field(
        None, description="How many values the attribute may have.", examples=[1]
    )
    required: bool = Field(
        False, description="Whether a request must have the attribute.", examples=[True]
    )
    default: _Value | None = Field(
        None,
        description="The value for requests that do not give the attribute.",
        examples=["Example"],
    )
    fixed: _Value | None = Field(
        None,
        description="The only value, given to every certificate; a request may repeat it.",
        examples=["Example"],
    )
    must_be_in_sans: bool = Field(
        False,
        description="Whether the value must also be one of the alternative names of types dns, ip,"
        " uri and email.",
        examples=[True],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where fixed leaves no room for another key."""
        if self.fixed is None:
            return
        for key, given in (("allow", self.allow), ("default", self.default)):
            if given is not None:
                message = f"fixed is given, which leaves no room for {key}"
                remedy = f"write fixed alone, or {key} without it"
                yield Contradiction("policy.subject.fixed", message, remedy, (key,))


SpecialName = Literal["bareDomain", "localhost", "singleLabel", "publicSuffix"]
"""DNS names that more software trusts, or more people share, than a star's author thinks of."""


def _form_of_wildcards(value: object) -> str:
    return "patterns" if isinstance(value, list | tuple) else "switch"


Wildcards = Annotated[
    Annotated[bool, Tag("switch")] | Annotated[Items[DnsTemplate], Tag("patterns")],
    Discriminator(_form_of_wildcards),
]
"""Whether wildcard names may be asked for, or the patterns that they must match."""


class DnsRules(NameRules):
    """DNS names that a request may ask for."""

    allow: Items[DnsTemplate] = Field(
        (),
        description="Patterns of allowed names: * stands within one label, ** for one or more"
        " labels. An empty list allows nothing.",
        examples=[["**.example.internal"]],
    )
    deny: Items[DnsPattern] = Field(
        (),
        description="Patterns of refused names, whatever allow says.",
        examples=[["vault.example.internal"]],
    )
    wildcards: Wildcards = Field(
        False,
        description="Whether names that begin with *. may be asked for: false, true, or the"
        " patterns that such names must match. allow and deny judge them too.",
        examples=[False, ["*.apps.example.internal"]],
    )
    special: Items[SpecialName] = Field(
        (),
        description="Names that stars allow only if they are listed here: bareDomain (the domain"
        " that a pattern such as **.example.internal stands below), localhost (and what is below"
        " it), singleLabel (no dot), publicSuffix (co.uk, and a wildcard right below one). A"
        " pattern without stars allows its name as it is.",
        examples=[["bareDomain"]],
    )


class IpRules(NameRules):
    """IP addresses that a request may ask for."""

    allow: Items[IpTemplate] = Field(
        (),
        description="Allowed addresses and networks. An empty list allows nothing.",
        examples=[["10.0.0.0/8"]],
    )
    deny: Items[IpRange] = Field(
        (),
        description="Refused addresses and networks, whatever allow says.",
        examples=[["10.0.0.1"]],
    )


class UriRules(NameRules):
    """URIs that a request may ask for."""

    allow: Items[UriTemplate] = Field(
        (),
        description="Patterns of allowed URIs: * stands within one host label or path segment, **"
        " for one or more. An empty list allows nothing.",
        examples=[["spiffe://example.internal/payments/*"]],
    )
    deny: Items[UriPattern] = Field(
        (),
        description="Patterns of refused URIs, whatever allow says.",
        examples=[["spiffe://example.internal/admin/**"]],
    )
    spiffe: SpiffeRules | None = Field(
        None,
        description="Which SPIFFE IDs may be asked for; allow then speaks of other URIs, and a"
        " certificate with a SPIFFE ID has no other URI (X.509-SVID section 2).",
        examples=[{"trustDomain": "example.internal", "paths": ["payments/*"]}],
    )


class EmailRules(NameRules):
    """Mail addresses that a request may ask for."""

    allow: Items[EmailTemplate] = Field(
        (),
        description="Patterns of allowed addresses: *@example.internal. An empty list allows"
        " nothing.",
        examples=[["*@example.internal"]],
    )
    deny: Items[EmailPattern] = Field(
        (),
        description="Patterns of refused addresses, whatever allow says.",
        examples=[["root@example.internal"]],
    )


class SanRules(CheckedModel):
    """Alternative names by type; a type that is not mentioned may not appear."""

    min: Count | None = Field(
        None, description="How many names a request must have, over all types.", examples=[1]
    )
    max: Count | None = Field(
        None, description="How many names a request may have, over all types.", examples=[10]
    )

    dns: DnsRules | None = Field(
        None,
        description="DNS names: which may be asked for.",
        examples=[{"allow": ["**.example.internal"]}],
    )
    ip: IpRules | None = Field(
        None,
        description="IP addresses: which may be asked for.",
        examples=[{"allow": ["10.0.0.0/8"]}],
    )
    uri: UriRules | None = Field(
        None,
        description="URIs: which may be asked for.",
        examples=[{"allow": ["spiffe://example.internal/**"]}],
    )
    email: EmailRules | None = Field(
        None,
        description="Mail addresses: which may be asked for.",
        examples=[{"allow": ["*@example.internal"]}],
    )
    other_name: Table[ObjectIdentifier, OtherNameRules] = Field(
        default_factory=no_entries,
        description="Other names, by the OID of their type: which may be asked for."
        " 1.3.6.1.4.1.311.20.2.3 is Microsoft's user principal name.",
        examples=[{"1.3.6.1.4.1.311.20.2.3": {"allow": ["*@example.internal"]}}],
    )
    directory_name: DirectoryNameRules | None = Field(
        None,
        description="Directory names: which may be asked for.",
        examples=[{"allow": [{"organization": "Example", "commonName": "*"}]}],
    )
    registered_id: RegisteredIdRules | None = Field(
        None,
        alias="registeredID",
        description="Registered IDs: which may be asked for.",
        examples=[{"allow": ["1.3.6.1.4.1.99999.**"]}],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where no number of names would be right."""
        if self.min is not None and self.max is not None and self.min > self.max:
            message = f"min {self.min} is above max {self.max}"
            yield Contradiction("policy.sans.order", message, "lower min or raise max", ("min",))
