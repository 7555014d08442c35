"""Key policies as KMS evaluates them: who may do what with a key, and the lockout safety check.

AWS KMS Developer Guide, "Key policies in AWS KMS" and "Default key policy"; AWS IAM User Guide,
"Policy evaluation logic". Evaluated is what the policies of CA keys consist of: Effect, Principal,
Action and the conditions below. IAM policies are taken to allow everything, so that a statement
for the account (its root ARN) allows every caller of the account, and one for a principal that one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from kms_errors import KmsError
from moto.core import DEFAULT_ACCOUNT_ID

ACCOUNT = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:root"
# IAM User Guide, "IAM JSON policy elements: Condition operators".
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda seen, wanted: seen == wanted,
    "StringLike": fnmatchcase,
    "ArnEquals": fnmatchcase,
    "ArnLike": fnmatchcase,
    "NumericEquals": lambda seen, wanted: float(seen) == float(wanted),
    "Bool": lambda seen, wanted: seen.lower() == wanted.lower(),
}


@dataclass(frozen=True)
class Attempt:
    """A caller who wants to do something with a key; an empty caller is the account's root user."""

    caller: str
    operation: str
    parameters: Mapping[str, Any]

    @property
    def principal(self) -> str:
        return self.caller or ACCOUNT

    def context(self) -> dict[str, str]:
        """Return the condition keys (Developer Guide, "AWS KMS condition keys", and IAM's own)."""
        days = str(self.parameters.get("PendingWindowInDays", 30))
        kind = self.principal.rsplit(":", 1)[1].split("/")[0]
        return {
            "aws:PrincipalArn": self.principal,
            "aws:PrincipalType": {"root": "Account", "user": "User"}.get(kind, "AssumedRole"),
            "kms:SigningAlgorithm": str(self.parameters.get("SigningAlgorithm", "")),
            "kms:MessageType": str(self.parameters.get("MessageType") or "RAW"),
            "kms:ScheduleKeyDeletionPendingWindowInDays": days,
        }


def allows(policy: str, attempt: Attempt) -> bool:
    """Say whether a policy allows an attempt: some statement does, and none denies it."""
    effects = {
        statement["Effect"]
        for statement in _listed(json.loads(policy).get("Statement"))
        if _is_about(statement, attempt)
    }
    return effects == {"Allow"}


def check_not_locked_out(parameters: Mapping[str, Any], caller: str) -> None:
    """Refuse a policy that its maker could not change again.

    API Reference, "CreateKey" and "PutKeyPolicy", Policy: it must allow the caller a subsequent
    PutKeyPolicy, unless BypassPolicyLockoutSafetyCheck is set.
    """
    policy = parameters.get("Policy")
    if policy is None or parameters.get("BypassPolicyLockoutSafetyCheck"):
        return
    try:
        is_allowed = allows(policy, Attempt(caller, "PutKeyPolicy", {}))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KmsError("MalformedPolicyDocumentException", "Policy is malformed.") from None
    if not is_allowed:
        raise KmsError(
            "MalformedPolicyDocumentException",
            "The new key policy will not allow you to update the key policy in the future.",
        )


def _is_about(statement: Mapping[str, Any], attempt: Attempt) -> bool:
    action = f"kms:{attempt.operation}".lower()
    if not any(fnmatchcase(action, one.lower()) for one in _listed(statement.get("Action"))):
        return False
    principal = statement["Principal"]
    named = ["*"] if principal == "*" else _listed(principal.get("AWS"))
    if not {"*", ACCOUNT, DEFAULT_ACCOUNT_ID, attempt.principal} & set(named):
        return False
    context = attempt.context()
    return all(
        any(_OPERATORS[operator](context[name], wanted) for wanted in _listed(values))
        for operator, tests in statement.get("Condition", {}).items()
        for name, values in tests.items()
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
