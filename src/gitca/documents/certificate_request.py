"""The kind CertificateRequest: a certificate that shall exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from gitca.documents.document import CheckedModel, Envelope, Model
from gitca.documents.fields import (
    Contradiction,
    Duration,
    Items,
    PathName,
    no_entries,
)
from gitca.documents.paths import check_csr_file
from gitca.documents.subject import Subject
from gitca.documents.usages import ExtendedKeyUsage, KeyUsage

_Name = Annotated[str, StringConstraints(min_length=1, max_length=2048)]


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
        """Yield what is wrong unless exactly one of csr and csrFile is given."""
        remedy = "write the request's PEM under csr, or name its file under csrFile"
        if self.csr is None and self.csr_file is None:
            message = "neither csr nor csrFile is given, where exactly one is needed"
            yield Contradiction("request.csr.missing", message, remedy)
        if self.csr is not None and self.csr_file is not None:
            message = "both csr and csrFile are given, where exactly one is allowed"
            yield Contradiction("request.csr.both", message, "remove one of them", ("csrFile",))


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
