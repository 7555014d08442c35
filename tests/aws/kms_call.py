"""A call of KMS over HTTP: who asks what in which region, and how it is answered."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from http_message import Request, render
from kms_errors import KmsError

TARGET = "TrentService."  # AWS KMS API Reference, "Sign", Examples: the header X-Amz-Target


@dataclass(slots=True)
class Call:
    """One request; `arrived` is in seconds of the monotonic clock."""

    operation: str
    arrived: float = field(default_factory=time.monotonic)
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    region: str = ""
    access_key: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The key as the request names it."""
        return str(self.parameters.get("KeyId") or self.parameters.get("TargetKeyId") or "")

    def read(self, request: Request) -> None:
        """Take access key, region and parameters from a request. Raises: KmsError.

        Both are in the credential scope (AWS General Reference, "Elements of an AWS API
        request signature"). Who signed the request is not checked.
        """
        try:
            scope = request.headers["authorization"].split("Credential=", 1)[1].split(",", 1)[0]
            self.access_key, self.region = scope.split("/")[0:3:2]
        except (KeyError, IndexError, ValueError):
            name = "MissingAuthenticationTokenException"  # API Reference, "Common Errors"
            raise KmsError(name, "Missing Authentication Token") from None
        try:
            self.parameters = json.loads(request.body)
        except ValueError:
            raise KmsError("SerializationException", "the body is not JSON") from None

    def headers(self) -> dict[str, str]:
        """Return the header with the request's id, which errors have as well."""
        return {"x-amzn-RequestId": self.request_id}

    def answer(self, result: Mapping[str, Any]) -> bytes:
        return self._render(200, result)

    def refusal(self, error: KmsError) -> bytes:
        return self._render(error.status, {"__type": error.name, "message": error.message})

    def _render(self, status: int, result: Mapping[str, Any]) -> bytes:
        headers = {**self.headers(), "Content-Type": "application/x-amz-json-1.1"}
        return render(status, headers, json.dumps(result).encode())
