"""What botocore raises, as gitca's errors: each is wrapped here, once.

Where running again helps, it is an outage (exit 4); where a person must change something first, a
wrong usage (exit 2). Messages name the operation, AWS's error code and the request id. AWS's own
words are repeated where they say who may not do what; no credential is in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from gitca.errors import BackendUnavailableError, GitcaError, UsageError
from gitca.signers import KeyUnsuitableError

_LONGEST_WORDS = 400

# AWS KMS API Reference, "Common errors", and the errors of Sign, DescribeKey and GetPublicKey.
_REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "AccessDeniedException": "allow {action} to this identity, in the key policy or by IAM",
        "NotFoundException": "check account, region and spelling, or make the key with gitca keys "
        "create",
        "DisabledException": "enable the key",
        "KMSInvalidStateException": "cancel its deletion, or wait until its state is Enabled",
        "InvalidKeyUsageException": "name a key whose usage is SIGN_VERIFY",
        "InvalidArnException": "write the ARN of a key or alias of this partition and region",
        "UnsupportedOperationException": "name an asymmetric key in a region that has it",
    }
)
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_LOGIN = "run aws sso login, set AWS_PROFILE, or give the job its role; check the clock as well"


@contextmanager
def wrapped(operation: str, subject: str) -> Iterator[None]:
    """Turn what botocore raises inside into gitca's errors, which name the operation and subject.

    Raises: KeyUnsuitableError, UsageError, BackendUnavailableError.
    """

    try:
        yield
    except ClientError as error:
        raise of_answer(error, operation, subject) from error
    except BotoCoreError as error:
        raise _of_library(error, operation, subject) from error


def of_answer(error: ClientError, operation: str, subject: str) -> GitcaError:
    """Return the error for AWS's answer to an operation upon a subject."""
    code, status, words = parts_of(error)
    request_id = error.response.get("ResponseMetadata", {}).get("RequestId")
    # It may be another operation that failed: a role is assumed on the way.
    named = error.operation_name or operation
    where = f"{subject}: {named} was answered with {code}" + (
        f" (request {request_id})" if request_id else ""
    )
    if code in _REFUSED:
        remedy = _REFUSED[code].format(action=f"kms:{operation}")
        return KeyUnsuitableError(f"{where}: {words}" if words else where, remedy=remedy)
    if code in _CREDENTIALS:
        return UsageError(f"{where}: AWS does not accept the credentials", remedy=_LOGIN)
    if status >= 500 or is_throttled(code, status):
        return BackendUnavailableError(where, remedy="run again later")
    return UsageError(f"{where}: {words}" if words else where, remedy="change what AWS refused")


def parts_of(error: ClientError) -> tuple[str, int, str]:
    """Return AWS's error code, the HTTP status, and AWS's words on one line."""
    answer = error.response.get("Error", {})
    words = " ".join(str(answer.get("Message") or "").split())
    printable = "".join(character for character in words if character.isprintable())
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return str(answer.get("Code") or status), status, printable[:_LONGEST_WORDS].rstrip(". ")


def is_throttled(code: str, status: int) -> bool:
    """Return whether AWS turned a request away for there being too many, so did nothing."""
    # KMS says ThrottlingException with 400; the others are what AWS's front says.
    return status == 429 or "Throttl" in code or code in ("TooManyRequestsException", "SlowDown")


def was_not_done(error: BaseException | None) -> bool:
    """Return whether what botocore raised means that nothing was sent, or AWS turned it away."""
    if isinstance(error, ClientError):
        code, status, _ = parts_of(error)
        return status < 500 or is_throttled(code, status)
    return isinstance(
        error,
        exceptions.EndpointConnectionError
        | exceptions.ConnectTimeoutError
        | exceptions.ProxyConnectionError,
    )


def _of_library(error: Exception, operation: str, subject: str) -> GitcaError:
    """Return the error for what went wrong before or without an answer."""

    text = f"{subject}: {operation} failed"
    if isinstance(error, exceptions.ProfileNotFound):
        return UsageError(
            f"{subject}: the profile is not in the AWS configuration of this machine",
            remedy="add it to ~/.aws/config, or name another",
        )
    if isinstance(error, exceptions.NoRegionError):
        return UsageError(
            f"{subject} names no region, and the machine's AWS configuration has none",
            remedy="write ?region=… into the URI, or set AWS_DEFAULT_REGION",
        )
    if isinstance(
        error,
        exceptions.NoCredentialsError
        | exceptions.PartialCredentialsError
        | exceptions.CredentialRetrievalError
        | exceptions.SSOError
        | exceptions.TokenRetrievalError
        | exceptions.LoginError
        | exceptions.NoAuthTokenError,
    ):
        seen = f"no usable AWS credentials here ({_name(error)})"
        # Told from an outage by its words alone: a pipeline without its role has to be red, and is
        # kept from this key and from no other.
        return BackendUnavailableError(f"{subject}: {seen}", remedy=_LOGIN)
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return BackendUnavailableError(
            f"{text}: no answer from KMS ({_name(error)})",
            remedy="run again later; check network, proxy and endpoint if it stays so",
        )
    return UsageError(
        f"{text}: {_name(error)}", remedy="check the AWS configuration of this machine"
    )


def _name(error: Exception) -> str:
    # The names alone: the words of some of these errors hold a command line or a URL with a token.
    return type(error).__name__
