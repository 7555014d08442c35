"""The kind CertificateAuthority: a CA that shall exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from gitca.documents.cross_certificate import CrossCertificate, renewed_at_once
from gitca.documents.document import CheckedModel, Envelope
from gitca.documents.fields import (
    Contradiction,
    Duration,
    Items,
    ObjectIdentifier,
    SegmentName,
    duration_text,
)
from gitca.documents.name_constraints import NameConstraints
from gitca.documents.subject import Subject
from gitca.documents.uris import SignerUri, UrlTemplate

SignatureAlgorithm = Literal[
    "ecdsa-sha256",
    "ecdsa-sha384",
    "ecdsa-sha512",
    "rsa-pkcs1-sha256",
    "rsa-pkcs1-sha384",
    "rsa-pkcs1-sha512",
    "rsa-pss-sha256",
    "rsa-pss-sha384",
    "rsa-pss-sha512",
    "ed25519",
    "ml-dsa-44",
    "ml-dsa-65",
    "ml-dsa-87",
]


EXTERNAL_ISSUER = "external"
"""What `issuer` says of a CA that one outside of the repository certifies; no CA's name."""


class CrlSettings(CheckedModel):
    """How this CA's CRL is made and where relying parties find it."""

    lifetime: Duration = Field(
        description="From a CRL's thisUpdate to its nextUpdate.", examples=["7d"]
    )
    refresh_before: Duration = Field(
        description="How long before nextUpdate the next CRL is made; less than lifetime.",
        examples=["3d"],
    )
    urls: Items[UrlTemplate] = Field(
        (),
        description="http URLs of the CRL, written into every certificate that this CA issues"
        " (CRLDistributionPoints). {ca.name} and {ca.keyIdentifier} stand for this CA's name and"
        " its subject key identifier in hexadecimal. Without the key, those of ca/repository.yaml;"
        " an empty list means none.",
        examples=[["http://pki.example.internal/{ca.name}.crl"]],
    )
    publish_margin: Duration | None = Field(
        None,
        description="How long a CRL must outlast the next scheduled run when it is published"
        " (reconcileEvery of ca/repository.yaml counts from the moment of publishing). Without it,"
        " not at all.",
        examples=["12h"],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong unless the next CRL is made while this one is young enough."""
        if self.refresh_before >= self.lifetime:
            yield Contradiction(
                "authority.crl.refresh-before",
                f"refreshBefore {duration_text(self.refresh_before)} is not below lifetime"
                f" {duration_text(self.lifetime)}",
                "shorten refreshBefore or lengthen lifetime",
                ("refreshBefore",),
            )
        if self.publish_margin is not None and self.publish_margin >= self.lifetime:
            yield Contradiction(
                "authority.crl.publish-margin",
                f"publishMargin {duration_text(self.publish_margin)} is not below lifetime"
                f" {duration_text(self.lifetime)}: every CRL would fall short of it",
                "shorten publishMargin or lengthen lifetime",
                ("publishMargin",),
            )


def _default_crl() -> CrlSettings:
    return CrlSettings.model_validate({"lifetime": "7d", "refreshBefore": "3d"})


class CertificateAuthoritySpec(CheckedModel):
    """What the CA is called, who issues it, and how its key and CRL are kept."""

    subject: Annotated[Subject, Field(min_length=1)] = Field(
        description="The CA's distinguished name, in the order in which it is encoded.",
        examples=[{"commonName": "Example Issuing CA", "organization": "Example", "country": "GB"}],
    )
    issuer: SegmentName = Field(
        description="self for a root; otherwise the name of the CA that issues this one, or"
        " external for a CA outside of the repository: it is asked with issued/<name>/ca.csr, and"
        " its answer, with the CAs above it, is put into ca/<name>.pem.",
        examples=["root", "self", "external"],
    )
    key: SignerUri = Field(
        description="Where the CA's key is: a signer URI. It never holds a passphrase or PIN.",
        examples=["file:issuing.key", "awskms:///alias/example-issuing?region=eu-west-1"],
    )
    signature_algorithm: SignatureAlgorithm | None = Field(
        None,
        description="The algorithm that this CA signs with. Needed only where the key leaves a"
        " choice.",
        examples=["ecdsa-sha256"],
    )
    validity: Duration = Field(
        description="How long the CA's certificate is valid; what an external CA decides on, whose"
        " answer may be shorter.",
        examples=["5y"],
    )
    renew_before: Duration | None = Field(
        None,
        description="How long before its end the CA's certificate is made anew, on the same key;"
        " less than validity. Without it, never.",
        examples=["1y"],
    )
    path_length: Annotated[int, Field(ge=0, le=16)] | None = Field(
        None,
        description="How many CAs may follow below this one: 0 for a CA that issues to end"
        " entities alone. Without it, any number.",
        examples=[0],
    )
    name_constraints: NameConstraints | None = Field(
        None,
        description="The names that certificates below this CA may carry.",
        examples=[{"permitted": {"dns": ["example.internal"]}}],
    )
    certificate_policies: Items[ObjectIdentifier] = Field(
        (),
        description="OIDs for the CA certificate's certificatePolicies extension.",
        examples=[["2.5.29.32.0"]],
    )
    leaf_beyond_issuer: Literal["reject", "truncate"] = Field(
        "reject",
        description="What happens to a certificate that would outlive this CA: reject it, or"
        " truncate its validity to the CA's.",
        examples=["reject"],
    )
    state: Literal["active", "crl-only", "retired"] = Field(
        "active",
        description="active: issues certificates and CRLs. crl-only: CRLs alone. retired: one last"
        " CRL that lasts as long as the CA's certificate, and nothing after it.",
        examples=["active"],
    )
    crl: CrlSettings = Field(
        default_factory=_default_crl,
        description="The CRL's lifetime, refresh and URLs. Without it: 7d, 3d and the URLs of"
        " ca/repository.yaml.",
        examples=[{"lifetime": "7d", "refreshBefore": "3d"}],
    )
    ca_issuers_urls: Items[UrlTemplate] = Field(
        (),
        description="http URLs of this CA's certificate in DER, written into every certificate that"
        " it issues (authorityInfoAccess). Templates and defaults are those of crl.urls.",
        examples=[["http://pki.example.internal/{ca.name}.cer"]],
    )
    cross_certificates: Items[CrossCertificate] = Field(
        (),
        description="Other CAs that this one certifies as well, as while a root is replaced.",
        examples=[[{"subject": "root-2027", "validity": "2y"}]],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where each certificate would be due when it is made, or by others."""
        if self.renew_before is not None and self.issuer == EXTERNAL_ISSUER:
            yield Contradiction(
                "authority.renew-before.external",
                "renewBefore is of no use with issuer external: that CA renews the certificate",
                "remove renewBefore; put each new certificate into ca/<name>.pem",
                ("renewBefore",),
            )
        elif self.renew_before is not None and self.renew_before >= self.validity:
            yield renewed_at_once(self.renew_before, self.validity)


class CertificateAuthority(Envelope):
    """A CA that shall exist: ca/<name>.yaml."""

    kind: Literal["CertificateAuthority"] = Field(
        description="The kind of document.", examples=["CertificateAuthority"]
    )
    spec: CertificateAuthoritySpec = Field(
        description="Name, issuer, key, validity and CRL of the CA.",
        examples=[
            {
                "subject": {"commonName": "Example Root CA"},
                "issuer": "self",
                "key": "file:root.key",
                "validity": "10y",
            }
        ],
    )
