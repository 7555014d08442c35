"""URIs of keys in AWS KMS: `awskms:///alias/NAME`, `awskms:///KEY-ID`, `awskms:///ARN`.

After `?`, parted by `&`, may stand `region=`, `endpoint=` and `profile=`. What follows the three
slashes is what KMS calls a key identifier (AWS KMS Developer Guide, "Key identifiers"), character
for character. Nothing is asked of AWS here, and no library of AWS's is needed: `gitca validate`
finds a malformed URI on any machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gitca.documents.aws_uri import (
    REGION,
    AwsUriError,
    parse_endpoint,
    parse_parameters,
    parse_region,
)

SCHEME = "awskms"
PARAMETERS = ("region", "endpoint", "profile")

_PREFIX = f"{SCHEME}:///"
_KEY_ID = r"(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
_ALIAS = r"alias/[A-Za-z0-9/_-]{1,250}"  # CreateAlias: 256 characters, the prefix included
_PLAIN = re.compile(rf"(?:{_KEY_ID}|{_ALIAS})")
_ARN = re.compile(
    rf"arn:aws(?:-[a-z]{{1,8}}){{0,3}}:kms:(?P<region>{REGION}):[0-9]{{12}}:"
    rf"(?P<resource>key/{_KEY_ID}|{_ALIAS})"
)
_PROFILE = re.compile(r"[A-Za-z0-9_.@+=/ -]{1,128}")
_EXAMPLE = "write awskms:///alias/NAME?region=eu-west-1, awskms:///KEY-ID?region=… or awskms:///ARN"
AwsKeyUriError = AwsUriError
"""A URI that names no key in AWS KMS."""


@dataclass(frozen=True, slots=True)
class AwsKeyUri:
    """A key in AWS KMS, and how to get to it.

    `key` is a key identifier as KMS takes it. `region` is the ARN's where there is one; None leaves
    it to the configuration of the machine, as for `profile`.
    """

    key: str
    region: str | None = None
    endpoint: str | None = None
    profile: str | None = None

    @property
    def alias(self) -> str | None:
        """The alias (`alias/NAME`), where the key is named by one in the account that asks."""
        return self.key if self.key.startswith("alias/") else None


def parse_aws_key_uri(uri: str) -> AwsKeyUri:
    """Return what a URI of the scheme `awskms` names. Raises: AwsKeyUriError."""
    if not uri.startswith(_PREFIX) or not (uri.isascii() and uri.isprintable()):
        raise AwsKeyUriError(
            "an awskms URI begins with awskms:/// (three slashes) and is printable ASCII", _EXAMPLE
        )
    key, question, query = uri.removeprefix(_PREFIX).partition("?")
    arn = _ARN.fullmatch(key)
    if arn is None and _PLAIN.fullmatch(key) is None:
        raise AwsKeyUriError(
            "the awskms URI names no key: after the three slashes is allowed alias/NAME (letters, "
            "digits, / _ -), a key id, or the ARN of a key or alias in KMS",
            _EXAMPLE,
        )
    _check_alias(arn["resource"] if arn else key)
    values = parse_parameters(query, PARAMETERS, scheme=SCHEME) if question else {}
    region = _region(arn["region"] if arn else None, values.get("region"))
    endpoint = parse_endpoint(values.get("endpoint"), scheme=SCHEME)
    return AwsKeyUri(key, region, endpoint, _profile(values))


def _check_alias(resource: str) -> None:
    if resource.startswith("alias/aws/"):
        raise AwsKeyUriError(
            "the awskms URI names an alias below alias/aws/, which AWS keeps for keys of its own",
            "name the alias of a key that the account itself manages",
        )


def _region(of_arn: str | None, given: str | None) -> str | None:
    parse_region(given, scheme=SCHEME)
    if of_arn is not None and given not in (None, of_arn):
        raise AwsKeyUriError(
            f"the awskms URI says region={given}, and its ARN is of {of_arn}",
            "leave region= out: the ARN names it",
        )
    return of_arn or given


def _profile(values: Mapping[str, str]) -> str | None:
    profile = values.get("profile")
    if profile is not None and _PROFILE.fullmatch(profile) is None:
        raise AwsKeyUriError(
            "the awskms URI has profile= with what is no name of a profile; allowed are 1 to 128 "
            "letters, digits, spaces and _ . @ + = / -",
            "name a profile of the AWS configuration file",
        )
    return profile
