"""Subject alternative names: syntax checks, and the canonical text by which they are compared.

Each check answers for one text and gives the first `Problem` or None; whether the name may be
issued is the policy's question. Over-long text is turned away before anything looks closer.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping

import idna

from gitca.x509 import der
from gitca.x509.refusal import Problem, RefusedError, quoted
from gitca.x509.template import GeneralName, GeneralNameKind

MAX_DNS_LENGTH = 253  # RFC 1035 section 2.3.4: 255 octets on the wire, less root and length
MAX_LABEL_LENGTH = 63
MAX_URI_LENGTH = 2048  # SPIFFE-ID section 2.3; longer ones break the software that reads them
MAX_EMAIL_LENGTH = 254  # RFC 5321 section 4.5.3.1.3
MAX_LOCAL_PART_LENGTH = 64
MAX_OID_LENGTH = 63  # octets; cryptography and others read no longer ones

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_URI = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):"
    r"(?://(?P<authority>[^/?#]*))?(?P<path>[^?#\[\]]*)"
    r"(?P<query>\?[^#\[\]]*)?(?P<fragment>#[^#\[\]]*)?"
)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::[0-9]{0,5})?")
_URI_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")
_SPIFFE_PATH = re.compile(r"(?:/[A-Za-z0-9._-]+)*")
_WITHOUT_AUTHORITY = frozenset({"urn", "tag", "mailto", "tel", "sip", "sips", "data", "did", "ni"})


def is_wildcard(name: str) -> bool:
    """Return whether a DNS name stands for many (RFC 6125 section 6.4.3)."""
    return name.startswith("*.")


def check_dns(name: str) -> Problem | None:
    """Return what is wrong with a DNS name in the form of a dNSName (RFC 5280 section 4.2.1.6).

    Allowed are letters, digits and hyphens in A-labels; `*` as the whole leftmost label alone.
    """
    return _dns_form(name) or _dns_labels(name)


def _dns_form(name: str) -> Problem | None:
    if not name:
        return Problem("dns.empty", "the DNS name is empty", "write a name or leave it out")
    if _has_control(name):
        return _control_problem("dns", name)
    if len(name) > MAX_DNS_LENGTH:
        message = (
            f"DNS name {quoted(name)} has {len(name)} characters, {MAX_DNS_LENGTH} are allowed"
        )
        return Problem("dns.length", message, "use a shorter name")
    if not name.isascii():
        return _not_ascii(name)
    if _is_ip(name.strip("[]")):
        message = f"DNS name {quoted(name)} is an IP address"
        return Problem("dns.ip-address", message, "write it under sans.ip")
    if name.endswith("."):
        message = f"DNS name {quoted(name)} ends with a dot (RFC 5280 section 4.2.1.6 allows none)"
        return Problem("dns.trailing-dot", message, f"write {quoted(name.rstrip('.'))}")
    return None


def _not_ascii(name: str) -> Problem:
    message = f"DNS name {quoted(name)} is not ASCII; allowed are A-labels (RFC 5280 section 7.2)"
    try:
        remedy = f"write {quoted(idna.encode(name, uts46=True).decode())}"
    except idna.IDNAError as error:
        remedy = f"it has no A-label in IDNA 2008: {error}"
    return Problem("dns.not-ascii", message, remedy)


def _dns_labels(name: str) -> Problem | None:
    labels = name.split(".")
    for label in labels[1:] if is_wildcard(name) else labels:
        problem = _label_problem(label, name)
        if problem:
            return problem
    if labels[-1].isdigit():
        message = f"DNS name {quoted(name)} ends with the number {labels[-1]}, as no domain does"
        return Problem("dns.numeric", message, "an IP address is written under sans.ip")
    return None


def _label_problem(label: str, name: str) -> Problem | None:
    if not label:
        message = f"DNS name {quoted(name)} has an empty label"
        return Problem("dns.empty-label", message, "remove the superfluous dot")
    if len(label) > MAX_LABEL_LENGTH:
        message = (
            f"DNS name {quoted(name)} has a label of {len(label)} characters, "
            f"{MAX_LABEL_LENGTH} are allowed"
        )
        return Problem("dns.label-length", message, "use a shorter name")
    if not _LABEL.fullmatch(label):
        return _label_characters(label, name)
    if label[:4].lower() == "xn--" and not _is_a_label(label):
        message = f"DNS name {quoted(name)}: {quoted(label)} is no A-label of IDNA 2008 (RFC 5891)"
        return Problem("dns.a-label", message, "encode the name again with IDNA 2008")
    return None


def _label_characters(label: str, name: str) -> Problem:
    if "*" in label:
        message = f"DNS name {quoted(name)}: `*` is allowed as the whole leftmost label alone"
        return Problem("dns.wildcard", message, "write *.example.internal or the names themselves")
    if "_" in label:
        message = f"DNS name {quoted(name)} has an underscore, which a host name cannot have"
        return Problem("dns.underscore", message, "use a hyphen")
    message = (
        f"DNS name {quoted(name)}: label {quoted(label)} is not made of letters, digits and inner "
        "hyphens (RFC 1123 section 2.1)"
    )
    return Problem("dns.characters", message, "write a host name, without scheme, port or path")


def _is_a_label(label: str) -> bool:
    lower = label.lower()
    try:
        return idna.alabel(idna.ulabel(lower)).decode() == lower
    except idna.IDNAError:
        return False


def _has_control(text: str) -> bool:
    return any(character < " " or character == "\x7f" for character in text)


def _control_problem(kind: str, text: str) -> Problem:
    message = f"{kind} name {quoted(text)} has a NUL or control character"
    return Problem(f"{kind}.control", message, "remove it: software disagrees on where it ends")


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def check_ip(text: str) -> Problem | None:
    """Return what is wrong with an IP address: dotted IPv4, or IPv6 (RFC 4291) without a zone.

    IPv4-mapped IPv6 addresses are refused: they would pass by the ranges of their IPv4 form.
    """
    if "%" in text:
        message = f"IP address {quoted(text)} has a zone, which means nothing to others"
        return Problem("ip.zone", message, "leave the zone out")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return _not_an_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        message = f"IP address {quoted(text)} is an IPv4 address in IPv6 form"
        return Problem("ip.mapped", message, f"write {address.ipv4_mapped}")
    return None


def _not_an_address(text: str) -> Problem:
    if re.fullmatch(r"0*[0-9]{1,3}(\.0*[0-9]{1,3}){3}", text[:MAX_DNS_LENGTH]) and re.search(
        r"(^|\.)0[0-9]", text
    ):
        message = f"IP address {quoted(text)} has leading zeros, which some software reads as octal"
        return Problem("ip.leading-zero", message, "write decimal numbers without leading zeros")
    message = f"{quoted(text)} is not an IP address"
    return Problem("ip.syntax", message, "write one such as 10.1.2.3 or fd00::1, without a prefix")


def check_uri(text: str) -> Problem | None:
    """Return what is wrong with an absolute URI (RFC 3986, RFC 5280 section 4.2.1.6).

    An authority's host is a DNS name or an IP address; `spiffe:` follows SPIFFE-ID section 2.
    """
    if _has_control(text):
        return _control_problem("uri", text)
    if len(text) > MAX_URI_LENGTH:
        message = f"URI {quoted(text)} has {len(text)} characters, {MAX_URI_LENGTH} are allowed"
        return Problem("uri.length", message, "use a shorter one")
    if not text.isascii() or not _URI_CHARACTERS.fullmatch(text):
        message = f"URI {quoted(text)} has characters outside of RFC 3986 section 2"
        return Problem("uri.characters", message, "percent-encode them; a host goes in A-labels")
    found = _URI.fullmatch(text)
    if not found:
        message = f"{quoted(text)} is not an absolute URI of RFC 3986 section 3 with its scheme"
        return Problem("uri.syntax", message, "write one such as spiffe://example.internal/api")
    return _check_uri_parts(text, found)


def _check_uri_parts(text: str, found: re.Match[str]) -> Problem | None:
    scheme = found["scheme"].lower()
    if found["authority"] is None:
        if scheme in _WITHOUT_AUTHORITY and found["path"]:
            return None
        message = f"URI {quoted(text)} names no host after `{scheme}:`"
        return Problem("uri.authority", message, f"write {scheme}://host/path")
    if scheme == "spiffe":
        return _check_spiffe(text, found)
    return _check_authority(text, found["authority"])


def _check_authority(text: str, authority: str) -> Problem | None:
    if "@" in authority:
        message = "a URI has user information before its host, which a certificate would publish"
        return Problem("uri.userinfo", message, "write the host alone")
    found = _AUTHORITY.fullmatch(authority)
    host = found["host"] if found else ""
    if host.startswith("["):
        problem = check_ip(host[1:-1]) if ":" in host else Problem("", "")
    else:
        problem = None if _is_ip(host) and ":" not in host else check_dns(host)
    if not problem and not is_wildcard(host):
        return None
    message = f"URI {quoted(text)}: host {quoted(host)} is neither a DNS name nor an IP address"
    return Problem("uri.host", message, problem.remedy if problem else "write the host itself")


def _check_spiffe(text: str, found: re.Match[str]) -> Problem | None:
    domain, path = found["authority"], found["path"]
    whole = text.startswith("spiffe://") and found["query"] is None and found["fragment"] is None
    plain = not {".", ".."}.intersection(path.split("/"))
    if whole and plain and _TRUST_DOMAIN.fullmatch(domain) and _SPIFFE_PATH.fullmatch(path):
        return None
    message = (
        f"URI {quoted(text)} is no SPIFFE ID: allowed is spiffe://TRUST-DOMAIN/PATH in lower case, "
        "without port, user, query, fragment, dot segments and final slash (SPIFFE-ID section 2)"
    )
    return Problem("uri.spiffe", message, "write one such as spiffe://example.internal/api")


def check_email(text: str) -> Problem | None:
    """Return what is wrong with an e-mail address: Local-part@Domain, ASCII (RFC 5280 4.2.1.6).

    Quoted local parts and address literals are refused.
    """
    if _has_control(text):
        return _control_problem("email", text)
    local, at, domain = text.rpartition("@")
    if len(text) > MAX_EMAIL_LENGTH or len(local) > MAX_LOCAL_PART_LENGTH:
        message = (
            f"e-mail address {quoted(text)} has {len(local)} characters before @, {len(text)} in "
            f"all; {MAX_LOCAL_PART_LENGTH} and {MAX_EMAIL_LENGTH} are allowed"
        )
        return Problem("email.length", message, "use a shorter address")
    problem = check_dns(domain)
    if at and _LOCAL_PART.fullmatch(local) and not problem and not is_wildcard(domain):
        return None
    message = f"{quoted(text)} is not an e-mail address of the form local@domain in ASCII"
    return Problem("email.syntax", message, "write one such as pki@example.internal")


def check_registered_id(text: str) -> Problem | None:
    """Return what is wrong with a registered ID: a dotted OID that fits 63 octets of DER."""
    try:
        octets = len(der.content(der.object_identifier(text), der.OID))
    except der.DerError as error:
        message = f"registered ID {quoted(text)} is not an object identifier: {error}"
        return Problem("registeredID.syntax", message, "write one such as 1.3.6.1.4.1.99999.1")
    if octets > MAX_OID_LENGTH:
        message = f"registered ID {quoted(text)} takes {octets} octets, of {MAX_OID_LENGTH} at most"
        return Problem("registeredID.length", message, "use a shorter one")
    return None


_CHECKS: Mapping[GeneralNameKind, Callable[[str], Problem | None]] = {
    "dns": check_dns,
    "ip": check_ip,
    "uri": check_uri,
    "email": check_email,
    "registeredID": check_registered_id,
}


def check_name(kind: GeneralNameKind, text: str) -> Problem | None:
    """Return what is wrong with a name of a kind that is one text, or None."""
    return _CHECKS[kind](text)


def general_name(kind: GeneralNameKind, text: str) -> GeneralName:
    """Return the canonical general name of a kind that is one text: all but two are.

    otherName and directoryName: see `general_names`. Raises: RefusedError where a check speaks.
    """
    problem = check_name(kind, text)
    if problem:
        raise RefusedError(problem.rule, problem.message, problem.remedy)
    if kind == "dns":
        return GeneralName("dns", text.lower())
    if kind == "ip":
        return GeneralName("ip", str(ipaddress.ip_address(text)))
    return GeneralName(kind, text)
