"""What S3 was asked for, in the order of the answers."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field

from s3_call import S3Call


@dataclass(slots=True)
class Asked:
    """A call of S3; times are seconds of the server's monotonic clock.

    `outcome` is what the client got: `answered`, `error` or `dropped`; `error` is the code of a
    refusal. `done` says whether the operation was carried out, whatever the client heard of it,
    and `asked` whether the client asked before it sent the body (Expect: 100-continue).
    """

    request_id: str
    operation: str
    bucket: str
    key: str
    anonymous: bool
    access_key: str
    status: int
    error: str
    outcome: str
    done: bool
    asked: bool
    size: int
    arrived: float
    answered: float


@dataclass
class S3Log:
    """The calls, of which the tests of speed make tens of thousands."""

    calls: list[Asked] = field(default_factory=list)

    def add(self, call: S3Call, *, status: int, error: str, outcome: str, done: bool) -> None:
        self.calls.append(
            Asked(
                request_id=call.request_id,
                operation=call.operation,
                bucket=call.bucket,
                key=call.key,
                anonymous=call.is_anonymous,
                access_key=call.access_key,
                status=status,
                error=error,
                outcome=outcome,
                done=done,
                asked="expect" in call.headers,
                size=len(call.request.body),
                arrived=call.arrived,
                answered=time.monotonic(),
            )
        )

    def clear(self) -> None:
        self.calls.clear()

    def to_json(self) -> list[dict[str, object]]:
        return [asdict(call) for call in self.calls]
