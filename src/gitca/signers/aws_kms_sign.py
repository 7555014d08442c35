"""The Sign call: many a second, and none of its uses of the key unaccounted for.

boto3 spends 0.7 ms of processor time on a call, much of it on what is the same for each: finding
the endpoint and describing itself. So the SDK's parts are put together here without those: its
credentials, its Signature Version 4, its parser of errors, its events that decide on retries
(standard mode, with jitter and a quota for each client). The SDK itself does every other call, and
where it sent the first is where Sign goes.

Each attempt is looked at by itself, which boto3 does not let a caller do: one whose answer was
lost, or that the server failed at, may have made a signature.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import (
    ClientError,
    HTTPClientError,
    NoCredentialsError,
)
from botocore.exceptions import ConnectionError as NotConnectedError
from botocore.hooks import first_non_none_response
from botocore.parsers import ResponseParserError, create_parser

from gitca.errors import GitcaError
from gitca.signers import Signature, UnansweredError, Use
from gitca.signers.aws_kms_connection import ATTEMPTS, Connection
from gitca.signers.aws_kms_errors import is_throttled, was_not_done, wrapped
from gitca.signers.aws_kms_http import Reply, sender

OPERATION = "Sign"
_HEADERS = {"X-Amz-Target": "TrentService.Sign", "Content-Type": "application/x-amz-json-1.1"}
_REQUEST_ID = "x-amzn-requestid"
# A 500 by which KMS says that it did nothing: "the request was rejected" (API Reference, "Sign").
_REJECTED = "KeyUnavailableException"


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be signed: the key's ARN, the names that KMS has, and the bytes."""

    key: str
    algorithm: str
    message_type: str
    message: bytes

    def body(self) -> bytes:
        """Return the request's body (AWS KMS API Reference, "Sign")."""
        return json.dumps(
            {
                "KeyId": self.key,
                "Message": base64.b64encode(self.message).decode("ascii"),
                "MessageType": self.message_type,
                "SigningAlgorithm": self.algorithm,
            }
        ).encode("ascii")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of one attempt: a signature, AWS's refusal as botocore parses it, or an exception.

    `response` is None where none came.
    """

    response: Reply | None = None
    refusal: dict[str, Any] | None = None
    error: Exception | None = None
    value: bytes | None = None

    @property
    def request_id(self) -> str | None:
        return None if self.response is None else self.response.headers.get(_REQUEST_ID)

    @property
    def may_have_signed(self) -> bool:
        """Whether KMS may have used the key although no signature arrived."""

        if self.error is not None:
            return not was_not_done(self.error)
        if self.response is None or self.refusal is None:
            return False
        code = str(self.refusal.get("Error", {}).get("Code"))
        status = self.response.status_code
        return status >= 500 and code != _REJECTED and not is_throttled(code, status)


@dataclass(slots=True)
class _Call:
    """The attempts at one signature."""

    work: Work
    body: bytes
    attempts: int = 0
    uses: list[Use] = field(default_factory=list)
    context: dict[str, Any] = field(default_factory=dict)


class SignRequests:
    """Sends Sign requests over a connection; safe to be used by many threads at once."""

    def __init__(self, connection: Connection) -> None:

        if connection.target is None:
            raise ValueError("a connection is tried before anything is signed over it")
        self._url = connection.target.url
        self._headers = {**_HEADERS, "User-Agent": connection.target.user_agent}
        self._events = connection.client.meta.events
        self._model = connection.client.meta.service_model.operation_model(OPERATION)
        self._parser = create_parser(self._model.service_model.resolved_protocol)
        self._credentials = connection.core.get_credentials()
        self._region = connection.region
        bundle = connection.core.get_config_variable("ca_bundle")
        self._http = sender(self._url, bundle)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def sign(self, work: Work, subject: str) -> Signature:
        """Return the signature, repeating the call where that may help.

        Raises: UnansweredError when some attempt may have made a signature and none arrived;
        KeyUnsuitableError, UsageError or BackendUnavailableError when none can have.
        """
        call = _Call(work, work.body(), context={"retries": {"max": ATTEMPTS}})
        try:
            with wrapped(OPERATION, subject):
                answer = self._answer(call)
        except GitcaError as error:
            if not call.uses:
                raise
            raise UnansweredError(
                f"{error.message}; of {call.attempts} attempts {len(call.uses)} may have made a "
                "signature",
                remedy=error.remedy,
                uses=tuple(call.uses),
            ) from error
        return _signature(answer, call)

    def _answer(self, call: _Call) -> _Answer:

        identifier = str(uuid.uuid4())
        while True:
            call.attempts += 1
            answer = self._attempt(call, identifier)
            if answer.value is not None:
                self._succeeded(answer, call)
                return answer
            if answer.may_have_signed:
                call.uses.append(Use(call.work.key, answer.request_id))
            delay = self._delay(answer, call)
            if delay is None:
                raise answer.error or ClientError(answer.refusal or {}, OPERATION)
            time.sleep(delay)

    def _attempt(self, call: _Call, identifier: str) -> _Answer:

        request = self._request(call, identifier)
        try:
            response = self._http.send(request)
        except (HTTPClientError, NotConnectedError) as error:
            return _Answer(error=error)
        if response.status_code != 200:
            return _Answer(response, refusal=self._refusal(response))
        try:
            return _Answer(response, value=_value(response.content))
        except (ValueError, KeyError, TypeError) as error:
            # Cut off on the way: the signature was made, and the answer is lost.
            return _Answer(response, error=HTTPClientError(error=type(error).__name__))

    def _request(self, call: _Call, identifier: str) -> AWSRequest:

        if self._credentials is None:
            raise NoCredentialsError
        request = AWSRequest("POST", self._url, data=call.body, headers=self._headers)
        # Frozen for each attempt: they are refreshed in time, and keep together while they are.
        frozen = self._credentials.get_frozen_credentials()
        SigV4Auth(frozen, "kms", self._region).add_auth(request)
        # By these AWS tells a repeated call from two; they are not signed.
        request.headers["amz-sdk-invocation-id"] = identifier
        request.headers["amz-sdk-request"] = f"attempt={call.attempts}; max={ATTEMPTS}"
        return request

    def _refusal(self, response: Reply) -> dict[str, Any]:

        raw = {
            "headers": response.headers,
            "status_code": response.status_code,
            "body": response.content,
            "context": {"operation_name": OPERATION},
        }
        try:
            parsed: dict[str, Any] = self._parser.parse(raw, self._model.output_shape)
        except ResponseParserError:
            # A proxy's page, say.
            parsed = {"Error": {"Code": str(response.status_code), "Message": ""}}
        parsed.setdefault("ResponseMetadata", {})["HTTPStatusCode"] = response.status_code
        return parsed

    def _delay(self, answer: _Answer, call: _Call) -> float | None:
        """Return after how many seconds the SDK would try again, or None when it would not."""

        heard = None if answer.error else (answer.response, answer.refusal)
        replies = self._events.emit(
            f"needs-retry.kms.{OPERATION}",
            response=heard,
            endpoint=None,
            operation=self._model,
            attempts=call.attempts,
            caught_exception=answer.error,
            request_dict={"context": call.context},
        )
        reply = first_non_none_response(replies)
        return None if reply is None or reply is False else float(reply)

    def _succeeded(self, answer: _Answer, call: _Call) -> None:
        """Let the SDK give back what the call took of the quota of retries."""
        self._events.emit(
            f"after-call.kms.{OPERATION}",
            http_response=answer.response,
            parsed={},
            model=self._model,
            context=call.context,
        )


def _value(content: bytes) -> bytes:
    """Return the signature in the body of an answer. Raises: ValueError, KeyError, TypeError."""
    answer: Mapping[str, Any] = json.loads(content)
    return base64.b64decode(answer["Signature"], validate=True)


def _signature(answer: _Answer, call: _Call) -> Signature:
    """Return a successful answer as the signature that a signer gives."""
    value = answer.value or b""
    return Signature(value, call.work.key, answer.request_id, tuple(call.uses))
