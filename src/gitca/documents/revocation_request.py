"""The kind RevocationRequest: certificates that shall no longer be trusted."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from gitca.documents.document import Envelope, Model
from gitca.documents.fields import KeyIdentifier, PathName, SegmentName, Serial, Timestamp, refuse

Reason = Literal[
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "privilegeWithdrawn",
    "aACompromise",
]
"""The reasons of RFC 5280 section 5.3.1, without removeFromCRL."""


def _check_reason(value: object) -> object:
    if value == "removeFromCRL":
        raise refuse(
            "revocation.reason",
            "reason removeFromCRL belongs to delta CRLs (RFC 5280 section 5.3.1), which gitca does"
            " not make",
            "a revocation cannot be undone; ask for a new certificate",
        )
    return value


class RevocationRequestSpec(Model):
    """Which certificates, why, and since when the reason holds."""

    certificate: PathName | None = Field(
        None,
        description="The name of a request: every unexpired certificate that it was given is"
        " revoked.",
        examples=["payments/api"],
    )
    serial: Serial | None = Field(
        None,
        description="The serial number of one certificate, in lower-case hexadecimal, quoted;"
        " needs ca.",
        examples=["3f2a9c"],
    )
    ca: SegmentName | None = Field(
        None, description="The CA that issued the serial number.", examples=["issuing"]
    )
    key: KeyIdentifier | None = Field(
        None,
        description="A key: every certificate on it is revoked, and the key is refused from then"
        " on.",
        examples=["sha256:" + "0f" * 32],
    )
    reason: Annotated[Reason, BeforeValidator(_check_reason)] = Field(
        description="Why, in the words of RFC 5280 section 5.3.1.", examples=["keyCompromise"]
    )
    invalidity_date: Timestamp | None = Field(
        None,
        description="Since when the key is known or suspected to be compromised"
        " (RFC 5280 section 5.3.2).",
        examples=["2026-11-20T00:00:00Z"],
    )

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        targets = {"certificate": self.certificate, "serial": self.serial, "key": self.key}
        given = [name for name, value in targets.items() if value is not None]
        if len(given) != 1:
            raise refuse(
                "revocation.target",
                f"{' and '.join(given) or 'nothing'} given to revoke, where exactly one of"
                " certificate, serial (with ca) and key is allowed",
                "write one of them; use one document for each thing to revoke",
            )
        if (self.serial is None) != (self.ca is None):
            raise refuse(
                "revocation.target",
                "serial and ca belong together, and only one of them is given",
                "write serial and the ca that issued it, or neither",
            )
        return self


class RevocationRequest(Envelope):
    """Certificates that shall no longer be trusted. Deleting the document undoes nothing."""

    kind: Literal["RevocationRequest"] = Field(
        description="The kind of document.", examples=["RevocationRequest"]
    )
    spec: RevocationRequestSpec = Field(
        description="Which certificates, and why.",
        examples=[{"certificate": "payments/api", "reason": "keyCompromise"}],
    )
