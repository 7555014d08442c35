"""What botocore raises of S3, as gitca's errors: each is wrapped here, once.

Where running again helps, it is an outage (exit 4); where a person must change something first, a
wrong usage (exit 2). Messages name the operation, S3's error code and the request id. AWS's own
words are repeated where they say who may not do what; no credential is in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from gitca.errors import BackendUnavailableError, GitcaError, UsageError

_LONGEST_WORDS = 400

# Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3". Whoever
# may not list gets AccessDenied for an object that is not there, too (API Reference, "GetObject").
# If-Match asks for the right to read as well (User Guide, "Conditional writes").
_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "GetObject": "s3:GetObject on {objects} and s3:ListBucket on {bucket}",
        "PutObject": "s3:PutObject and s3:GetObject on {objects}",
        "ListObjectsV2": "s3:ListBucket on {bucket}",
    }
)
_REGION = "write the bucket's own region into the URI, as ?region=…"
# API Reference, "Error responses", "List of error codes".
_REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "AccessDenied": "allow {actions} to this identity, in its IAM policy or the bucket's, and "
        "check expectedBucketOwner= of the URI",
        "AllAccessDisabled": "ask the owner of the account",
        "AuthorizationHeaderMalformed": _REGION,
        "IllegalLocationConstraintException": _REGION,
        "NoSuchBucket": "make the bucket, or correct its name and region in the URI",
        "NotImplemented": "name S3, or a service that knows conditional writes and checksums as S3 "
        "does",
        "PermanentRedirect": _REGION,
    }
)
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "NotSignedUp",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
# Refusals after which the same request may succeed: too many of them, or spoilt on the way.
_PASSING = frozenset(
    {
        "BadDigest",
        "IncompleteBody",
        "OperationAborted",
        "RequestLimitExceeded",
        "RequestTimeout",
        "SlowDown",
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "XAmzContentSHA256Mismatch",
    }
)
_LOGIN = "run aws sso login, set AWS_PROFILE, or give the job its role; check the clock as well"


@contextmanager
def wrapped(operation: str, subject: str, bucket: str) -> Iterator[None]:
    """Turn what botocore raises inside into gitca's errors, which name the operation and subject.

    Raises: UsageError, BackendUnavailableError.
    """
    try:
        yield
    except ClientError as error:
        raise of_answer(error, operation, subject, bucket) from error
    except BotoCoreError as error:
        raise _of_library(error, operation, subject) from error
    except (ResponseParserError, LookupError, ValueError, TypeError) as error:
        # The SDK trusts the endpoint to be S3: what it stumbles over is something else's answer.
        raise BackendUnavailableError(
            f"{subject}: {operation} was answered with what is none of S3's answers"
            f" ({_name(error)})",
            remedy="check network, proxy and endpoint, and run again",
        ) from error
    except MemoryError as error:
        raise BackendUnavailableError(
            f"{subject}: {operation} found too little memory here",
            remedy="give gitca more memory, or lower --concurrency",
        ) from error


def code_of(error: ClientError) -> str:
    """Return S3's error code; the HTTP status where the answer had none."""
    answer = error.response
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(answer.get("Error", {}).get("Code") or status)


def of_answer(error: ClientError, operation: str, subject: str, bucket: str) -> GitcaError:
    """Return the error for S3's answer to an operation upon a subject."""
    code, words = code_of(error), _words_of(error)
    metadata = error.response.get("ResponseMetadata", {})
    request_id = metadata.get("RequestId")
    # It may be another operation that failed: a role is assumed on the way.
    named = error.operation_name or operation
    where = f"{subject}: {named} was answered with {code}" + (
        f" (request {request_id})" if request_id else ""
    )
    if code in _CREDENTIALS:
        return UsageError(f"{where}: AWS does not accept the credentials", remedy=_LOGIN)
    if code in _PASSING or (int(metadata.get("HTTPStatusCode", 0)) >= 500 and code not in _REFUSED):
        return BackendUnavailableError(where, remedy="run again later")
    remedy = _REFUSED.get(code, "change what S3 refused")
    return UsageError(f"{where}: {words}" if words else where, remedy=_named(remedy, named, bucket))


def _named(remedy: str, operation: str, bucket: str) -> str:
    arn = f"arn:aws:s3:::{bucket.partition('/')[0]}"
    actions = _ACTIONS.get(operation, f"what {operation} needs")
    return remedy.format(actions=actions.format(objects=f"arn:aws:s3:::{bucket}/*", bucket=arn))


def _words_of(error: ClientError) -> str:
    """Return AWS's words on one line."""
    words = " ".join(str(error.response.get("Error", {}).get("Message") or "").split())
    printable = "".join(character for character in words if character.isprintable())
    return printable[:_LONGEST_WORDS].rstrip(". ")


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
        # An outage of this target alone: the others are published.
        seen = f"no usable AWS credentials here ({_name(error)})"
        return BackendUnavailableError(f"{subject}: {seen}", remedy=_LOGIN)
    if isinstance(
        error,
        exceptions.HTTPClientError
        | exceptions.ConnectionError
        | exceptions.IncompleteReadError
        | exceptions.FlexibleChecksumError,
    ):
        return BackendUnavailableError(
            f"{text}: no whole answer from S3 ({_name(error)})",
            remedy="run again later; check network, proxy and endpoint if it stays so",
        )
    return UsageError(
        f"{text}: {_name(error)}", remedy="check the AWS configuration of this machine"
    )


def _name(error: Exception) -> str:
    # The names alone: the words of some of these errors hold a command line or a URL with a token.
    return type(error).__name__
