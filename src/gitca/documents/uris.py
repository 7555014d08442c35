"""URIs that documents carry: where a key is, and where CRLs and CA certificates are fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator

from gitca.documents import aws_key_uri, pkcs11_uri
from gitca.documents.fields import refuse, shown

LONGEST = 2048
_URI_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:.")
_TEMPLATE = re.compile(r"\{(ca\.name|ca\.keyIdentifier)\}")
_SECRETS = frozenset({"pin-value", "pin", "password", "passphrase", "secret", "secret-key"})


def _split(value: str) -> SplitResult | None:
    """Return the parts of a URI in ASCII (RFC 3986), or None if it is not one."""
    if len(value) > LONGEST or _URI_CHARACTERS.fullmatch(value) is None:
        return None
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _http_url(value: str) -> str:
    parts = _split(value)
    if parts is None or parts.scheme != "http" or not parts.hostname or parts.fragment:
        raise refuse(
            "document.url",
            f"{shown(value)} is not an http URL with a host",
            "write http://host/path; https would need the very certificates that it helps to check",
        )
    if parts.username is not None or parts.password is not None:
        raise refuse("document.url", "the URL carries a user name", "write http://host/path")
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""An absolute http URL in ASCII, without user name and fragment."""


def expand_url(template: str, values: Mapping[str, str]) -> str:
    """Return a URL template with `{ca.name}` and the like replaced by the values that are given.

    A template whose value is not given stays as it is.
    """
    return _TEMPLATE.sub(lambda found: values.get(found[1], found[0]), template)


def _url_template(value: str) -> str:
    sample = _TEMPLATE.sub("x" * 40, value)
    if "{" in sample or "}" in sample:
        raise refuse(
            "document.url.template",
            f"{shown(value)} has braces that are no template of a URL; there is {{ca.name}} and"
            " {ca.keyIdentifier}",
            "write one of them, or percent-encode the brace: %7B and %7D",
        )
    if _TEMPLATE.search(value.partition("://")[2].partition("/")[0]):
        raise refuse(
            "document.url.template",
            f"{shown(value)} has a template in its host; allowed is the path",
            "write the host out: the name of a CA need not be one of a host",
        )
    _http_url(sample)
    return value


UrlTemplate = Annotated[str, AfterValidator(_url_template)]
"""An http URL whose path may hold `{ca.name}` and `{ca.keyIdentifier}`; nothing else in braces."""


def has_template(url: str) -> bool:
    """Whether a URL is another one for each CA."""
    return _TEMPLATE.search(url) is not None


def _carries_secret(value: str, parts: SplitResult) -> bool:
    # RFC 7512 parts attributes by `;` in the path and by `&` in the query.
    attributes = re.split(r"[;?&#]", value.partition(":")[2])
    names = {unquote(attribute.partition("=")[0]).lower() for attribute in attributes}
    return parts.password is not None or not names.isdisjoint(_SECRETS)


def _signer_uri(value: str) -> str:
    parts = _split(value)
    if parts is None or _SCHEME.match(value) is None:
        raise refuse(
            "authority.key",
            # The value is not repeated: what a person pasted here may be a key.
            "key is not a signer URI",
            "write a scheme and a place, as in file:issuing.key or awskms:///alias/issuing",
        )
    if _carries_secret(value, parts):
        raise refuse(
            "authority.key.secret",
            "the signer URI carries a PIN or password, and the repository is no place for one",
            "remove it, change the PIN, and give it by environment variable or file instead",
        )
    if parts.scheme == aws_key_uri.SCHEME:
        try:
            aws_key_uri.parse_aws_key_uri(value)
        except aws_key_uri.AwsKeyUriError as error:
            raise refuse("authority.key", error.message, error.remedy) from error
    if parts.scheme == pkcs11_uri.SCHEME:
        try:
            pkcs11_uri.parse_pkcs11_uri(value)
        except pkcs11_uri.Pkcs11UriError as error:
            raise refuse("authority.key", error.message, error.remedy) from error
    return value


SignerUri = Annotated[str, AfterValidator(_signer_uri)]
"""A URI that names a key at a signer, in ASCII, without any secret."""
