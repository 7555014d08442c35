"""URIs of keys in PKCS #11 tokens: `pkcs11:token=…;object=…?module-name=…` (RFC 7512).

Before `?`, parted by `;`, stands which key of which token; after it, parted by `&`, which module
reaches the token and which file holds its PIN. Nothing is loaded or opened here: `gitca validate`
finds a malformed URI on any machine. Of the attributes that RFC 7512 section 2.3 lists, those are
allowed that tell one key from others; a query for anything else would be obeyed by nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

SCHEME = "pkcs11"
PATH_ATTRIBUTES = (
    *("token", "serial", "manufacturer", "model", "slot-id"),
    *("object", "id", "type"),
)
QUERY_ATTRIBUTES = ("module-path", "module-name", "pin-source")
PIN_VALUE = "pin-value"

# RFC 7512 section 2.3: pk11-pchar and pk11-qchar; `|command` of a pin-source is refused below.
_PATH_VALUE = re.compile(r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=&-]|%[0-9A-Fa-f]{2})+")
_QUERY_VALUE = re.compile(r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=/?|;-]|%[0-9A-Fa-f]{2})+")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_MODULE_NAME = re.compile(r"[A-Za-z0-9._+-]{1,64}")
_SLOT_ID = re.compile(r"0|[1-9][0-9]{0,19}")
_LONGEST_ID = 255  # octets; ids are hashes or counters
# PKCS #11 section 3.2, CK_TOKEN_INFO: fields of fixed width, in octets.
_WIDTHS = {"token": 32, "manufacturer": 32, "model": 16, "serial": 16}
_EXAMPLE = "write pkcs11:token=LABEL;object=LABEL?module-name=NAME"


class Pkcs11UriError(ValueError):
    """A URI that names no key in a token: what was seen and was allowed, and the remedy.

    Neither repeats a value, which could be a PIN in the wrong place.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Pkcs11Uri:
    """A private key in a token, and how to get to it; None is what the URI leaves open.

    `object` is the key's label (CKA_LABEL), `id` its CKA_ID. `pin_source` is an absolute path, and
    so is `module_path`.
    """

    token: str | None = None
    serial: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    slot_id: int | None = None
    object: str | None = None
    id: bytes | None = None
    module_path: str | None = None
    module_name: str | None = None
    pin_source: str | None = None


def parse_pkcs11_uri(uri: str) -> Pkcs11Uri:
    """Return what a URI of the scheme `pkcs11` names. Raises: Pkcs11UriError."""
    if not uri.startswith(f"{SCHEME}:") or not (uri.isascii() and uri.isprintable()):
        raise Pkcs11UriError("a pkcs11 URI begins with pkcs11: and is printable ASCII", _EXAMPLE)
    path, _, query = uri.removeprefix(f"{SCHEME}:").partition("?")
    of_path = _attributes(path, ";", PATH_ATTRIBUTES, _PATH_VALUE)
    of_query = _attributes(query, "&", QUERY_ATTRIBUTES, _QUERY_VALUE)
    if of_path.get("type", b"private") != b"private":
        raise Pkcs11UriError(
            "the pkcs11 URI has another type than private, the only one that signs",
            "write type=private, or leave it out",
        )
    parsed = Pkcs11Uri(
        **{name: _text(name, of_path) for name in (*_WIDTHS, "object")},
        slot_id=_slot_id(_text("slot-id", of_path)),
        id=of_path.get("id"),
        module_path=_module_path(_text("module-path", of_query)),
        module_name=_module_name(_text("module-name", of_query)),
        pin_source=_pin_source(_text("pin-source", of_query)),
    )
    _check_whole(parsed)
    return parsed


def _attributes(
    text: str, separator: str, allowed: tuple[str, ...], syntax: re.Pattern[str]
) -> Mapping[str, bytes]:
    """Return the attributes of the path or the query, their values without percent-encoding."""
    values: dict[str, bytes] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        _check_name(name, bool(equals), allowed)
        if name in values:
            raise Pkcs11UriError(f"the pkcs11 URI has {name}= twice; allowed is once", "keep one")
        if syntax.fullmatch(value) is None:
            raise Pkcs11UriError(
                f"the pkcs11 URI has a value of {name}= that is empty, or has characters that "
                "stand in one as %XX alone (RFC 7512 section 2.3)",
                "percent-encode them: a space is %20, a slash in the path %2F",
            )
        values[name] = unquote_to_bytes(value)
    return values


def _check_name(name: str, has_value: bool, allowed: tuple[str, ...]) -> None:
    if name == PIN_VALUE:
        raise Pkcs11UriError(
            "the pkcs11 URI carries a PIN (pin-value), and it is no place for one",
            "remove it, change the PIN, and give it by pin-source, GITCA_PKCS11_PIN or a prompt",
        )
    if name in allowed and has_value:
        return
    if name in PATH_ATTRIBUTES + QUERY_ATTRIBUTES and has_value:
        place = "before" if name in PATH_ATTRIBUTES else "after"
        raise Pkcs11UriError(
            f"the pkcs11 URI has {name}= on the wrong side of ?; it stands {place} it", _EXAMPLE
        )
    seen = f"the attribute {name!r}" if has_value and _NAME.fullmatch(name) else "a part"
    raise Pkcs11UriError(
        f"the pkcs11 URI has {seen} that is unknown here; allowed are before ?, parted by ;, "
        f"{', '.join(PATH_ATTRIBUTES)}, and after it, parted by &, {', '.join(QUERY_ATTRIBUTES)}",
        "remove it, or name the token and the key by one of these",
    )


def _text(name: str, values: Mapping[str, bytes]) -> str | None:
    if name not in values:
        return None
    try:
        text = values[name].decode()
    except UnicodeDecodeError as error:
        raise Pkcs11UriError(f"{name}= of the pkcs11 URI is not UTF-8", _EXAMPLE) from error
    if not text.isprintable():
        raise Pkcs11UriError(f"{name}= of the pkcs11 URI has control characters", _EXAMPLE)
    width = _WIDTHS.get(name)
    if width and len(values[name]) > width:
        raise Pkcs11UriError(
            f"{name}= of the pkcs11 URI has {len(values[name])} octets; a token has room for "
            f"{width} (PKCS #11, CK_TOKEN_INFO)",
            "write it as the token shows it",
        )
    return text


def _slot_id(text: str | None) -> int | None:
    if text is None:
        return None
    if _SLOT_ID.fullmatch(text) is None:
        raise Pkcs11UriError("slot-id= of the pkcs11 URI is no number", "write it in decimals")
    return int(text)


def _module_name(name: str | None) -> str | None:
    if name is not None and _MODULE_NAME.fullmatch(name) is None:
        raise Pkcs11UriError(
            "module-name= of the pkcs11 URI is no name of a module; allowed are letters, digits "
            "and . _ + -",
            "write softhsm2 for libsofthsm2.so, or the place as module-path=/…",
        )
    return name


def _module_path(path: str | None) -> str | None:
    if path is None:
        return None
    return _absolute("module-path", path)


def _pin_source(source: str | None) -> str | None:
    if source is None:
        return None
    if source.startswith("|"):
        raise Pkcs11UriError(
            "pin-source= of the pkcs11 URI is a command; a document runs none",
            "name a file: pin-source=file:/path",
        )
    path = source.removeprefix("file:")
    return _absolute("pin-source", path[2:] if path.startswith("///") else path)


def _absolute(name: str, path: str) -> str:
    segments = path.split("/")
    if segments[0] or len(segments) < 2 or any(part in ("", ".", "..") for part in segments[1:]):
        raise Pkcs11UriError(
            f"{name}= of the pkcs11 URI is not an absolute path without empty, . and .. parts",
            f"write {name}=/path/from/the/root",
        )
    return path


def _check_whole(uri: Pkcs11Uri) -> None:
    if uri.token is None and uri.serial is None and uri.slot_id is None:
        raise Pkcs11UriError(
            "the pkcs11 URI names no token; allowed are token=, serial= and slot-id=", _EXAMPLE
        )
    if uri.object is None and uri.id is None:
        raise Pkcs11UriError("the pkcs11 URI names no key; allowed are object= and id=", _EXAMPLE)
    if uri.id is not None and len(uri.id) > _LONGEST_ID:
        raise Pkcs11UriError(
            f"id= of the pkcs11 URI has {len(uri.id)} octets; allowed are {_LONGEST_ID}", _EXAMPLE
        )
    if uri.module_path is not None and uri.module_name is not None:
        raise Pkcs11UriError(
            "the pkcs11 URI has both module-path= and module-name=; allowed is one", "keep one"
        )
