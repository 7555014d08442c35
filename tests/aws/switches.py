"""What a test can make this KMS do: be slow, throttle, refuse, fail before or after signing."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kms_errors import KmsError

BEFORE = ("", "error", "drop", "unavailable")
AFTER = ("", "error", "drop")


@dataclass(frozen=True)
class Switches:
    """The settings; the defaults are a KMS in good health.

    `latency_ms`: each Sign waits that long before it is looked at, at the same time as others.
    `throttle`: the share of Sign calls that get ThrottlingException, drawn with `seed`.
    `before`: Sign fails and signs nothing: by KMSInternalException (`error`), by KeyUnavailable
    (`unavailable`), or its connection is closed (`drop`).
    `after`: Sign signs, and then fails by KMSInternalException or a closed connection.
    `deny`: operations that get AccessDeniedException, whoever asks; `*` is all.
    `calls`: `throttle`, `before`, `after` and `deny` hold for that many calls of Sign (the others
    do not count) from now on, then no more; None is for ever.
    `key`: they hold for the key with this id only, where it is given.
    """

    latency_ms: float = 0.0
    throttle: float = 0.0
    seed: int = 0
    before: str = ""
    after: str = ""
    deny: tuple[str, ...] = ()
    calls: int | None = None
    key: str = ""

    def __post_init__(self) -> None:
        if self.before not in BEFORE or self.after not in AFTER:
            raise ValueError(f"before is one of {BEFORE}, after one of {AFTER}")
        if not 0 <= self.throttle <= 1 or self.latency_ms < 0:
            raise ValueError("throttle is a share from 0 to 1, latency_ms is not negative")


@dataclass
class SwitchBoard:
    """The settings of now, and what they need to remember from call to call."""

    now: Switches = field(default_factory=Switches)
    _random: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311
    _counted: int = 0

    def set(self, changes: dict[str, Any]) -> None:
        """Change some settings and count from zero. Raises: TypeError, ValueError."""
        if "deny" in changes:
            changes["deny"] = tuple(changes["deny"])
        self.now = replace(self.now, **changes)
        self._random, self._counted = random.Random(self.now.seed), 0  # noqa: S311

    def clear(self) -> None:
        self.set(asdict(Switches()))

    def for_sign(self, key_id: str) -> Switches:
        """Return what holds for this call of Sign, which is counted."""
        if self.now.key and self.now.key != key_id:
            return Switches()
        self._counted += 1
        if self.now.calls is not None and self._counted > self.now.calls:
            return Switches()
        return self.now

    def is_throttled(self, chosen: Switches) -> bool:
        """Draw whether a call is throttled."""
        return bool(chosen.throttle) and self._random.random() < chosen.throttle

    def refuse_denied(self, operation: str) -> None:
        """Raise AccessDeniedException for an operation that is switched off, Sign excepted."""
        if operation in self.now.deny or "*" in self.now.deny:
            raise denied(operation)


def denied(operation: str) -> KmsError:
    """Return the error of a caller without permission (API Reference, "Common Errors")."""
    return KmsError(
        "AccessDeniedException",
        f"User: arn:aws:iam::123456789012:user/test is not authorized to perform: "
        f"kms:{operation} because no identity-based policy allows the kms:{operation} action",
    )
