"""Sign: switches, checks, the signature, the log, and what the client gets to hear."""

from __future__ import annotations

import base64
import hashlib
import time

import kms_operations
import kms_store
from http_front import Reply
from key_policy import Attempt
from kms_call import Call
from kms_errors import KmsError
from sign_log import Made, SignLog
from switches import SwitchBoard, Switches

_OUTCOMES = {"": "answered", "error": "error", "drop": "dropped"}


class Signing:
    """What becomes of a Sign after its latency."""

    def __init__(self, switches: SwitchBoard, log: SignLog) -> None:
        self._switches = switches
        self._log = log

    def run(self, call: Call, reply: Reply) -> None:
        """Answer a call. A signature is logged before anybody hears of it."""
        try:
            task, switches = self._admit(call)
        except KmsError as error:
            self._log.refused(call, error.name)
            reply(call.refusal(error))
            return
        if switches.before == "drop":
            self._log.refused(call, "dropped")
            reply(None)
            return
        signature = base64.b64encode(task.sign()).decode()
        self._log.made.append(_entry(call, task, signature, _OUTCOMES[switches.after]))
        if switches.after == "drop":
            reply(None)
        elif switches.after == "error":
            reply(call.refusal(_internal("after signing")))
        else:
            names = {"KeyId": task.key.arn, "SigningAlgorithm": task.algorithm}
            reply(call.answer(names | {"Signature": signature}))

    def _admit(self, call: Call) -> tuple[kms_operations.Task, Switches]:
        """Let a call through its switches and checks; throttling is first, it counts requests."""
        switches = self._switches.for_sign(_key_id(call))
        self._switches.throttle(switches)
        if switches.before == "error":
            raise _internal("before signing")
        if switches.before == "unavailable":
            raise KmsError("KeyUnavailableException", "The key is not available for now.")
        attempt = Attempt(switches.caller, "Sign", call.parameters)
        self._switches.check_permission(switches, attempt, call)
        return kms_operations.check(call.region, call.parameters, "Sign"), switches


def _key_id(call: Call) -> str:
    try:
        return str(kms_store.find(call.region, call.key).id)
    except KmsError:
        return ""


def _internal(when: str) -> KmsError:
    return KmsError("KMSInternalException", f"switched to fail {when}")


def _entry(call: Call, task: kms_operations.Task, signature: str, outcome: str) -> Made:
    return Made(
        request_id=call.request_id,
        access_key=call.access_key,
        key=task.key.arn,
        algorithm=task.algorithm,
        message_type=task.message_type,
        message=base64.b64encode(task.message).decode(),
        digest=hashlib.sha256(task.message).hexdigest(),
        signature=signature,
        arrived=call.arrived,
        answered=time.monotonic(),
        outcome=outcome,
    )
