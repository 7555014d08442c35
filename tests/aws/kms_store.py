"""moto's keys and aliases, taught every asymmetric key spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import moto.kms.models as moto_models
from kms_errors import KmsError, invalid, not_in
from kms_keys import ALGORITHMS, KeyPair
from moto.core import DEFAULT_ACCOUNT_ID
from moto.kms.models import Key, KmsBackend, kms_backends
from moto.kms.utils import KeySpec

_SYMMETRIC = ["SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"]
KEY_SPECS = [*ALGORITHMS, *_SYMMETRIC]


def install() -> None:
    """Put our key pairs, key specs and algorithms where moto looks for its own."""
    moto_models.generate_private_key = _key_pair
    KeySpec.key_specs = classmethod(lambda _: sorted(KEY_SPECS))
    Key.signing_algorithms = property(_signing_algorithms)


def _key_pair(spec: str) -> KeyPair | None:
    return KeyPair.generate(spec) if spec in ALGORITHMS else None


def _signing_algorithms(key: Key) -> list[str] | None:
    """Return them for signing keys only (API Reference, "KeyMetadata", SigningAlgorithms)."""
    return ALGORITHMS[key.key_spec] if key.key_usage == "SIGN_VERIFY" else None


def check_new(parameters: Mapping[str, Any]) -> None:
    """Hold CreateKey against the specs, and the usages that each has.

    API Reference, "CreateKey", KeySpec and KeyUsage: the usage may be left out for symmetric
    encryption keys alone. Deriving of shared secrets is left out here.
    """
    default = "SYMMETRIC_DEFAULT"
    spec = parameters.get("KeySpec") or parameters.get("CustomerMasterKeySpec") or default
    usage = parameters.get("KeyUsage") or "ENCRYPT_DECRYPT"
    if spec not in KEY_SPECS:
        raise not_in(spec, "keySpec", KEY_SPECS)
    if spec not in ALGORITHMS:
        allowed = ["GENERATE_VERIFY_MAC" if spec.startswith("HMAC") else "ENCRYPT_DECRYPT"]
    else:
        allowed = ["SIGN_VERIFY", *(["ENCRYPT_DECRYPT"] if spec.startswith("RSA") else [])]
    if usage not in allowed or (spec != default and not parameters.get("KeyUsage")):
        raise invalid(f"KeyUsage {usage} is not compatible with KeySpec {spec}")


def backend_of(region: str) -> KmsBackend:
    return kms_backends[DEFAULT_ACCOUNT_ID][region]


def find(region: str, key_id: str) -> Key:
    """Return the key that an id, ARN, alias or alias ARN names now (API Reference, "Sign", KeyId).

    Aliases are looked up at each call: UpdateAlias moves them from key to key.
    Raises: KmsError NotFoundException, also for an ARN of another region.
    """
    prefix = f"arn:aws:kms:{region}:{DEFAULT_ACCOUNT_ID}:"
    name = key_id.removeprefix(prefix)
    if name != key_id:
        name = name.removeprefix("key/")
    keys = backend_of(region).keys
    if name.startswith("alias/"):
        # A snapshot: moto's threads may add keys meanwhile.
        found = next((key for key in tuple(keys.values()) if name in key.aliases), None)
        problem = f"Alias {prefix}{name} is not found."
    else:
        found = keys.get(name)
        problem = f"Key '{prefix}key/{name}' does not exist"
    if name.startswith("arn:"):
        problem = f"Invalid arn {region}"
    if found is None:
        raise KmsError("NotFoundException", problem)
    return found
