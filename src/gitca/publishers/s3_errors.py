"""What botocore raises of S3, as gitca's errors: each is wrapped here, once.

Where running again helps, it is an outage (exit 4); where a person must change something first, a
wrong usage (exit 2). Messages name the operation, S3's error code and the request id. AWS's own
words are repeated where they say who may not do what; no credential is in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from gitca import aws_errors
from gitca.errors import BackendUnavailableError, GitcaError, UsageError

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
        raise aws_errors.of_library(error, operation, subject, service="S3") from error
    except (ResponseParserError, LookupError, ValueError, TypeError) as error:
        # The SDK trusts the endpoint to be S3: what it stumbles over is something else's answer.
        raise BackendUnavailableError(
            f"{subject}: {operation} was answered with what is none of S3's answers"
            f" ({type(error).__name__})",
            remedy="check network, proxy and endpoint, and run again",
        ) from error
    except MemoryError as error:
        raise BackendUnavailableError(
            f"{subject}: {operation} found too little memory here",
            remedy="give gitca more memory, or lower --concurrency",
        ) from error


def code_of(error: ClientError) -> str:
    """Return S3's error code; the HTTP status where the answer had none."""
    return aws_errors.code_of(error.response)


def of_answer(error: ClientError, operation: str, subject: str, bucket: str) -> GitcaError:
    """Return the error for S3's answer to an operation upon a subject."""
    answer, code = error.response, code_of(error)
    # It may be another operation that failed: a role is assumed on the way.
    named = error.operation_name or operation
    where, words = aws_errors.answered(answer, named, subject), aws_errors.words_of(answer)
    if code in aws_errors.CREDENTIALS:
        return aws_errors.refused_credentials(where)
    if code in _PASSING or (aws_errors.status_of(answer) >= 500 and code not in _REFUSED):
        return BackendUnavailableError(where, remedy="run again later")
    remedy = _REFUSED.get(code, "change what S3 refused")
    return UsageError(f"{where}: {words}" if words else where, remedy=_named(remedy, named, bucket))


def _named(remedy: str, operation: str, bucket: str) -> str:
    arn = f"arn:aws:s3:::{bucket.partition('/')[0]}"
    actions = _ACTIONS.get(operation, f"what {operation} needs")
    return remedy.format(actions=actions.format(objects=f"arn:aws:s3:::{bucket}/*", bucket=arn))
