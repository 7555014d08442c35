"""Cross-certificates: another CA of the repository, certified by this one as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from gitca.documents.document import CheckedModel, Document
from gitca.documents.fields import Contradiction, Duration, SegmentName, duration_text
from gitca.documents.flaws import flaw
from gitca.documents.name_constraints import NameConstraints
from gitca.documents.words import listed
from gitca.findings import Finding

if TYPE_CHECKING:
    from gitca.documents.certificate_authority import CertificateAuthoritySpec


class CrossCertificate(CheckedModel):
    """A certificate for the name and key of another CA: who trusts this one then trusts that."""

    subject: SegmentName = Field(
        description="The CA that is certified, which has a document of its own.",
        examples=["root-2027"],
    )
    validity: Duration = Field(
        description="How long the cross-certificate is valid.", examples=["2y"]
    )
    path_length: Annotated[int, Field(ge=0, le=16)] | None = Field(
        None,
        description="How many CAs may follow below the certified one. Without it, as that CA's own"
        " document says.",
        examples=[1],
    )
    name_constraints: NameConstraints | None = Field(
        None,
        description="The names that certificates below may carry. Without it, as that CA's own"
        " document says.",
        examples=[{"permitted": {"dns": ["example.internal"]}}],
    )
    renew_before: Duration | None = Field(
        None,
        description="How long before its end the next one is made; less than validity. Without it,"
        " when it has ended.",
        examples=["60d"],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where each one would be replaced as soon as it was made."""
        if self.renew_before is not None and self.renew_before >= self.validity:
            yield renewed_at_once(self.renew_before, self.validity)


def renewed_at_once(renew_before: Duration, validity: Duration) -> Contradiction:
    """Return the finding for a certificate that would be due when it is made."""
    return Contradiction(
        "authority.renew-before",
        f"renewBefore {duration_text(renew_before)} is not below validity"
        f" {duration_text(validity)}",
        "shorten renewBefore or lengthen validity",
        ("renewBefore",),
    )


def cross_findings(
    authorities: Mapping[str, Document[CertificateAuthoritySpec]], names: frozenset[str]
) -> tuple[Finding, ...]:
    """Return `authority.cross.subject` for those of no CA, of the CA itself, and for a second one.

    `names` are those of all CAs that have a document, sound or not.
    """
    return tuple(
        finding for document in authorities.values() for finding in _of_one(document, names)
    )


def _of_one(
    document: Document[CertificateAuthoritySpec], names: frozenset[str]
) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, cross in enumerate(document.spec.cross_certificates):
        others = sorted(names - {document.name})
        if cross.subject not in others:
            message = f"CA {cross.subject} cannot be cross-certified; there is {listed(others)}"
        elif cross.subject in seen:
            message = f"CA {cross.subject} stands twice; allowed is one cross-certificate for each"
        else:
            seen.add(cross.subject)
            continue
        at = document.at("spec", "crossCertificates", index, "subject")
        yield flaw("authority.cross.subject", message, at, "name another CA that has a document")
