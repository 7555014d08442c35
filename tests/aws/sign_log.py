"""What KMS did: the calls that made a signature, and apart from them the calls that did not."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field

from kms_call import Call


@dataclass(slots=True)
class Made:
    """A Sign call that made a signature, whatever its client heard of it.

    `key` is the ARN; `message` and `signature` are base64, `digest` the SHA-256 of the message in
    hex; times are seconds of the server's monotonic clock. `access_key` is the id of the
    credentials that the call was made with, which nobody checks. `outcome` is what the client got:
    `answered`, `error` or `dropped`.
    """

    request_id: str
    access_key: str
    key: str
    algorithm: str
    message_type: str
    message: str
    digest: str
    signature: str
    arrived: float
    answered: float
    outcome: str


@dataclass(slots=True)
class Failed:
    """A call of KMS that was refused; for Sign, no signature was made. `key` is what was asked."""

    request_id: str
    operation: str
    key: str
    error: str
    arrived: float
    answered: float


@dataclass
class SignLog:
    """Both lists, in the order of the answers."""

    made: list[Made] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)

    def refused(self, call: Call, error: str) -> None:
        """Add a call that failed."""
        entry = Failed(
            request_id=call.request_id,
            operation=call.operation,
            key=call.key,
            error=error,
            arrived=call.arrived,
            answered=time.monotonic(),
        )
        self.failed.append(entry)

    def clear(self) -> None:
        self.made.clear()
        self.failed.clear()

    def to_json(self) -> dict[str, list[dict[str, object]]]:
        return {
            "signs": [asdict(entry) for entry in self.made],
            "failures": [asdict(entry) for entry in self.failed],
        }
