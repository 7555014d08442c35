"""The kind RevocationRequest: certificates that shall no longer be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from gitca.documents.document import CheckedModel, Envelope
from gitca.documents.fields import (
    Contradiction,
    KeyIdentifier,
    PathName,
    SegmentName,
    Serial,
    Timestamp,
    refuse,
)

AUTHORITY_REVOCATIONS = "requests/ca/"
"""Where the documents lie that may revoke a CA's certificate: for CODEOWNERS."""

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


class RevocationRequestSpec(CheckedModel):
    """Which certificates, why, and since when the reason holds."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["certificate"]},
                {"required": ["serial", "ca"]},
                {"required": ["key"]},
            ]
        }
    )

    certificate: PathName | None = Field(
        None,
        description="The name of a request: every unexpired certificate that it was given is"
        " revoked.",
        examples=["payments/api"],
    )
    serial: Serial | None = Field(
        None,
        description="The serial number of one certificate, in lower-case hexadecimal, quoted;"
        " needs ca. That of a CA's certificate is accepted below requests/ca/ alone.",
        examples=["3f2a9c"],
    )
    ca: SegmentName | None = Field(
        None, description="The CA that issued the serial number.", examples=["issuing"]
    )
    key: KeyIdentifier | None = Field(
        None,
        description="A key: every certificate on it is revoked, and the key is refused from then"
        " on. A CA's is accepted below requests/ca/ alone.",
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

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong unless exactly one thing to revoke is named, and named wholly."""
        targets = {"certificate": self.certificate, "serial": self.serial, "key": self.key}
        given = [name for name, value in targets.items() if value is not None]
        allowed = "exactly one of certificate, serial (with ca) and key"
        if not given:
            yield Contradiction(
                "revocation.target",
                f"nothing to revoke is named, where {allowed} is needed",
                "write one of them",
            )
        if len(given) > 1:
            yield Contradiction(
                "revocation.target",
                f"{' and '.join(given)} are given, where {allowed} is allowed",
                "use one document for each thing to revoke",
                (given[1],),
            )
        yield from self._incomplete_serial()

    def _incomplete_serial(self) -> Iterator[Contradiction]:
        if self.serial is not None and self.ca is None:
            message = "a serial number says nothing without the CA that issued it"
            yield Contradiction("revocation.ca.missing", message, "add ca", ("serial",))
        if self.ca is not None and self.serial is None:
            message = "ca belongs to serial, and no serial is given"
            yield Contradiction("revocation.ca.alone", message, "add serial or remove ca", ("ca",))


class RevocationRequest(Envelope):
    """Certificates that shall no longer be trusted. Deleting the document undoes nothing.

    Below requests/; one that names a CA's certificate or key must lie below requests/ca/.
    """

    kind: Literal["RevocationRequest"] = Field(
        description="The kind of document.", examples=["RevocationRequest"]
    )
    spec: RevocationRequestSpec = Field(
        description="Which certificates, and why.",
        examples=[{"certificate": "payments/api", "reason": "keyCompromise"}],
    )
