"""The kind CertificateRequest: a certificate that shall exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from gitca.documents.alternative_names import SubjectAlternativeNames
from gitca.documents.authority_rules import AskedAuthority
from gitca.documents.document import CheckedModel, Envelope
from gitca.documents.extensions import Extension
from gitca.documents.fields import (
    Contradiction,
    Duration,
    Items,
    PathName,
    Timestamp,
    no_entries,
)
from gitca.documents.paths import check_csr_file
from gitca.documents.subject import Subject
from gitca.documents.usages import ExtendedKeyUsage, KeyUsage


class CertificateRequestSpec(CheckedModel):
    """What the certificate shall say; the policy decides whether it may."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["csr"]}, {"required": ["csrFile"]}]}
    )

    policy: PathName = Field(
        description="The issuance policy to judge by: a path below policies/ without .yaml.",
        examples=["internal-server"],
    )
    subject: Subject = Field(
        default_factory=no_entries,
        description="The distinguished name, in the order in which it is encoded. May be left out"
        " where the certificate has alternative names.",
        examples=[{"commonName": "api.example.internal"}],
    )
    sans: SubjectAlternativeNames = Field(
        default_factory=SubjectAlternativeNames,
        description="The subject alternative names, by type.",
        examples=[{"dns": ["api.example.internal"], "ip": ["10.1.2.3"]}],
    )
    validity: Duration | None = Field(
        None,
        description="How long the certificate is valid. Without it, the policy's default.",
        examples=["30d"],
    )
    not_before: Timestamp | None = Field(
        None,
        description="The time before which the certificate is not valid. Once it has passed it says"
        " nothing more. Only where the policy's validity.requestDates says so.",
        examples=["2027-01-01T00:00:00Z"],
    )
    not_after: Timestamp | None = Field(
        None,
        description="The last second of the certificate, in place of validity. A renewal ends then"
        " too. Only where the policy's validity.requestDates says so.",
        examples=["2027-03-31T23:59:59Z"],
    )
    key_usage: Items[KeyUsage] | None = Field(
        None,
        description="Key usages to ask for. Without it, the policy's default.",
        examples=[["digitalSignature"]],
    )
    extended_key_usage: Items[ExtendedKeyUsage] | None = Field(
        None,
        description="Extended key usages to ask for, by name or OID. Without it, the policy's"
        " default.",
        examples=[["serverAuth"]],
    )
    ca: AskedAuthority | None = Field(
        None,
        description="Asks for a CA certificate. Without it, the certificate is no CA's.",
        examples=[
            {"pathLength": 0, "nameConstraints": {"permitted": {"dns": ["k8s.example.internal"]}}}
        ],
    )
    extensions: Items[Extension] = Field(
        (),
        description="Extensions to ask for beyond those that gitca writes itself.",
        examples=[[{"oid": "1.3.6.1.4.1.99999.7", "value": {"utf8": "payments"}}]],
    )
    csr: Annotated[str, StringConstraints(min_length=1)] | None = Field(
        None,
        description="The PKCS #10 request in PEM, in a block scalar (`csr: |`). Only its public key"
        " is used. Write either csr or csrFile.",
        examples=["-----BEGIN CERTIFICATE REQUEST-----\n…\n-----END CERTIFICATE REQUEST-----\n"],
    )
    csr_file: Annotated[str, AfterValidator(check_csr_file)] | None = Field(
        None,
        description="A file with the PKCS #10 request in PEM or DER: a path from this document's"
        " folder, in it or below. Write either csr or csrFile.",
        examples=["api.csr"],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong unless one of csr and csrFile is given, and the dates have a span."""
        yield from self._dates()
        remedy = "write the request's PEM under csr, or name its file under csrFile"
        if self.csr is None and self.csr_file is None:
            message = "neither csr nor csrFile is given, where exactly one is needed"
            yield Contradiction("request.csr.missing", message, remedy)
        if self.csr is not None and self.csr_file is not None:
            message = "both csr and csrFile are given, where exactly one is allowed"
            yield Contradiction("request.csr.both", message, "remove one of them", ("csrFile",))

    def _dates(self) -> Iterator[Contradiction]:
        if self.not_after is None:
            return
        if self.validity is not None:
            message = "both validity and notAfter are given, where at most one is allowed"
            yield Contradiction("request.not-after.both", message, "remove one", ("notAfter",))
        if self.not_before is not None and self.not_after <= self.not_before:
            message = "notAfter is not after notBefore"
            remedy = "write a later notAfter"
            yield Contradiction("request.not-after.order", message, remedy, ("notAfter",))


class CertificateRequest(Envelope):
    """A certificate that shall exist, and go on existing: gitca issues it and renews it."""

    kind: Literal["CertificateRequest"] = Field(
        description="The kind of document.", examples=["CertificateRequest"]
    )
    spec: CertificateRequestSpec = Field(
        description="What the certificate shall say.",
        examples=[
            {
                "policy": "internal-server",
                "sans": {"dns": ["api.example.internal"]},
                "csrFile": "api.csr",
            }
        ],
    )
