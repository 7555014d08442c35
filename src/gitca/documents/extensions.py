"""Extensions as documents write them: values by type, what a policy gives, and what it allows."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from gitca.documents.document import CheckedModel, Model
from gitca.documents.fields import Contradiction, Items, ObjectIdentifier, refuse, shown
from gitca.documents.managed_extensions import ExtensionOid
from gitca.documents.patterns import TextTemplate
from gitca.documents.uris import HttpUrl

VALUE_TYPES = ("utf8", "ia5", "integer", "boolean", "der")
LONGEST_VALUE = 8192
"""Octets of DER, and characters of text, that the value of an extension may have."""
_LARGEST = 10**18

TLS_FEATURE_OID = "1.3.6.1.5.5.7.1.24"
OCSP_NO_CHECK_OID = "1.3.6.1.5.5.7.48.1.5"

_Text = Annotated[str, StringConstraints(max_length=LONGEST_VALUE // 4)]


def _ia5(value: str) -> str:
    if not value.isascii():
        message = f"{shown(value)} is no IA5 text, which has the characters of ASCII alone"
        raise refuse("extensions.value", message, "write it under utf8")
    return value


def _der(value: str) -> str:
    try:
        octets = base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        message = f"{shown(value)} is not base64: {error}"
        raise refuse("extensions.value", message, "write the DER in base64") from None
    if not 2 <= len(octets) <= LONGEST_VALUE:
        message = f"the value has {len(octets)} octets; allowed are 2 to {LONGEST_VALUE}"
        raise refuse("extensions.value", message, "write the DER of one ASN.1 value")
    return base64.b64encode(octets).decode("ascii")


class ExtensionValue(CheckedModel):
    """The value of an extension: one ASN.1 value, given in exactly one way."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [name]} for name in VALUE_TYPES]}
    )

    utf8: _Text | None = Field(None, description="Text, as a UTF8String.", examples=["payments"])
    ia5: Annotated[_Text, AfterValidator(_ia5)] | None = Field(
        None, description="ASCII text, as an IA5String.", examples=["payments"]
    )
    integer: Annotated[int, Field(gt=-_LARGEST, lt=_LARGEST)] | None = Field(
        None, description="A whole number, as an INTEGER.", examples=[3]
    )
    boolean: bool | None = Field(None, description="True or false, as a BOOLEAN.", examples=[True])
    der: Annotated[str, AfterValidator(_der)] | None = Field(
        None, description="Any one ASN.1 value, as its DER in base64.", examples=["BQA="]
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong unless exactly one way is given."""
        given = [name for name in VALUE_TYPES if getattr(self, name) is not None]
        if len(given) != 1:
            seen = ", ".join(given) or "nothing"
            message = f"the value gives {seen}, where exactly one of {', '.join(VALUE_TYPES)} is"
            yield Contradiction("extensions.value", f"{message} needed", "write one of them")


class Extension(Model):
    """One extension with its value."""

    oid: ExtensionOid = Field(
        description="The extension's OID; none that gitca writes itself.",
        examples=["1.3.6.1.4.1.99999.7"],
    )
    critical: bool = Field(
        False,
        description="Whether verifiers that do not know the extension must refuse the certificate.",
        examples=[False],
    )
    value: ExtensionValue = Field(
        description="The value, by one of utf8, ia5, integer, boolean, der.",
        examples=[{"utf8": "payments"}],
    )


class AllowedExtension(Model):
    """An extension that a request may state."""

    oid: ExtensionOid = Field(
        description="The extension's OID; none that gitca writes itself.",
        examples=["1.3.6.1.4.1.99999.7"],
    )
    critical: bool = Field(
        False, description="The criticality that the request must state.", examples=[False]
    )
    values: Items[TextTemplate] | None = Field(
        None,
        description="Patterns of allowed values: * stands for characters between dots, ** for dots"
        " too; numbers, true and false are compared as text, and der with its base64 to the letter."
        " Without it, every value is allowed.",
        examples=[["payments", "billing-*"]],
    )


class CsrExtension(Model):
    """An extension that is taken from a CSR that asks for it."""

    oid: ExtensionOid = Field(
        description="The extension's OID; none that gitca writes itself.",
        examples=["1.3.6.1.4.1.99999.8"],
    )
    critical: bool = Field(
        False, description="The criticality that the CSR must state.", examples=[False]
    )


class CertificatePolicy(Model):
    """One policy of the certificatePolicies extension (RFC 5280 section 4.2.1.4)."""

    oid: ObjectIdentifier = Field(
        description="The OID of the certificate policy.", examples=["1.3.6.1.4.1.99999.1.1"]
    )
    cps: Items[HttpUrl] = Field(
        (),
        description="http URLs of the certification practice statement.",
        examples=[["http://pki.example.internal/cps"]],
    )
    notice: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None,
        description="A text for relying parties (user notice), at most 200 characters.",
        examples=["For use inside Example alone."],
    )


def _once(policies: tuple[CertificatePolicy, ...]) -> tuple[CertificatePolicy, ...]:
    oids = [policy.oid for policy in policies]
    if len(set(oids)) != len(oids):
        message = f"an OID stands twice among {', '.join(oids)}; allowed is once"
        raise refuse("extensions.duplicate", f"{message} (RFC 5280 section 4.2.1.4)", "merge them")
    return policies


class ExtensionRules(CheckedModel):
    """Extensions that certificates carry, and those that requests and CSRs may state."""

    certificate_policies: Annotated[Items[CertificatePolicy], AfterValidator(_once)] = Field(
        (),
        description="The certificate policies of every certificate.",
        examples=[[{"oid": "1.3.6.1.4.1.99999.1.1", "cps": ["http://pki.example.internal/cps"]}]],
    )
    tls_feature: Items[Literal["statusRequest", "statusRequestV2"]] = Field(
        (),
        description="TLS extensions that a server with such a certificate must offer (RFC 7633);"
        " statusRequest is OCSP must-staple.",
        examples=[["statusRequest"]],
    )
    ocsp_no_check: bool = Field(
        False,
        description="Whether relying parties do not ask for the revocation of these certificates,"
        " as those of OCSP responders (RFC 6960 section 4.2.2.2.1).",
        examples=[True],
    )
    other: Items[Extension] = Field(
        (),
        description="Any other extensions of every certificate.",
        examples=[[{"oid": "1.3.6.1.4.1.99999.7", "value": {"utf8": "payments"}}]],
    )
    allow: Items[AllowedExtension] = Field(
        (),
        description="Extensions that a request may state. Without it, none.",
        examples=[[{"oid": "1.3.6.1.4.1.99999.7", "values": ["payments"]}]],
    )
    from_request: Items[CsrExtension] = Field(
        (),
        description="Extensions that are taken from the CSR where it asks for them, byte for byte."
        " The plan shows them. Without it, none.",
        examples=[[{"oid": "1.3.6.1.4.1.99999.8"}]],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where every certificate would carry an extension twice."""
        seen = {TLS_FEATURE_OID} if self.tls_feature else set()
        seen |= {OCSP_NO_CHECK_OID} if self.ocsp_no_check else set()
        for index, extension in enumerate(self.other):
            if extension.oid in seen:
                message = f"extension {extension.oid} stands twice; allowed is once"
                at = ("other", index, "oid")
                yield Contradiction("extensions.duplicate", message, "remove one of them", at)
            seen.add(extension.oid)
