"""What a test can make this KMS do: be slow, throttle, refuse, fail before or after signing."""

from __future__ import annotations

from dataclasses import dataclass, field

import kms_store
from key_policy import Attempt, allows
from kms_call import Call
from kms_errors import KmsError
from switch_board import Board, check

# API Reference, "ListAliases", Required permissions: kms:ListAliases (IAM policy), even of one key.
_BY_IAM_ALONE = {"ListAliases"}
BEFORE = ("", "error", "drop", "unavailable")
AFTER = ("", "error", "drop")


@dataclass(frozen=True)
class Switches:
    """The settings; the defaults are a KMS in good health.

    `latency_ms`: each Sign waits that long before it is looked at, at the same time as others.
    `throttle`: the share of Sign calls that get ThrottlingException, drawn with `seed`.
    `before`: Sign fails and signs nothing: by KMSInternalException (`error`), by
    KeyUnavailableException (`unavailable`), or its connection is closed (`drop`).
    `after`: Sign signs, and then fails by KMSInternalException or a closed connection.
    `deny`: operations that get AccessDeniedException, whoever asks; `*` is all.
    `caller`: the ARN of a role or user; the key policies are then held against it.
    `calls`: of Sign, `throttle`, `before`, `after` and `deny` hold for that many calls from now on,
    then no more; None is for ever.
    `spare`: before that, so many calls of Sign go through.
    `key`: of Sign, they hold for the key with this id only, where one is given.
    """

    latency_ms: float = 0.0
    throttle: float = 0.0
    seed: int = 0
    before: str = ""
    after: str = ""
    deny: tuple[str, ...] = ()
    caller: str = ""
    calls: int | None = None
    spare: int = 0
    key: str = ""

    def __post_init__(self) -> None:
        check(self, before=BEFORE, after=AFTER)


@dataclass
class SwitchBoard(Board[Switches]):
    """The settings of now, and what they need to remember from call to call."""

    now: Switches = field(default_factory=Switches)

    def for_sign(self, key_id: str) -> Switches:
        """Return what holds for this call of Sign, which is counted."""
        healthy = Switches(caller=self.now.caller)
        if self.now.key and self.now.key != key_id:
            return healthy
        return self.counted(healthy)

    def throttle(self, switches: Switches) -> None:
        """Draw whether a call is throttled (Developer Guide, "Throttling AWS KMS requests")."""
        if self.draws_throttling(switches):
            raise KmsError(
                "ThrottlingException",
                "You have exceeded the rate at which you may call KMS. "
                "Reduce the frequency of your calls.",
            )

    def check_permission(self, switches: Switches, attempt: Attempt, call: Call) -> None:
        """Refuse what is switched off, and what the policy of the key does not allow its caller."""
        if {"*", attempt.operation} & set(switches.deny):
            raise _denied(attempt)
        if attempt.caller and call.key and attempt.operation not in _BY_IAM_ALONE:
            key = kms_store.find(call.region, call.key)
            if not allows(key.policy, attempt):
                raise _denied(attempt)


def _denied(attempt: Attempt) -> KmsError:
    """Return the error of a caller without permission (API Reference, "Common Errors")."""
    return KmsError(
        "AccessDeniedException",
        f"User: {attempt.principal} is not authorized to perform: kms:{attempt.operation} on this "
        f"resource because no resource-based policy allows the kms:{attempt.operation} action",
    )
