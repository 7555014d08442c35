"""Name constraints: which names lie in a subtree, and a CA's certificate binds its leaves.

RFC 5280 section 4.2.1.10. A certificate outside of its CA's constraints would be refused by every
verifier; it is a finding before it is signed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from gitca.documents.authority_rules import NameConstraintRules
from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.name_constraints import NameConstraints as NameConstraintsDocument
from gitca.findings import Finding, Location
from gitca.policy.case import Case, objection
from gitca.policy.proposal import Proposal
from gitca.policy.uri_patterns import uri_host
from gitca.policy.wording import KIND_WORDS
from gitca.x509.attributes import ATTRIBUTE_OIDS
from gitca.x509.names import check_dns, is_wildcard
from gitca.x509.refusal import quoted
from gitca.x509.template import (
    CONSTRAINED_KINDS,
    GeneralName,
    NameAttribute,
    NameConstraints,
)

StatedSubtree = tuple[GeneralName, tuple[str | int, ...]]
"""A subtree, and the pointer to it: its last three parts are side, kind and index."""


def check_issuer_constraints(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`nameConstraints`: every name is one that the CA's certificate lets it certify."""
    planned = stated_constraints(case.authority.spec)
    constraints = case.issuer.template.name_constraints if case.issuer else planned
    if constraints is None:
        return
    for name, at in _constrained_names(proposal):
        problem = constraint_problem(name, constraints)
        if problem:
            yield objection(
                "nameConstraints",
                f"{KIND_WORDS[name.kind]} {quoted(name.value)} {problem} of CA"
                f" {case.authority.name}; verifiers would refuse the certificate",
                at,
                remedy="change the name, or name a policy of another CA",
            )


def stated_constraints(spec: CertificateAuthoritySpec) -> NameConstraints | None:
    """Return the name constraints that a CA's document states."""
    return constraints_of(spec.name_constraints)


def constraints_of(
    stated: NameConstraintsDocument | NameConstraintRules | None,
) -> NameConstraints | None:
    """Return the name constraints that a document states, None where it states none."""
    if stated is None:
        return None
    subtrees = tuple(stated_subtrees(stated))
    return NameConstraints(
        permitted=tuple(base for base, pointer in subtrees if pointer[-3] == "permitted"),
        excluded=tuple(base for base, pointer in subtrees if pointer[-3] == "excluded"),
    )


def stated_subtrees(
    stated: NameConstraintsDocument | NameConstraintRules | None, *pointer: str
) -> Iterator[StatedSubtree]:
    """Yield the subtrees of a document, by kind, each with its pointer below the one given."""
    if stated is None:
        return
    for side, subtrees in (("permitted", stated.permitted), ("excluded", stated.excluded)):
        for kind in CONSTRAINED_KINDS:
            for index, text in enumerate(getattr(subtrees, kind)):
                yield GeneralName(kind, text), (*pointer, side, kind, index)


def constraint_problem(name: GeneralName, constraints: NameConstraints) -> str | None:
    """Return why a name is not to be certified under the constraints, in words, or None."""
    permitted = [base for base in constraints.permitted if base.kind == name.kind]
    excluded = [base for base in constraints.excluded if base.kind == name.kind]
    if name.kind == "uri" and (permitted or excluded) and not _has_dns_host(name.value):
        return "has no host name to hold against the URI nameConstraints"
    if permitted and not any(is_within(name, base) for base in permitted):
        return f"is outside of the permitted nameConstraints ({_texts(permitted)})"
    inside = [base for base in excluded if is_within(name, base) or _covers_some(name, base)]
    if inside:
        return f"is in the excluded nameConstraints ({_texts(inside)})"
    return None


def is_within(name: GeneralName, base: GeneralName) -> bool:
    """Whether a name (for a wildcard: each name that it covers) lies in a subtree of its kind."""
    if name.kind == "dns":
        return _is_below(name.value, base.value)
    if name.kind == "ip":
        return ipaddress.ip_address(name.value) in ipaddress.ip_network(base.value)
    if name.kind == "uri":
        return _host_within(uri_host(name.value), base.value)
    local, _, domain = name.value.rpartition("@")
    base_local, at, base_domain = base.value.rpartition("@")
    if at:
        return local == base_local and domain.lower() == base_domain.lower()
    return _host_within(domain.lower(), base.value)


def subtree_within(inner: GeneralName, outer: GeneralName) -> bool:
    """Whether every name of one subtree lies in another of the same kind."""
    if inner.kind == "ip":
        return _network_within(inner.value, outer.value)
    if inner.kind == "dns":
        return _is_below(inner.value, outer.value)
    if inner.value.startswith("."):
        return outer.value.startswith(".") and inner.value.endswith(outer.value)
    if inner.kind == "email" and "@" in inner.value:
        return is_within(inner, outer)
    return "@" not in outer.value and _host_within(inner.value, outer.value)


def _is_below(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


def _host_within(host: str, base: str) -> bool:
    """Whether a host is the base's or, where the base begins with a dot, lies below it."""
    return host.endswith(base) if base.startswith(".") else host == base


def _network_within(inner: str, outer: str) -> bool:
    small, large = ipaddress.ip_network(inner), ipaddress.ip_network(outer)
    if small.version != large.version or small.prefixlen < large.prefixlen:
        return False
    return small.network_address in large


def _covers_some(name: GeneralName, base: GeneralName) -> bool:
    """Whether a wildcard name covers a name of the subtree without lying in it."""
    if name.kind != "dns" or not is_wildcard(name.value):
        return False
    return base.value.partition(".")[2] == name.value[2:]


def _has_dns_host(uri: str) -> bool:
    return check_dns(uri_host(uri)) is None


def _texts(bases: Iterable[GeneralName]) -> str:
    return ", ".join(base.value for base in bases)


def _constrained_names(proposal: Proposal) -> Iterator[tuple[GeneralName, Location]]:
    """Yield the names that verifiers hold against constraints, those of the subject among them.

    emailAddress attributes are held against the e-mail constraints (RFC 5280 section 4.2.1.10);
    OpenSSL and GnuTLS hold a common name that looks like a host against the DNS constraints where
    there is no DNS name.
    """
    for part in proposal.sans:
        yield part.name, part.at
    has_dns = any(part.name.kind == "dns" for part in proposal.sans)
    for attribute in proposal.subject:
        name = subject_name(attribute.attribute)
        if name and not (name.kind == "dns" and has_dns):
            yield name, attribute.at


def subject_name(attribute: NameAttribute) -> GeneralName | None:
    """Return the e-mail or DNS name that verifiers read from an attribute of the subject."""
    if attribute.oid == ATTRIBUTE_OIDS["email"]:
        return GeneralName("email", attribute.value)
    value = attribute.value
    if attribute.oid == ATTRIBUTE_OIDS["commonName"] and "." in value and not check_dns(value):
        return GeneralName("dns", value.lower())
    return None
