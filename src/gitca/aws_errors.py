"""What the AWS SDK raises, as gitca's errors, as far as it is alike for every service.

Where running again helps, it is an outage (exit 4); where a person must change something first, a
wrong usage (exit 2). The SDK is the backends' to import: its errors are known here by their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitca.errors import BackendUnavailableError, GitcaError, UsageError

_LONGEST_WORDS = 400
_LOGIN = "run aws sso login, set AWS_PROFILE, or give the job its role; check the clock as well"

# "Common errors" of the services' API references.
CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "NotSignedUp",
        "OptInRequired",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
"""Error codes that say that AWS does not accept the credentials, or the clock."""

_NO_CREDENTIALS = frozenset(
    {
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "SSOError",
        "TokenRetrievalError",
        "LoginError",
        "NoAuthTokenError",
    }
)
_NO_ANSWER = frozenset(
    {"HTTPClientError", "ConnectionError", "IncompleteReadError", "FlexibleChecksumError"}
)


def code_of(answer: Mapping[str, Any]) -> str:
    """Return AWS's error code in an answer; the HTTP status where it has none."""
    return str(answer.get("Error", {}).get("Code") or status_of(answer))


def status_of(answer: Mapping[str, Any]) -> int:
    """Return the HTTP status of an answer, 0 where it is not known."""
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def words_of(answer: Mapping[str, Any]) -> str:
    """Return AWS's words on one line, of bounded length."""
    words = " ".join(str(answer.get("Error", {}).get("Message") or "").split())
    printable = "".join(character for character in words if character.isprintable())
    return printable[:_LONGEST_WORDS].rstrip(". ")


def answered(answer: Mapping[str, Any], operation: str, subject: str) -> str:
    """Return in words what an operation upon a subject was answered with, and the request id."""
    request_id = answer.get("ResponseMetadata", {}).get("RequestId")
    asked = f" (request {request_id})" if request_id else ""
    return f"{subject}: {operation} was answered with {code_of(answer)}{asked}"


def refused_credentials(where: str) -> UsageError:
    """Return the error for an answer with one of the codes of `CREDENTIALS`."""
    return UsageError(f"{where}: AWS does not accept the credentials", remedy=_LOGIN)


def of_library(error: Exception, operation: str, subject: str, *, service: str) -> GitcaError:
    """Return the error for what went wrong before or without an answer: a BotoCoreError."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    # The names alone: the words of some of these errors hold a command line or a URL with a token.
    name = type(error).__name__
    if "ProfileNotFound" in kinds:
        return UsageError(
            f"{subject}: the profile is not in the AWS configuration of this machine",
            remedy="add it to ~/.aws/config, or name another",
        )
    if "NoRegionError" in kinds:
        return UsageError(
            f"{subject} names no region, and the machine's AWS configuration has none",
            remedy="write ?region=… into the URI, or set AWS_DEFAULT_REGION",
        )
    if kinds & _NO_CREDENTIALS:
        # Told from an outage by its words alone: a pipeline without its role has to be red, and is
        # kept from this key or target and from no other.
        seen = f"no usable AWS credentials here ({name})"
        return BackendUnavailableError(f"{subject}: {seen}", remedy=_LOGIN)
    text = f"{subject}: {operation} failed"
    if kinds & _NO_ANSWER:
        return BackendUnavailableError(
            f"{text}: no whole answer from {service} ({name})",
            remedy="run again later; check network, proxy and endpoint if it stays so",
        )
    return UsageError(f"{text}: {name}", remedy="check the AWS configuration of this machine")
