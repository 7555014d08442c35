"""What becomes of a call of S3: uploads, downloads and lists are made here, the rest by moto."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import s3_listing
import s3_objects
from http_front import Reply
from s3_access import check_access
from s3_call import S3Call
from s3_errors import S3Error
from s3_log import S3Log
from s3_switches import S3SwitchBoard, S3Switches

ToMoto = Callable[[S3Call, Reply], None]


class S3Service:
    """The S3 of the tests. Answers on the event loop's thread: one call is done after the other."""

    def __init__(self, to_moto: ToMoto) -> None:
        self.switches, self.log = S3SwitchBoard(), S3Log()
        self._to_moto = to_moto

    def handle(self, call: S3Call, reply: Reply) -> None:
        """Answer a call, now or later."""
        latency = self.switches.now.latency_ms if self.switches.now.concerns(call) else 0
        if latency:
            # Each waits for itself: a timer, neither a thread nor a queue.
            asyncio.get_running_loop().call_later(latency / 1000, self._run, call, reply)
        else:
            self._run(call, reply)

    def _run(self, call: S3Call, reply: Reply) -> None:
        switches = self.switches.for_call(call)
        if switches.before == "drop":
            self.log.add(call, status=0, error="", outcome="dropped", done=False)
            reply(None)
            return
        try:
            self.switches.fail_before(switches)
            check_access(call, switches.deny)
            answer = self._done(call, switches)
        except S3Error as error:
            self.log.add(call, status=error.status, error=error.code, outcome="error", done=False)
            reply(call.refusal(error))
            return
        if answer is not None:
            self._tell(call, switches, reply, answer)
            return
        self._to_moto(call, lambda moto: self._tell(call, switches, reply, moto or b""))

    def _done(self, call: S3Call, switches: S3Switches) -> bytes | None:
        """Return the answer to what is done here; None leaves the call to moto."""
        if call.operation == "PutObject" and s3_objects.can_put(call.headers):
            bucket = s3_objects.bucket_named(call.bucket)
            made = s3_objects.put(bucket, call.key, call.headers, call.request.body)
            return call.answer(200, made)
        if call.operation in ("GetObject", "HeadObject") and "range" not in call.headers:
            if "versionId=" in call.request.target:
                return None
            bucket = s3_objects.bucket_named(call.bucket)
            status, headers, content = s3_objects.get(bucket, call.key, call.headers)
            if switches.corrupt and content:
                content = bytes([content[0] ^ 1]) + content[1:]
            return call.answer(status, headers, content)
        if call.operation == "ListObjectsV2" and call.query.keys() <= s3_listing.KNOWN:
            listed = s3_listing.page(s3_objects.bucket_named(call.bucket), call.query)
            return call.answer(200, {"Content-Type": "application/xml"}, listed)
        return None

    def _tell(self, call: S3Call, switches: S3Switches, reply: Reply, answer: bytes) -> None:
        status = int(answer[9:12])
        done = status < 400
        if done and switches.after:
            outcome = "dropped" if switches.after == "drop" else "error"
            error = S3Error("InternalError")
            self.log.add(call, status=error.status, error=error.code, outcome=outcome, done=True)
            reply(None if switches.after == "drop" else call.refusal(error))
            return
        # moto's own refusals have their code in XML, which the log does without.
        self.log.add(
            call, status=status, error="" if done else str(status),
            outcome="answered" if done else "error", done=done,
        )  # fmt: skip
        reply(answer)
