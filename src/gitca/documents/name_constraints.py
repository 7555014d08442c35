"""Name constraints as documents write them (RFC 5280 section 4.2.1.10)."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from gitca.documents.document import CheckedModel, Model
from gitca.documents.fields import Contradiction, Items
from gitca.documents.subtrees import DnsSubtree, EmailSubtree, IpSubtree, UriSubtree


class Subtrees(Model):
    """Name subtrees by type (RFC 5280 section 4.2.1.10)."""

    dns: Items[DnsSubtree] = Field(
        (),
        description="Domains, without a leading dot: example.internal covers itself and everything"
        " below it.",
        examples=[["example.internal"]],
    )
    ip: Items[IpSubtree] = Field(
        (), description="Networks in CIDR form.", examples=[["10.0.0.0/8", "fd00::/8"]]
    )
    uri: Items[UriSubtree] = Field(
        (),
        description="Hosts of URIs; a leading dot covers every host below the domain.",
        examples=[["example.internal", ".example.internal"]],
    )
    email: Items[EmailSubtree] = Field(
        (),
        description="A mail address, a host, or a domain with a leading dot for every host below"
        " it.",
        examples=[["example.internal"]],
    )


class NameConstraints(CheckedModel):
    """The names that certificates below this CA may and may not carry."""

    permitted: Subtrees = Field(
        default_factory=Subtrees,
        description="Names of a type that is listed here must lie in one of its subtrees.",
        examples=[{"dns": ["example.internal"]}],
    )
    excluded: Subtrees = Field(
        default_factory=Subtrees,
        description="Names in these subtrees are refused, whatever is permitted.",
        examples=[{"dns": ["vault.example.internal"]}],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong unless at least one subtree is named."""
        if self.permitted == Subtrees() == self.excluded:
            yield Contradiction(
                "authority.name-constraints.empty",
                "nameConstraints name no subtree, and at least one is needed"
                " (RFC 5280 section 4.2.1.10)",
                "list a subtree under permitted or excluded, or remove nameConstraints",
            )
