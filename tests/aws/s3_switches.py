"""What a test can make this S3 do: be slow, throttle, refuse, fail before or after it is done."""

from __future__ import annotations

from dataclasses import dataclass, field

from s3_call import S3Call
from s3_errors import S3Error
from switch_board import Board, check

BEFORE = ("", "error", "drop", "conflict")
AFTER = ("", "error", "drop")


@dataclass(frozen=True)
class S3Switches:
    """The settings; the defaults are an S3 in good health.

    `latency_ms`: each call waits that long before it is looked at, at the same time as others.
    `throttle`: the share of calls that get SlowDown, drawn with `seed`.
    `before`: calls fail and do nothing: by InternalError (`error`), ConditionalRequestConflict
    (`conflict`), or a closed connection (`drop`).
    `after`: calls are done, and fail then, by InternalError or a closed connection.
    `corrupt`: one bit of the content that GetObject answers is another one.
    `deny`: IAM actions without `s3:` (`PutObject`, `ListBucket`) that are refused; `*` is all.
    `operation` and `key`: all but `deny` hold for this operation and this end of a key only.
    `calls`: `throttle`, `before`, `after` and `corrupt` hold for so many of these calls, then no
    more; None is for ever. `spare`: before that, so many of them go through.
    """

    latency_ms: float = 0.0
    throttle: float = 0.0
    seed: int = 0
    before: str = ""
    after: str = ""
    corrupt: bool = False
    deny: tuple[str, ...] = ()
    operation: str = ""
    key: str = ""
    calls: int | None = None
    spare: int = 0

    def __post_init__(self) -> None:
        check(self, before=BEFORE, after=AFTER)

    def concerns(self, call: S3Call) -> bool:
        return self.operation in ("", call.operation) and call.key.endswith(self.key)


@dataclass
class S3SwitchBoard(Board[S3Switches]):
    """The settings of now, and what they need to remember from call to call."""

    now: S3Switches = field(default_factory=S3Switches)

    def for_call(self, call: S3Call) -> S3Switches:
        """Return what holds for a call, which is counted."""
        healthy = S3Switches(deny=self.now.deny)
        if not self.now.concerns(call):
            return healthy
        return self.counted(healthy)

    def fail_before(self, switches: S3Switches) -> None:
        """Draw whether a call is turned away. Raises: S3Error."""
        if self.draws_throttling(switches):
            raise S3Error("SlowDown")
        if switches.before in ("error", "conflict"):
            error = switches.before == "error"
            raise S3Error("InternalError" if error else "ConditionalRequestConflict")
