"""Sign, Verify and GetPublicKey as AWS documents them; the other operations are moto's."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import kms_store
from key_states import check_usable
from kms_errors import KmsError, invalid, not_in
from kms_keys import MESSAGE_TYPES, RAW, SIGNING_ALGORITHMS, KeyPair, check_message
from moto.kms.models import Key


@dataclass(frozen=True)
class Task:
    """A call of Sign or Verify that may be carried out."""

    key: Key
    message: bytes
    message_type: str
    algorithm: str

    @property
    def pair(self) -> KeyPair:
        pair: KeyPair = self.key.private_key
        return pair

    def sign(self) -> bytes:
        return self.pair.sign(self.message, self.message_type, self.algorithm)


def check(region: str, parameters: Mapping[str, Any], operation: str) -> Task:
    """Return what a call of Sign or Verify asks for, or say why not.

    In this order: the request's own form, then the key, its state, its usage, the algorithm, the
    message. Which of two errors comes first is not documented.
    API Reference, "Sign": the errors. InvalidKeyUsageException: the key's usage is another, or the
    algorithm does not go with its key spec. DryRunOperationException: it would have succeeded
    (Developer Guide, "Testing your permissions").
    """
    algorithm = str(parameters.get("SigningAlgorithm"))
    message_type = str(parameters.get("MessageType") or RAW)
    if algorithm not in SIGNING_ALGORITHMS:
        raise not_in(algorithm, "signingAlgorithm", SIGNING_ALGORITHMS)
    if message_type not in MESSAGE_TYPES:
        raise not_in(message_type, "messageType", MESSAGE_TYPES)
    message = blob(parameters, "Message")
    key = kms_store.find(region, required(parameters, "KeyId"))
    check_usable(key)
    if key.key_usage != "SIGN_VERIFY":
        problem = f"{key.arn} key usage is {key.key_usage} which is not valid for {operation}."
        raise KmsError("InvalidKeyUsageException", problem)
    if algorithm not in key.signing_algorithms:
        problem = f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}."
        raise KmsError("InvalidKeyUsageException", problem)
    check_message(message, message_type, algorithm)
    if parameters.get("DryRun"):
        problem = "The request would have succeeded, but the DryRun option is set."
        raise KmsError("DryRunOperationException", problem)
    return Task(key, message, message_type, algorithm)


def required(parameters: Mapping[str, Any], name: str) -> str:
    value = parameters.get(name)
    if not isinstance(value, str) or not value:
        member = name[0].lower() + name[1:]
        raise invalid(
            f"1 validation error detected: Value null at '{member}' failed to satisfy constraint: "
            "Member must not be null"
        )
    return value


def blob(parameters: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(required(parameters, name) if parameters.get(name) != "" else "")
    except binascii.Error:
        raise KmsError("SerializationException", f"{name} is not base64") from None


def verify(region: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer Verify: valid, or KMSInvalidSignatureException (API Reference, "Verify")."""
    task = check(region, parameters, "Verify")
    signature = blob(parameters, "Signature")
    task.pair.verify(task.message, task.message_type, task.algorithm, signature)
    return {"KeyId": task.key.arn, "SignatureValid": True, "SigningAlgorithm": task.algorithm}


def get_public_key(region: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer GetPublicKey; KeyId is the ARN (API Reference, "GetPublicKey", Response Elements).

    Symmetric keys have no public half: UnsupportedOperationException (the same page, Errors, lists
    it; it needs a compatible key state as well).
    """
    key = kms_store.find(region, required(parameters, "KeyId"))
    check_usable(key)
    if key.private_key is None:
        problem = f"{key.arn} is a symmetric key and has no public key."
        raise KmsError("UnsupportedOperationException", problem)
    algorithms = {
        "SigningAlgorithms": key.signing_algorithms,
        "EncryptionAlgorithms": key.encryption_algorithms,
    }
    return {
        "KeyId": key.arn,
        "KeySpec": key.key_spec,
        "CustomerMasterKeySpec": key.key_spec,
        "KeyUsage": key.key_usage,
        "PublicKey": base64.b64encode(key.private_key.public_key()).decode(),
        **{name: value for name, value in algorithms.items() if value is not None},
    }
