"""What becomes of a request: Sign, uploads and downloads are answered here, the rest by moto."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import Any

import kms_operations
import kms_store
from http_front import Reply
from http_message import Request, render
from key_policy import Attempt, check_not_locked_out
from key_states import CHANGES, check_managed
from kms_call import TARGET, Call
from kms_errors import KmsError
from moto_bridge import Moto
from s3_call import S3Call, call_of
from s3_service import S3Service
from sign_log import SignLog
from signing import Signing
from switches import SwitchBoard

CONTROL = "/aws-of-the-tests/"
_THREADS = 8
_HERE: Mapping[str, Callable[[str, Mapping[str, Any]], dict[str, Any]]] = {
    "Verify": kms_operations.verify,
    "GetPublicKey": kms_operations.get_public_key,
}


class Service:
    """The AWS of the tests."""

    def __init__(self) -> None:
        kms_store.install()
        self._moto = Moto()
        self._threads = ThreadPoolExecutor(_THREADS)
        self._log = SignLog()
        self._switches = SwitchBoard()
        self._signing = Signing(self._switches, self._log)
        self._s3 = S3Service(self._s3_to_moto)

    def handle(self, request: Request, reply: Reply) -> None:
        """Answer a request, now or later, on the event loop's thread."""
        operation = request.headers.get("x-amz-target", "")
        if operation.startswith(TARGET):
            self._handle_kms(request, Call(operation.removeprefix(TARGET)), reply)
        elif request.target.startswith(CONTROL):
            reply(self._control(request))
        elif (call := call_of(request)) is not None:
            self._s3.handle(call, reply)
        else:
            self._to_moto(request, {}, reply)

    def _s3_to_moto(self, call: S3Call, reply: Reply) -> None:
        self._to_moto(call.request, {"x-amz-request-id": call.request_id}, reply)

    def _handle_kms(self, request: Request, call: Call, reply: Reply) -> None:
        try:
            call.read(request)
            if call.operation == "Sign":
                self._sign(call, reply)
                return
            attempt = Attempt(self._switches.now.caller, call.operation, call.parameters)
            self._switches.check_permission(self._switches.now, attempt, call)
            if call.operation in _HERE:
                reply(call.answer(_HERE[call.operation](call.region, call.parameters)))
                return
            self._check_managed(call)
            if call.operation in CHANGES:
                key = kms_store.find(call.region, call.key)
                reply(call.answer(CHANGES[call.operation](key, call.parameters)))
                return
        except KmsError as error:
            self._log.refused(call, error.name)
            reply(call.refusal(error))
            return
        self._to_moto(request, call.headers(), reply)

    def _sign(self, call: Call, reply: Reply) -> None:
        run = partial(self._signing.run, call, reply)
        if self._switches.now.latency_ms:
            # Each waits for itself: a timer, neither a thread nor a queue.
            asyncio.get_running_loop().call_later(self._switches.now.latency_ms / 1000, run)
        else:
            run()

    def _check_managed(self, call: Call) -> None:
        if call.operation == "CreateKey":
            kms_store.check_new(call.parameters)
        if call.operation in {"CreateKey", "PutKeyPolicy"}:
            check_not_locked_out(call.parameters, self._switches.now.caller)
        check_managed(call.operation, call.region, call.parameters)

    def _to_moto(self, request: Request, extra: dict[str, str], reply: Reply) -> None:
        loop = asyncio.get_running_loop()

        def done(finished: Future[bytes]) -> None:
            failed = finished.exception()
            text = f"{type(failed).__name__}: {failed}\n".encode()
            answer = finished.result() if failed is None else render(500, {}, text)
            loop.call_soon_threadsafe(reply, answer)

        self._threads.submit(self._moto.answer, request, extra).add_done_callback(done)

    def _control(self, request: Request) -> bytes:
        """Answer what the tests ask of the server itself."""
        actions: Mapping[str, Callable[[], Any]] = {
            "GET log": self._log.to_json,
            "DELETE log": self._log.clear,
            "GET switches": lambda: asdict(self._switches.now),
            "PUT switches": lambda: self._switches.set(json.loads(request.body)),
            "DELETE switches": self._switches.clear,
            "GET s3-log": self._s3.log.to_json,
            "DELETE s3-log": self._s3.log.clear,
            "GET s3-switches": lambda: asdict(self._s3.switches.now),
            "PUT s3-switches": lambda: self._s3.switches.set(json.loads(request.body)),
            "DELETE s3-switches": self._s3.switches.clear,
        }
        action = actions.get(f"{request.method} {request.target.removeprefix(CONTROL)}")
        if action is None:
            return render(404, {}, f"allowed: {', '.join(actions)}\n".encode())
        try:
            answer = json.dumps(action()).encode()
        except (TypeError, ValueError) as error:
            return render(400, {}, f"{error}\n".encode())
        return render(200, {"Content-Type": "application/json"}, answer)
