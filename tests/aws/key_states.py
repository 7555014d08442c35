"""The states of keys, what they forbid, and the operations that change them.

AWS KMS Developer Guide, "Key states of AWS KMS keys"; the numbers are its notes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from kms_errors import KmsError, invalid
from kms_keys import ALGORITHMS
from kms_store import find
from moto.core.utils import unix_time, utcnow
from moto.kms.models import Key

# [3] KMSInvalidStateException where the key is pending deletion. DeleteAlias, PutKeyPolicy and
# what only reads are always allowed.
_FORBIDDEN_WHEN_PENDING = {"CreateAlias", "UpdateAlias", "EnableKey", "DisableKey",
                           "ScheduleKeyDeletion", "TagResource", "UntagResource",
                           "UpdateKeyDescription"}  # fmt: skip
_DAYS = range(7, 31)  # API Reference, "ScheduleKeyDeletion", PendingWindowInDays


def check_usable(key: Key) -> None:
    """Refuse a cryptographic operation, and GetPublicKey, with a key that is not enabled.

    [1] DisabledException for Disabled, [3] KMSInvalidStateException for PendingDeletion.
    """
    if key.key_state == "Disabled":
        raise KmsError("DisabledException", f"{key.arn} is disabled.")
    if key.key_state != "Enabled":
        raise _pending(key)


def check_managed(operation: str, region: str, parameters: Mapping[str, Any]) -> None:
    """Hold an operation that manages a key against the key's state."""
    named = parameters.get("TargetKeyId") or parameters.get("KeyId")
    if not named or operation not in {*_FORBIDDEN_WHEN_PENDING, "CancelKeyDeletion"}:
        return
    if "alias/" in named:
        # API Reference of each, KeyId and TargetKeyId: a key id or a key ARN.
        raise KmsError("NotFoundException", f"Invalid keyId {named}")
    key = find(region, named)
    if operation == "CancelKeyDeletion" and key.key_state != "PendingDeletion":
        # [4]
        raise KmsError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
    if operation in _FORBIDDEN_WHEN_PENDING and key.key_state == "PendingDeletion":
        raise _pending(key)
    if operation == "UpdateAlias":
        _check_same_type(key, find(region, parameters["AliasName"]))


def _check_same_type(key: Key, current: Key) -> None:
    """Hold an alias's new key against its current one.

    API Reference, "UpdateAlias": both must be symmetric, asymmetric or HMAC, with the same usage.
    """
    same_kind = (key.key_spec in ALGORITHMS) == (current.key_spec in ALGORITHMS)
    if not same_kind or key.key_usage != current.key_usage:
        raise invalid(f"alias of a {current.key_usage} key cannot move to a {key.key_usage} key")


def _pending(key: Key) -> KmsError:
    return KmsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")


def _set(key: Key, state: str) -> None:
    key.key_state, key.enabled = state, state == "Enabled"


def _enable(key: Key, _: Mapping[str, Any]) -> dict[str, Any]:
    _set(key, "Enabled")
    return {}


def _disable(key: Key, _: Mapping[str, Any]) -> dict[str, Any]:
    _set(key, "Disabled")
    return {}


def _schedule(key: Key, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Put off the deletion; nothing deletes it here (Response Elements: KeyId is the ARN)."""
    days = parameters.get("PendingWindowInDays", 30)
    if days not in _DAYS:
        raise invalid(f"PendingWindowInDays is {days}, allowed is 7 to 30")
    _set(key, "PendingDeletion")
    key.deletion_date = utcnow() + timedelta(days=days)
    return {
        "KeyId": key.arn,
        "DeletionDate": unix_time(key.deletion_date),
        "KeyState": key.key_state,
        "PendingWindowInDays": days,
    }


def _cancel(key: Key, _: Mapping[str, Any]) -> dict[str, Any]:
    """Cancel the deletion; the key is disabled then (API Reference, "CancelKeyDeletion")."""
    _set(key, "Disabled")
    key.deletion_date = None
    return {"KeyId": key.arn}


CHANGES: Mapping[str, Callable[[Key, Mapping[str, Any]], dict[str, Any]]] = {
    "EnableKey": _enable,
    "DisableKey": _disable,
    "ScheduleKeyDeletion": _schedule,
    "CancelKeyDeletion": _cancel,
}
