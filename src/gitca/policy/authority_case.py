"""What is judged before a CA is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.findings import Location
from gitca.policy.case import IssuerFacts
from gitca.policy.name_constraints import stated_constraints
from gitca.policy.names import written_attributes
from gitca.x509.template import NameAttribute, NameConstraints

Authority = Document[CertificateAuthoritySpec]


@dataclass(frozen=True, slots=True)
class AuthorityCase:
    """One CA to be made; `parent` is None for a root, `issuer` while the parent is not made."""

    authority: Authority
    parent: Authority | None
    issuer: IssuerFacts | None
    now: datetime

    @property
    def constraints(self) -> NameConstraints | None:
        """The constraints of the parent's certificate or, while it is not made, of its document."""
        if self.issuer is not None:
            return self.issuer.template.name_constraints
        return stated_constraints(self.parent.spec) if self.parent else None

    @property
    def path_length(self) -> int | None:
        """The parent's path length, of its certificate or its document."""
        basic = self.issuer.template.basic_constraints if self.issuer else None
        if basic is not None:
            return basic.path_length
        return self.parent.spec.path_length if self.parent else None


def ca_attributes(authority: Authority) -> Iterator[tuple[NameAttribute, Location]]:
    """Yield the attributes of a CA's subject in their order, with their places."""
    for attribute, pointer in written_attributes(authority.spec.subject):
        yield attribute, authority.at("spec", "subject", *pointer)
