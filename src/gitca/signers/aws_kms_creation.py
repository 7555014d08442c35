"""Making a key in AWS KMS under an alias, whole or with a word on what was left over."""

from __future__ import annotations

from typing import Any

from gitca.errors import BackendUnavailableError, GitcaError, UsageError
from gitca.signers import KeyOptions, KeyUnsuitableError
from gitca.signers.aws_kms_connection import Connection, acquire, release
from gitca.signers.aws_kms_errors import was_not_done, wrapped
from gitca.signers.aws_kms_place import Place
from gitca.signers.aws_kms_policy import DELETION_WINDOW_DAYS, create_key_parameters
from gitca.signers.aws_kms_signer import described


def create_key(uri: str, alias: str, place: Place, *, spec: str, options: KeyOptions) -> bytes:
    """Make a key of gitca's spec and the alias that names it; return its SPKI in DER.

    Raises: UsageError when the alias exists; KeyUnsuitableError when something is not permitted;
    BackendUnavailableError.
    """
    parameters = create_key_parameters(spec, alias, options)
    connection = acquire(place, f"key {uri}")
    try:
        _check_absent(connection, uri, alias)
        arn = _make(connection, uri, parameters)
        _name(connection, uri, alias, arn)
        return _read(connection, uri, arn)
    finally:
        release(place)


def _check_absent(connection: Connection, uri: str, alias: str) -> None:
    try:
        found = described(connection, alias, f"new key {uri}")
    except KeyUnsuitableError as error:
        if _code(error) == "NotFoundException":
            return
        raise
    raise _exists(uri, f", and names {found['Arn']}")


def _code(error: GitcaError) -> str:
    """Return AWS's code of the answer that an error was made of."""
    response: dict[str, Any] = getattr(error.__cause__, "response", {})
    return str(response.get("Error", {}).get("Code"))


def _exists(uri: str, what: str = "") -> UsageError:
    return UsageError(
        f"key {uri} exists already{what}; a key is never replaced",
        remedy="choose another alias; a new key is a new CA",
    )


def _make(connection: Connection, uri: str, parameters: dict[str, object]) -> str:
    # Each CreateKey makes a key, so one whose answer is lost must not be repeated by itself.
    try:
        with connection.without_retries() as client, wrapped("CreateKey", f"new key {uri}"):
            metadata = client.create_key(**parameters)["KeyMetadata"]
    except BackendUnavailableError as error:
        if was_not_done(error.__cause__):
            raise
        raise BackendUnavailableError(
            f"{error.message}; a key may have been made all the same, without an alias",
            remedy="look in the region for a key with the tag gitca and this name, then run again",
        ) from error
    except UsageError as error:
        if _code(error) != "MalformedPolicyDocumentException":
            raise
        raise UsageError(
            f"{error.message}. KMS takes a key policy when its principals exist and when whoever "
            "creates the key could change the policy again",
            remedy="check the ARNs; name your own role as --admin-role, or none at all if IAM "
            "allows you kms:PutKeyPolicy; a role made just now takes a moment",
        ) from error
    return str(metadata["Arn"])


def _name(connection: Connection, uri: str, alias: str, arn: str) -> None:
    try:
        with wrapped("CreateAlias", f"new key {uri}"):
            connection.client.create_alias(AliasName=alias, TargetKeyId=arn)
    except GitcaError as error:
        fate = _discard(connection, arn)
        if _code(error) == "AlreadyExistsException":
            raise _exists(uri, f", made by somebody else meanwhile; {fate}") from error
        raise type(error)(f"{error.message}; {fate}", remedy=error.remedy) from error


def _discard(connection: Connection, arn: str) -> str:
    """Schedule the deletion of a key that no alias names, and return what became of it."""
    try:
        with wrapped("ScheduleKeyDeletion", arn):
            connection.client.schedule_key_deletion(
                KeyId=arn, PendingWindowInDays=DELETION_WINDOW_DAYS
            )
    except GitcaError as error:
        return f"the new key {arn} is left over, and has to be deleted by hand ({error.message})"
    return f"the new key {arn} is deleted in {DELETION_WINDOW_DAYS} days"


def _read(connection: Connection, uri: str, arn: str) -> bytes:
    try:
        with wrapped("GetPublicKey", f"new key {uri}"):
            return bytes(connection.client.get_public_key(KeyId=arn)["PublicKey"])
    except GitcaError as error:
        raise BackendUnavailableError(
            f"{error.message}; the key {arn} and its alias are made, and only its public half "
            "could not be read",
            remedy="run gitca keys show with the same URI, as a role that may read it",
        ) from error
