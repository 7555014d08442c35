"""URIs of keys in AWS KMS: `awskms:///alias/NAME`, `awskms:///KEY-ID`, `awskms:///ARN`.

After `?`, parted by `&`, may stand `region=`, `endpoint=` and `profile=`. What follows the three
slashes is what KMS calls a key identifier (AWS KMS Developer Guide, "Key identifiers"), character
for character. Nothing is asked of AWS here, and no library of AWS's is needed: `gitca validate`
finds a malformed URI on any machine.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

SCHEME = "awskms"
PARAMETERS = ("region", "endpoint", "profile")

_PREFIX = f"{SCHEME}:///"
_KEY_ID = r"(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
_ALIAS = r"alias/[A-Za-z0-9/_-]{1,250}"  # CreateAlias: 256 characters, the prefix included
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}")
_PLAIN = re.compile(rf"(?:{_KEY_ID}|{_ALIAS})")
_ARN = re.compile(
    rf"arn:aws(?:-[a-z]{{1,8}}){{0,3}}:kms:(?P<region>{_REGION.pattern}):[0-9]{{12}}:"
    rf"(?P<resource>key/{_KEY_ID}|{_ALIAS})"
)
_PROFILE = re.compile(r"[A-Za-z0-9_.@+=/ -]{1,128}")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]")
_NAME = re.compile(r"[A-Za-z_-]{1,30}")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_EXAMPLE = "write awskms:///alias/NAME?region=eu-west-1, awskms:///KEY-ID?region=… or awskms:///ARN"


class AwsKeyUriError(ValueError):
    """A URI that names no key in AWS KMS: what was seen and was allowed, and the remedy.

    Neither repeats what could be a secret that was pasted into the wrong place.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


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
    values = _parameters(query) if question else {}
    region = _region(arn["region"] if arn else None, values.get("region"))
    return AwsKeyUri(key, region, _endpoint(values.get("endpoint")), _profile(values))


def _check_alias(resource: str) -> None:
    if resource.startswith("alias/aws/"):
        raise AwsKeyUriError(
            "the awskms URI names an alias below alias/aws/, which AWS keeps for keys of its own",
            "name the alias of a key that the account itself manages",
        )


def _parameters(query: str) -> Mapping[str, str]:
    values: dict[str, str] = {}
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if name not in PARAMETERS:
            seen = f"the parameter {name!r}" if equals and _NAME.fullmatch(name) else "a part"
            raise AwsKeyUriError(
                f"the awskms URI has {seen} that is unknown; after ? are allowed "
                f"{', '.join(f'{known}=' for known in PARAMETERS)}, parted by &",
                "remove it; credentials are given to the AWS SDK, never in a URI",
            )
        if name in values:
            raise AwsKeyUriError(f"the awskms URI has {name}= twice; allowed is once", "keep one")
        if not value or _ESCAPE.search(value) or "#" in value:
            raise AwsKeyUriError(
                f"the awskms URI has {name}= with no value, a % that escapes nothing, or a #",
                f"write {name}= with its value, or leave it out",
            )
        values[name] = unquote(value)
    return values


def _region(of_arn: str | None, given: str | None) -> str | None:
    if given is not None and _REGION.fullmatch(given) is None:
        raise AwsKeyUriError(
            "the awskms URI has region= with what is no name of a region; allowed is such as "
            "eu-west-1",
            "write the region that the key is in",
        )
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


def _endpoint(url: str | None) -> str | None:
    """Return an endpoint URL without a path: http to this machine, https to others."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise _no_endpoint() from error
    host = parts.netloc.rpartition("@")[2]
    if ":" in host and not host.endswith("]"):
        host = host.rpartition(":")[0]
    plain = "@" not in parts.netloc and parts.path in ("", "/") and "?" not in url
    if parts.scheme not in ("http", "https") or not plain or not _HOST.fullmatch(host):
        raise _no_endpoint()
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise AwsKeyUriError(
            f"the awskms URI has an endpoint of http at {parts.hostname}; allowed is http to this "
            "machine alone (127.0.0.1, [::1], localhost), and https",
            "write https://",
        )
    return url.removesuffix("/")


def _no_endpoint() -> AwsKeyUriError:
    return AwsKeyUriError(
        "the awskms URI has endpoint= with what is no URL of a server; allowed is "
        "https://HOST[:PORT] in lower case, with neither user name nor path",
        "write endpoint=https://HOST, or leave it out for the region's own endpoint",
    )


def is_loopback(host: str) -> bool:
    """Return whether a host, by its name or address, can be no other machine (RFC 6761)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
