"""What becomes of certificates: renewal, replacement, deletion, and how many there may be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainValidator
from pydantic.json_schema import WithJsonSchema

from gitca.documents.document import CheckedModel, Model
from gitca.documents.fields import Contradiction, parse_duration, refuse, shown

_FRACTION = re.compile(r"([1-9][0-9]{0,2})/([1-9][0-9]{0,2})")
_DURATION_FORM = "[1-9][0-9]{0,7}[mhdwy]"


def _lead(value: object) -> timedelta | Fraction:
    if not isinstance(value, str):
        message = f"{shown(value)} is neither a duration nor a fraction"
        raise refuse("document.type", message, "write 10d, or 1/3 of the validity")
    match = _FRACTION.fullmatch(value)
    if match is None:
        return parse_duration(value)
    share = Fraction(int(match[1]), int(match[2]))
    if share >= 1:
        message = f"{value} of the validity is not below the whole"
        raise refuse("document.fraction", message, "write a fraction below 1, as in 1/3")
    return share


Lead = Annotated[
    timedelta | Fraction,
    PlainValidator(_lead),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{_DURATION_FORM}|{_FRACTION.pattern})$"}),
]
"""A time before notAfter: a duration (`10d`), or a fraction of the validity (`1/3`)."""


class Renewal(CheckedModel):
    """Whether and when a certificate is renewed, and on which key."""

    automatic: bool = Field(
        False,
        description="Whether gitca renews certificates on the same key. Without it, a renewal needs"
        " a new CSR.",
        examples=[True],
    )
    before: Lead | None = Field(
        None,
        description="How long before notAfter the certificate is renewed, or (where it is not"
        " automatic) the need of a new CSR is told: a duration, or a fraction of the validity."
        " Needed with automatic.",
        examples=["10d", "1/3"],
    )
    key: Literal["same", "new"] = Field(
        "same",
        description="same: a renewal may keep the key. new: a renewal needs a CSR with a new key,"
        " and plan warns in time.",
        examples=["same"],
    )

    def lead(self, validity: timedelta) -> timedelta | None:
        """Return `before` as a duration, for a certificate that is valid for so long."""
        if isinstance(self.before, Fraction):
            return validity * self.before.numerator // self.before.denominator
        return self.before

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where a renewal has no moment, or no key."""
        if self.automatic and self.before is None:
            message = "renewal is automatic, and nothing says how long before notAfter"
            remedy = "add before, as in 10d or 1/3"
            yield Contradiction("policy.renewal.before", message, remedy, ("automatic",))
        if self.automatic and self.key == "new":
            message = "automatic renews on the same key, and key asks for a new one"
            remedy = "remove automatic, and keep before: plan warns so long before notAfter"
            yield Contradiction("policy.renewal.key", message, remedy, ("key",))


LifecycleReason = Literal[
    "unspecified",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "privilegeWithdrawn",
]
"""Of the reasons of RFC 5280 section 5.3.1 those that fit what happens every day: a compromise is
for a person to tell, in a RevocationRequest."""


def _action(value: object) -> object:
    """Return the mapping that a word alone stands for."""
    return {"action": value} if isinstance(value, str) else value


_Word = Literal["keep", "revoke"]


class OnReplace(Model):
    """What happens to a certificate once the one that replaces it was signed."""

    action: _Word = Field(
        description="keep: it stays valid until it expires. revoke: it is revoked.",
        examples=["revoke"],
    )
    reason: LifecycleReason = Field(
        "superseded", description="The reason of the revocation.", examples=["superseded"]
    )


class OnDelete(Model):
    """What happens to a certificate when its request is deleted."""

    action: _Word = Field(
        description="keep: it stays valid until it expires, and plan and status say so. revoke: it"
        " is revoked.",
        examples=["revoke"],
    )
    reason: LifecycleReason = Field(
        "cessationOfOperation",
        description="The reason of the revocation.",
        examples=["cessationOfOperation"],
    )


OnReplaceRule = Annotated[
    OnReplace, BeforeValidator(_action, json_schema_input_type=_Word | OnReplace)
]
OnDeleteRule = Annotated[
    OnDelete, BeforeValidator(_action, json_schema_input_type=_Word | OnDelete)
]

_Limit = Annotated[int, Field(ge=1, le=10_000_000)]


class Limits(Model):
    """How many certificates there may be: what is above is held up, and nothing else.

    Certificates that are ordered count from then on.
    """

    live_per_request: _Limit | None = Field(
        None,
        description="The most live certificates (neither expired nor revoked) of one request. A"
        " renewal needs room for the certificate that it replaces.",
        examples=[2],
    )
    live_per_policy: _Limit | None = Field(
        None,
        description="The most requests with a live certificate under this policy. A renewal or"
        " other replacement adds none.",
        examples=[1000],
    )
    issued_per_day: _Limit | None = Field(
        None,
        description="The most certificates that are ordered under this policy in any 24 hours,"
        " renewals among them. Renewals go first.",
        examples=[100],
    )
