"""What becomes of a request: Sign and a few others are answered here, the rest by moto."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import kms_operations
import kms_store
from http_front import Reply
from http_message import Request, render
from kms_errors import KmsError
from moto_bridge import Moto
from sign_log import Failed, Made, SignLog
from switches import SwitchBoard, Switches, denied

CONTROL = "/aws-of-the-tests/"
_TARGET = "TrentService."
_HERE: Mapping[str, Callable[[str, Mapping[str, Any]], dict[str, Any]]] = {
    "Verify": kms_operations.verify,
    "GetPublicKey": kms_operations.get_public_key,
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of KMS; `arrived` is in seconds of the monotonic clock."""

    operation: str
    region: str
    parameters: Mapping[str, Any]
    request_id: str
    arrived: float

    @property
    def key(self) -> str:
        return str(self.parameters.get("KeyId", ""))


class Service:
    """The AWS of the tests."""

    def __init__(self) -> None:
        kms_store.install()
        self._moto = Moto()
        self._threads = ThreadPoolExecutor(8)
        self.log = SignLog()
        self.switches = SwitchBoard()

    def handle(self, request: Request, reply: Reply) -> None:
        """Answer a request, now or later, on the event loop's thread."""
        operation = request.headers.get("x-amz-target", "")
        if operation.startswith(_TARGET):
            self._handle_kms(request, operation[len(_TARGET) :], reply)
        elif request.target.startswith(CONTROL):
            self._control(request, reply)
        else:
            self._to_moto(request, {}, reply)

    def _handle_kms(self, request: Request, operation: str, reply: Reply) -> None:
        call = Call(operation, "", {}, str(uuid.uuid4()), time.monotonic())
        try:
            call = _parse(request, call)
            if operation == "Sign":
                wait = self.switches.now.latency_ms / 1000
                run = partial(self._sign, call, reply)
                if wait:
                    # Each waits for itself: a timer, not a thread and not a queue.
                    asyncio.get_running_loop().call_later(wait, run)
                else:
                    run()
                return
            self.switches.refuse_denied(operation)
            if operation in _HERE:
                answer = _HERE[operation](call.region, call.parameters)
                reply(_render(200, call, answer))
                return
            if operation == "CreateKey":
                kms_store.check_new(call.parameters)
            kms_store.check_managed(operation, call.region, call.parameters)
        except KmsError as error:
            self._refuse(call, error, reply)
            return
        self._to_moto(request, {"x-amzn-RequestId": call.request_id}, reply)

    def _sign(self, call: Call, reply: Reply) -> None:
        try:
            task, switches = self._admit(call)
        except KmsError as error:
            self._refuse(call, error, reply)
            return
        if switches.before == "drop":
            self._log_failure(call, "dropped")
            reply(None)
            return
        signature = task.sign()
        outcome = {"error": "error", "drop": "dropped"}.get(switches.after, "answered")
        self._log_made(call, task, signature, outcome)
        if outcome == "dropped":
            reply(None)
        elif outcome == "error":
            reply(_render_error(call, _internal("after signing")))
        else:
            answer = {
                "KeyId": task.key.arn,
                "Signature": base64.b64encode(signature).decode(),
                "SigningAlgorithm": task.algorithm,
            }
            reply(_render(200, call, answer))

    def _admit(self, call: Call) -> tuple[kms_operations.Task, Switches]:
        """Let a Sign through its switches and checks. Throttling comes first: it is by request."""
        switches = self.switches.for_sign(_key_id(call))
        if self.switches.is_throttled(switches):
            # Developer Guide, "Throttling AWS KMS requests".
            raise KmsError(
                "ThrottlingException",
                "You have exceeded the rate at which you may call KMS. "
                "Reduce the frequency of your calls.",
            )
        if "Sign" in switches.deny or "*" in switches.deny:
            raise denied("Sign")
        if switches.before == "error":
            raise _internal("before signing")
        if switches.before == "unavailable":
            raise KmsError("KeyUnavailableException", "The key is not available for now.")
        return kms_operations.check(call.region, call.parameters, "Sign"), switches

    def _log_made(
        self, call: Call, task: kms_operations.Task, signature: bytes, outcome: str
    ) -> None:
        self.log.made.append(
            Made(
                request_id=call.request_id,
                key=task.key.arn,
                algorithm=task.algorithm,
                message_type=task.message_type,
                message=base64.b64encode(task.message).decode(),
                digest=hashlib.sha256(task.message).hexdigest(),
                signature=base64.b64encode(signature).decode(),
                arrived=call.arrived,
                answered=time.monotonic(),
                outcome=outcome,
            )
        )

    def _refuse(self, call: Call, error: KmsError, reply: Reply) -> None:
        self._log_failure(call, error.name)
        reply(_render_error(call, error))

    def _log_failure(self, call: Call, error: str) -> None:
        self.log.failed.append(
            Failed(call.request_id, call.operation, call.key, error, call.arrived, time.monotonic())
        )

    def _to_moto(self, request: Request, extra: dict[str, str], reply: Reply) -> None:
        loop = asyncio.get_running_loop()
        future = self._threads.submit(self._moto.answer, request, extra)

        def done(finished: Future[bytes]) -> None:
            failed = finished.exception()
            text = f"{type(failed).__name__}: {failed}\n".encode()
            answer = finished.result() if failed is None else render(500, {}, text)
            loop.call_soon_threadsafe(reply, answer)

        future.add_done_callback(done)

    def _control(self, request: Request, reply: Reply) -> None:
        action = f"{request.method} {request.target.removeprefix(CONTROL)}"
        answer: Any = {}
        try:
            match action:
                case "GET log":
                    answer = self.log.to_json()
                case "DELETE log":
                    self.log.clear()
                case "GET switches":
                    answer = asdict(self.switches.now)
                case "PUT switches":
                    self.switches.set(json.loads(request.body))
                case "DELETE switches":
                    self.switches.clear()
                case _:
                    reply(render(404, {}, f"no such control: {action}\n".encode()))
                    return
        except (TypeError, ValueError) as error:
            reply(render(400, {}, f"{error}\n".encode()))
            return
        headers = {"Content-Type": "application/json"}
        reply(render(200, headers, json.dumps(answer).encode()))


def _key_id(call: Call) -> str:
    try:
        return str(kms_store.find(call.region, call.key).id)
    except KmsError:
        return ""


def _parse(request: Request, call: Call) -> Call:
    try:
        # AWS General Reference, "Elements of an AWS API request signature", credential scope.
        scope = request.headers["authorization"].split("Credential=", 1)[1].split(",", 1)[0]
        region = scope.split("/")[2]
    except (KeyError, IndexError):
        raise KmsError(
            "MissingAuthenticationTokenException", "Missing Authentication Token"
        ) from None
    try:
        parameters = json.loads(request.body)
    except ValueError:
        raise KmsError("SerializationException", "the body is not JSON") from None
    return Call(call.operation, region, parameters, call.request_id, call.arrived)


def _internal(when: str) -> KmsError:
    return KmsError("KMSInternalException", f"switched to fail {when}")


def _render(status: int, call: Call, answer: Mapping[str, Any]) -> bytes:
    # API Reference, "Sign", Examples: x-amzn-RequestId is in the answer, and in errors as well.
    headers = {
        "x-amzn-RequestId": call.request_id,
        "Content-Type": "application/x-amz-json-1.1",
    }
    return render(status, headers, json.dumps(answer).encode())


def _render_error(call: Call, error: KmsError) -> bytes:
    return _render(error.status, call, {"__type": error.name, "message": error.message})
