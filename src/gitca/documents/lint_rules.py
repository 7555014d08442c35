"""What the linter's word counts under a policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gitca.documents.document import CheckedModel, Model
from gitca.documents.fields import Contradiction, Items, Text, Timestamp, refuse, shown

UNDECODABLE = "lint.undecodable"
_CODE = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+){1,3}")


def _check_lint(value: str) -> str:
    if _CODE.fullmatch(value) is None:
        remedy = "write the name that the finding has after lint., as in pkix.invalid_uri_syntax"
        raise refuse("policy.lint.name", f"{shown(value)} is not the name of a lint", remedy)
    if value == UNDECODABLE:
        message = f"{UNDECODABLE} says that nobody could read the certificate, and is not ignored"
        raise refuse("policy.lint.name", message, "remove it")
    return value


class IgnoredLint(Model):
    """One lint that stops nothing until a date; its findings go on being shown."""

    lint: Annotated[str, AfterValidator(_check_lint)] = Field(
        description="The lint's name, as its findings have it after `lint.`.",
        examples=["pkix.certificate_validity_period_exceeds_398_days"],
    )
    reason: Text = Field(
        description="Why it may be ignored, for whoever reviews the policy.",
        examples=["a device that is being replaced reads no other form"],
    )
    until: Timestamp = Field(
        description="From when on it counts again.", examples=["2027-01-01T00:00:00Z"]
    )


class LintRules(CheckedModel):
    """From which level on the linter's results stop a certificate, and which are ignored."""

    level: Literal["error", "warning"] = Field(
        "error",
        description="error: errors stop a certificate. warning: warnings stop it, too.",
        examples=["error"],
    )
    ignore: Items[IgnoredLint] = Field(
        (),
        description="Lints that stop nothing until a date.",
        examples=[
            [
                {
                    "lint": "pkix.invalid_uri_syntax",
                    "reason": "a device that is being replaced reads no other form",
                    "until": "2027-01-01T00:00:00Z",
                }
            ]
        ],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where a lint is ignored twice."""
        seen: set[str] = set()
        for index, ignored in enumerate(self.ignore):
            if ignored.lint in seen:
                message = f"{ignored.lint} is ignored twice, which leaves open until when"
                yield Contradiction(
                    "policy.lint.twice", message, "remove one of them", ("ignore", index, "lint")
                )
            seen.add(ignored.lint)
