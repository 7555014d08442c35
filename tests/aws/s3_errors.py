"""The errors of Amazon S3: a code, an HTTP status, a sentence, in XML."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

# Amazon S3 API Reference, "Error responses", "List of error codes"; what is not here is a 400.
_STATUS: Mapping[str, int] = {
    "AccessDenied": 403,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "ConditionalRequestConflict": 409,
    "PreconditionFailed": 412,
    "InternalError": 500,
    "NotImplemented": 501,
    "SlowDown": 503,
}
_WORDS: Mapping[str, str] = {
    "BadDigest": "The {0} you specified did not match the calculated checksum.",
    "ConditionalRequestConflict": "The conditional request cannot succeed due to a conflicting "
    "operation against this resource.",
    "InternalError": "We encountered an internal error. Please try again.",
    "InvalidRequest": "Value for x-amz-checksum-{0} header is invalid.",
    "KeyTooLongError": "Your key is too long",
    "NoSuchBucket": "The specified bucket does not exist",
    "NoSuchKey": "The specified key does not exist.",
    "NotImplemented": "A header you provided implies functionality that is not implemented",
    "PreconditionFailed": "At least one of the pre-conditions you specified did not hold",
    "SlowDown": "Please reduce your request rate.",
    "XAmzContentSHA256Mismatch": "The provided 'x-amz-content-sha256' header does not match what "
    "was computed.",
}


class S3Error(Exception):
    """A refusal of S3, as the client gets it; `details` are further elements of the answer."""

    def __init__(self, code: str, *words: str, message: str = "", **details: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message or _WORDS[code].format(*words)
        self.details = details

    @property
    def status(self) -> int:
        return _STATUS.get(self.code, 400)

    def to_xml(self, request_id: str) -> bytes:
        elements = {
            "Code": self.code,
            "Message": self.message,
            **self.details,
            "RequestId": request_id,
        }
        inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'.encode()
