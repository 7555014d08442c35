"""Name constraints' subtrees: syntax checks and canonical text (RFC 5280 section 4.2.1.10)."""

from __future__ import annotations

import ipaddress

from gitca.x509.names import check_dns, check_email, is_wildcard
from gitca.x509.refusal import Problem, RefusedError, quoted
from gitca.x509.template import GeneralName, GeneralNameKind

_FORMS = {
    "dns": "a DNS name such as example.internal, without leading dot or `*`",
    "ip": "a network such as 10.0.0.0/8 or fd00::/8, without host bits",
    "uri": "a host such as example.internal, or .example.internal for the hosts below it",
    "email": "an address, a host such as example.internal, or .example.internal for those below it",
}


def check_subtree(kind: GeneralNameKind, text: str) -> Problem | None:
    """Return what is wrong with the base of a permitted or excluded subtree, or None."""
    if _is_subtree(kind, text):
        return None
    message = f"{quoted(text)} is not {_FORMS[kind]}"
    return Problem(f"name-constraints.{kind}", message, "see RFC 5280 section 4.2.1.10")


def subtree(kind: GeneralNameKind, text: str) -> GeneralName:
    """Return the canonical subtree of a text. Raises: RefusedError."""
    problem = check_subtree(kind, text)
    if problem:
        raise RefusedError(problem.rule, problem.message, problem.remedy)
    if kind == "ip":
        return GeneralName("ip", str(ipaddress.ip_network(text)))
    return GeneralName(kind, text if "@" in text else text.lower())


def _is_subtree(kind: GeneralNameKind, text: str) -> bool:
    if kind == "ip":
        return _is_network(text)
    if kind == "dns":
        return _is_host(text)
    if kind == "email" and "@" in text:
        return check_email(text) is None
    return _is_host(text.removeprefix("."))


def _is_host(text: str) -> bool:
    return check_dns(text) is None and not is_wildcard(text)


def _is_network(text: str) -> bool:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        return False
    # A bare address and a netmask in dots are accepted by ipaddress; the document form is CIDR.
    return "/" in text and text.rpartition("/")[2] == str(network.prefixlen)
