"""The `awskms:` signer: a key that AWS KMS made and keeps, and that never leaves it.

`awskms:///alias/NAME?region=R`, `awskms:///KEY-ID?region=R` or `awskms:///ARN`; `&endpoint=URL` and
`&profile=P` where the operator allows them (`aws_kms_place.py`). boto3 is imported when a key is
opened or made, and not to preview one. docs/aws-kms.md tells operators about all of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gitca.documents.aws_key_uri import AwsKeyUri
from gitca.errors import UsageError
from gitca.signers import KeyOptions, Passphrase
from gitca.signers.aws_kms_place import parse_uri
from gitca.signers.aws_kms_policy import create_key_parameters
from gitca.signers.aws_kms_specs import spec_named

if TYPE_CHECKING:
    from gitca.signers.aws_kms_signer import AwsKmsSigner


def open_signer(uri: str, *, base: Path, passphrase: Passphrase, pin: Passphrase) -> AwsKmsSigner:
    """Return the signer of a key in KMS; what it is and may do is asked for, once.

    Raises: UsageError for a malformed or forbidden URI and for credentials that have expired;
    KeyAbsentError for a profile that this machine does not allow; KeyUnsuitableError for a key that
    is absent, disabled, of another usage or spec, or that this identity may not use;
    BackendUnavailableError, also without credentials.
    """
    from gitca.signers import aws_kms_signer

    return aws_kms_signer.open_signer(uri)


def create_key(
    uri: str,
    spec: str,
    *,
    base: Path,
    passphrase: Passphrase,
    pin: Passphrase,
    options: KeyOptions,
) -> bytes:
    """Make a key, its policy, tags and alias in KMS, and return its SPKI in DER.

    `spec` is gitca's name or KMS's. Raises: UsageError for an unknown spec, a URI without an alias,
    an alias that exists, and when no role is named that may sign; KeyUnsuitableError,
    BackendUnavailableError.
    """
    name = spec_named(spec)
    key, place = parse_uri(uri)
    alias = _alias(key, uri)
    create_key_parameters(name, alias, options)
    from gitca.signers import aws_kms_creation

    return aws_kms_creation.create_key(uri, alias, place, spec=name, options=options)


def preview_key(uri: str, spec: str, *, options: KeyOptions) -> Mapping[str, object]:
    """Return the parameters of CreateKey and CreateAlias, the key policy unfolded.

    Raises: UsageError.
    """
    name = spec_named(spec)
    key, place = parse_uri(uri)
    alias = _alias(key, uri)
    parameters = create_key_parameters(name, alias, options)
    return {
        "signer": uri,
        "spec": name,
        "region": place.region or "as the AWS configuration of the machine says",
        "CreateKey": {**parameters, "Policy": json.loads(str(parameters["Policy"]))},
        "CreateAlias": {"AliasName": alias},
    }


def _alias(key: AwsKeyUri, uri: str) -> str:
    if key.alias is None:
        raise UsageError(
            f"a new key has neither id nor ARN yet, and {uri} names one; allowed is an alias",
            remedy="write awskms:///alias/NAME?region=…",
        )
    return key.alias
