"""What an issuance policy says of names: subject attributes and alternative names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from gitca.documents.document import CheckedModel, Model
from gitca.documents.fields import Contradiction, Count, Items
from gitca.documents.patterns import DnsPattern, EmailPattern, IpRange, TextPattern, UriPattern

_Value = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class AttributeRule(CheckedModel):
    """What one attribute of the subject may say."""

    allow: Items[TextPattern] | None = Field(
        None,
        description="Patterns of allowed values: * stands for characters between dots, ** for dots"
        " too. Without it, or with an empty list, only default is allowed.",
        examples=[["**.example.internal"]],
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
        description="Whether the value must also be one of the alternative names.",
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


class DnsRules(NameRules):
    """DNS names that a request may ask for."""

    allow: Items[DnsPattern] = Field(
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
    wildcards: bool = Field(
        False,
        description="Whether names that begin with *. may be asked for. allow and deny judge them"
        " too.",
        examples=[False],
    )


class IpRules(NameRules):
    """IP addresses that a request may ask for."""

    allow: Items[IpRange] = Field(
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

    allow: Items[UriPattern] = Field(
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


class EmailRules(NameRules):
    """Mail addresses that a request may ask for."""

    allow: Items[EmailPattern] = Field(
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


class SanRules(Model):
    """Alternative names by type; a type that is not mentioned may not appear."""

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
