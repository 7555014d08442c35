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

from gitca import aws_errors
from gitca.errors import BackendUnavailableError, GitcaError, UsageError
from gitca.signers import KeyUnsuitableError

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
        raise aws_errors.of_library(error, operation, subject, service="KMS") from error


def of_answer(error: ClientError, operation: str, subject: str) -> GitcaError:
    """Return the error for AWS's answer to an operation upon a subject."""
    code, status, words = parts_of(error)
    # It may be another operation that failed: a role is assumed on the way.
    where = aws_errors.answered(error.response, error.operation_name or operation, subject)
    if code in _REFUSED:
        remedy = _REFUSED[code].format(action=f"kms:{operation}")
        return KeyUnsuitableError(f"{where}: {words}" if words else where, remedy=remedy)
    if code in aws_errors.CREDENTIALS:
        return aws_errors.refused_credentials(where)
    if status >= 500 or is_throttled(code, status):
        return BackendUnavailableError(where, remedy="run again later")
    return UsageError(f"{where}: {words}" if words else where, remedy="change what AWS refused")


def parts_of(error: ClientError) -> tuple[str, int, str]:
    """Return AWS's error code, the HTTP status, and AWS's words on one line."""
    answer = error.response
    return aws_errors.code_of(answer), aws_errors.status_of(answer), aws_errors.words_of(answer)


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
