"""A key in AWS KMS as a signer: found, judged fit to be a CA's, and signed with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from gitca.errors import BackendUnavailableError, UsageError
from gitca.signers import KeyUnsuitableError, Signature
from gitca.signers.aws_kms_connection import Connection, acquire, release
from gitca.signers.aws_kms_errors import wrapped
from gitca.signers.aws_kms_place import Place, parse_uri
from gitca.signers.aws_kms_sign import SignRequests, Work
from gitca.signers.aws_kms_specs import (
    KMS_ALGORITHMS,
    SPEC_OF_KMS,
    kms_algorithms,
    longest_message,
    message_type,
    what_is_sent,
)
from gitca.x509.algorithms import algorithms_for, check_algorithm
from gitca.x509.keys import KEY_SPECS, describe_key
from gitca.x509.refusal import RefusedError

DRY_RUN = "DryRunOperationException"

# AWS KMS Developer Guide, "Key states": these pass by themselves.
_PASSING_STATES = frozenset({"Creating", "Updating", "Unavailable"})
_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "Disabled": "enable it, if it was not disabled for a reason",
        "PendingDeletion": "cancel its deletion and enable it, if the CA is still wanted",
        "PendingReplicaDeletion": "cancel its deletion and enable it, if the CA is still wanted",
        "PendingImport": "import its key material again",
    }
)


class AwsKmsSigner:
    """A `Signer` whose key is in KMS; an alias is followed once, when it is opened."""

    def __init__(
        self, uri: str, place: Place, connection: Connection, key: Mapping[str, Any]
    ) -> None:
        self._uri = uri
        self._place = place
        self._connection: Connection | None = connection
        self._key = key
        self._arn = str(key["Arn"])
        self._spki_der = _public_key(connection, self._arn, key, uri)
        self._algorithms = frozenset(algorithms_for(describe_key(self._spki_der)))
        self._requests = SignRequests(connection)

    def public_key(self) -> bytes:
        """Return the DER SubjectPublicKeyInfo."""
        return self._spki_der

    def sign(self, message: bytes, signature_algorithm: str) -> Signature:
        """Return the signature over a message.

        Raises: UsageError; KeyUnsuitableError when KMS refuses by now; BackendUnavailableError.
        """
        self._usable()
        return self._requests.sign(self._work(message, signature_algorithm), f"key {self._uri}")

    def longest_message(self, signature_algorithm: str) -> int | None:
        """Return 4,096 for Ed25519, and None for what is signed by its digest."""
        self._check(signature_algorithm)
        return longest_message(signature_algorithm)

    def prove(self, signature_algorithm: str) -> str:
        """Return that KMS would sign: it is asked with DryRun, and no signature is made.

        Raises: UsageError, KeyUnsuitableError, BackendUnavailableError.
        """
        connection = self._usable()
        work = self._work(b"DryRun", signature_algorithm)
        with wrapped("Sign", f"key {self._uri}"):
            try:
                answer = connection.client.sign(
                    KeyId=work.key,
                    Message=work.message,
                    MessageType=work.message_type,
                    SigningAlgorithm=work.algorithm,
                    DryRun=True,
                )
            except connection.client.exceptions.DryRunOperationException as error:
                request_id = error.response["ResponseMetadata"]["RequestId"]
                return f"KMS would sign with {work.algorithm} (DryRun, request {request_id})"
        raise KeyUnsuitableError(
            f"key {self._uri}: the endpoint made a signature where DryRun asked for none (request "
            f"{answer['ResponseMetadata']['RequestId']})",
            remedy="use KMS itself, or an endpoint that knows DryRun",
        )

    def describe(self) -> Mapping[str, str]:
        """Return what KMS says of the key. Raises: UsageError, BackendUnavailableError."""
        connection = self._usable()
        created = self._key.get("CreationDate")
        return {
            "kept": "in AWS KMS",
            "arn": self._arn,
            "keySpec": str(self._key["KeySpec"]),
            "state": str(self._key["KeyState"]),
            "origin": str(self._key.get("Origin", "unknown")),
            "multiRegion": _regions(self._key),
            "created": created.isoformat() if isinstance(created, datetime) else "unknown",
            "description": str(self._key.get("Description") or "none"),
            "aliases": self._aliases(connection),
        }

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection = None
            self._requests.close()
            release(self._place)

    def _usable(self) -> Connection:
        if self._connection is None:
            raise UsageError(f"key {self._uri} is closed", remedy="open it again")
        return self._connection

    def _check(self, signature_algorithm: str) -> None:
        if signature_algorithm in self._algorithms:
            return
        try:
            check_algorithm(self._spki_der, signature_algorithm)
        except RefusedError as error:
            raise UsageError(f"key {self._uri}: {error.message}", remedy=error.remedy) from error

    def _work(self, message: bytes, signature_algorithm: str) -> Work:
        self._check(signature_algorithm)
        return Work(
            self._arn,
            KMS_ALGORITHMS[signature_algorithm],
            message_type(signature_algorithm),
            what_is_sent(message, signature_algorithm, self._spki_der),
        )

    def _aliases(self, connection: Connection) -> str:
        """Return the key's aliases; what may not be read is no reason to say nothing at all."""
        try:
            with wrapped("ListAliases", f"key {self._uri}"):
                names = list(_alias_names(connection, self._arn))
        except (UsageError, BackendUnavailableError):
            return "unknown (kms:ListAliases was refused)"
        return ", ".join(names) or "none"


def open_signer(uri: str) -> AwsKmsSigner:
    """Return the signer of a key that is enabled, for signing, and of a spec that gitca knows.

    Raises: UsageError for a URI, credentials or configuration that cannot work; KeyUnsuitableError
    for a key that is not there, may not be used, or cannot sign; BackendUnavailableError.
    """
    wanted, place = parse_uri(uri)
    connection = acquire(place, f"key {uri}")
    try:
        key = described(connection, wanted.key, f"key {uri}")
        _check_usage(key, uri)
        _check_state(key, uri)
        return AwsKmsSigner(uri, place, connection, key)
    except BaseException:
        release(place)
        raise


def described(connection: Connection, key: str, subject: str) -> Mapping[str, Any]:
    """Return KMS's metadata of a key. Raises: KeyUnsuitableError when there is none, and others."""
    with wrapped("DescribeKey", f"{subject} (asked in {connection.region})"):
        metadata: Mapping[str, Any] = connection.client.describe_key(KeyId=key)["KeyMetadata"]
    return metadata


def _check_usage(key: Mapping[str, Any], uri: str) -> None:
    usage, spec = str(key.get("KeyUsage")), str(key.get("KeySpec"))
    if usage != "SIGN_VERIFY":
        raise KeyUnsuitableError(
            f"key {uri} ({key['Arn']}) has the usage {usage}; allowed is SIGN_VERIFY",
            remedy="name a key that was made to sign: the usage of a key never changes",
        )
    if spec not in SPEC_OF_KMS:
        raise KeyUnsuitableError(
            f"key {uri} ({key['Arn']}) has the spec {spec}; allowed are {', '.join(SPEC_OF_KMS)}",
            remedy="make a key with gitca keys create",
        )
    missing = set(kms_algorithms(SPEC_OF_KMS[spec])) - set(key.get("SigningAlgorithms", ()))
    if missing:
        raise KeyUnsuitableError(
            f"key {uri} ({key['Arn']}) does not sign with {', '.join(sorted(missing))}, which its "
            f"spec {spec} should",
            remedy="make a key with gitca keys create",
        )


def _check_state(key: Mapping[str, Any], uri: str) -> None:
    state = str(key.get("KeyState"))
    if state == "Enabled":
        return
    seen = f"key {uri} ({key['Arn']}) is {state}; allowed is Enabled"
    if state in _PASSING_STATES:
        raise BackendUnavailableError(seen, remedy="run again when it is Enabled")
    raise KeyUnsuitableError(seen, remedy=_REMEDIES.get(state, "name a key that is Enabled"))


def _public_key(connection: Connection, arn: str, key: Mapping[str, Any], uri: str) -> bytes:
    with wrapped("GetPublicKey", f"key {uri}"):
        spki_der = bytes(connection.client.get_public_key(KeyId=arn)["PublicKey"])
    spec = SPEC_OF_KMS[str(key["KeySpec"])]
    try:
        seen = describe_key(spki_der)
    except RefusedError as error:
        raise KeyUnsuitableError(f"key {uri}: {error.message}", remedy=error.remedy) from error
    if seen != KEY_SPECS[spec]:
        raise KeyUnsuitableError(
            f"key {uri} ({arn}) is {seen} by its public half, and {spec} by its spec",
            remedy="check that the endpoint is KMS's",
        )
    return spki_der


def _regions(key: Mapping[str, Any]) -> str:
    if not key.get("MultiRegion"):
        return "no"
    configuration = key.get("MultiRegionConfiguration", {})
    primary = configuration.get("PrimaryKey", {}).get("Region", "unknown")
    replicas = sorted(str(each.get("Region")) for each in configuration.get("ReplicaKeys", ()))
    return f"primary in {primary}; replicas in {', '.join(replicas) or 'no other region'}"


def _alias_names(connection: Connection, arn: str) -> Iterator[str]:
    for page in connection.client.get_paginator("list_aliases").paginate(KeyId=arn):
        for alias in page["Aliases"]:
            yield str(alias["AliasName"])
