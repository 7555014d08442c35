"""The kind CertificateRequest: a certificate that shall exist."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from gitca.documents.document import Envelope, Model
from gitca.documents.fields import Duration, Items, PathName, refuse
from gitca.documents.paths import check_csr_file
from gitca.documents.subject import Subject
from gitca.documents.usages import ExtendedKeyUsage, KeyUsage

_Name = Annotated[str, StringConstraints(min_length=1, max_length=2048)]


class SubjectAlternativeNames(Model):
    """The names that a certificate shall carry, by type (RFC 5280 section 4.2.1.6)."""

    dns: Items[_Name] = Field(
        (),
        description="DNS names, in ASCII or Unicode; `*.` first makes a wildcard.",
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


def _check_csr(value: str) -> str:
    if "PRIVATE KEY-----" in value:
        raise refuse(
            "request.csr.private-key",
            "the text holds a private key, where only a certificate request is allowed",
            "treat the key as compromised, make a new one, and write its CSR here",
        )
    return value


class CertificateRequestSpec(Model):
    """What the certificate shall say; the policy decides whether it may."""

    policy: PathName = Field(
        description="The issuance policy to judge by: a path below policies/ without .yaml.",
        examples=["internal-server"],
    )
    subject: Subject = Field(
        default_factory=dict,
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
    csr: Annotated[str, AfterValidator(_check_csr), StringConstraints(min_length=1)] | None = Field(
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

    @model_validator(mode="after")
    def _one_csr(self) -> Self:
        if (self.csr is None) == (self.csr_file is None):
            seen = "neither csr nor csrFile is" if self.csr is None else "both csr and csrFile are"
            raise refuse(
                "request.csr.missing" if self.csr is None else "request.csr.both",
                f"{seen} given, where exactly one is allowed",
                "write the request's PEM under csr, or name its file under csrFile",
            )
        return self


class CertificateRequest(Envelope):
    """A certificate that shall exist, and go on existing: gitca issues it and renews it."""

    kind: Literal["CertificateRequest"] = Field(
        description="The kind of document.", examples=["CertificateRequest"]
    )
    spec: CertificateRequestSpec = Field(
        description="What the certificate shall say.", examples=[{"policy": "internal-server"}]
    )
