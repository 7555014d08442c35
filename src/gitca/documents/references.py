"""What documents say of each other: issuers of CAs and policies, policies of requests."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from gitca.documents.certificate_authority import EXTERNAL_ISSUER, CertificateAuthoritySpec
from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import Document
from gitca.documents.flaws import flaw
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.revocation_request import RevocationRequestSpec
from gitca.documents.words import listed, nearest
from gitca.findings import Finding

Authority = Document[CertificateAuthoritySpec]
Policy = Document[IssuancePolicySpec]

_ENDS = frozenset({"self", EXTERNAL_ISSUER})
"""What `issuer` says where no CA of the repository is above."""


def shared_findings(authorities: Mapping[str, Authority]) -> tuple[Finding, ...]:
    """Return `authority.subject.taken` and `authority.key.taken` for CAs that are not apart."""
    subjects = _taken(authorities, "subject", lambda spec: tuple(spec.subject.items()))
    return (*subjects, *_taken(authorities, "key", lambda spec: spec.key))


def issuer_findings(
    authorities: Mapping[str, Authority], broken: Collection[str]
) -> tuple[Finding, ...]:
    """Return `authority.issuer.unknown`, `.broken` and `.loop`.

    `broken` are the names of CAs that are there and cannot be used.
    """
    chains = (_chain(authority, authorities, broken) for authority in authorities.values())
    return tuple(finding for finding in chains if finding)


def _chain(
    authority: Authority, authorities: Mapping[str, Authority], broken: Collection[str]
) -> Finding | None:
    """Return what is wrong on the way from a CA up to the last one in the repository."""
    seen = [authority.name]
    current = authority
    while (issuer := current.spec.issuer) not in _ENDS:
        if issuer == authority.name:
            message = f"the issuers lead back to where they began: {' → '.join([*seen, issuer])}"
            remedy = "let one of these CAs have issuer self, or another issuer"
            return flaw("authority.issuer.loop", message, authority.at("spec", "issuer"), remedy)
        if issuer in seen:
            return _unusable("authority.issuer.broken", authority, seen[1])
        if issuer not in authorities:
            return _no_issuer(authority, current, authorities, broken)
        seen.append(issuer)
        current = authorities[issuer]
    return None


def _no_issuer(
    authority: Authority,
    current: Authority,
    authorities: Mapping[str, Authority],
    broken: Collection[str],
) -> Finding:
    issuer = authority.spec.issuer
    if current is authority and issuer not in broken:
        return _unknown("authority.issuer.unknown", authority, ("spec", "issuer"), authorities)
    return _unusable("authority.issuer.broken", authority, issuer)


def _unusable(rule: str, document: Document[Any], name: str) -> Finding:
    message = f"CA {name} cannot be used: its document or its issuer's has findings"
    return flaw(rule, message, document.at("spec", "issuer"), f"mend ca/{name}.yaml first")


def _taken(
    authorities: Mapping[str, Authority],
    key: str,
    value_of: Callable[[CertificateAuthoritySpec], object],
) -> Iterator[Finding]:
    """Yield a finding for each CA that shares what must be its own with an earlier one."""
    first: dict[object, str] = {}
    for name, authority in authorities.items():
        other = first.setdefault(value_of(authority.spec), name)
        if other != name:
            message = f"{key} is that of CA {other} too; relying parties could not tell them apart"
            remedy = f"give each CA a {key} of its own"
            yield flaw(f"authority.{key}.taken", message, authority.at("spec", key), remedy)


def policy_findings(
    policies: Iterable[Policy], authorities: Mapping[str, Authority], broken: Collection[str]
) -> tuple[Finding, ...]:
    """Return `policy.issuer.unknown` and `policy.issuer.broken`."""
    return tuple(
        _unusable("policy.issuer.broken", policy, policy.spec.issuer)
        if policy.spec.issuer in broken
        else _unknown("policy.issuer.unknown", policy, ("spec", "issuer"), authorities)
        for policy in policies
        if policy.spec.issuer not in authorities
    )


def request_findings(
    requests: Iterable[Document[CertificateRequestSpec]],
    policies: Collection[str],
    broken: Collection[str],
) -> tuple[Finding, ...]:
    """Return `request.policy.unknown` and `request.policy.broken`; `broken` are policies' names."""
    return tuple(
        _broken_policy(request)
        if request.spec.policy in broken
        else _unknown("request.policy.unknown", request, ("spec", "policy"), policies)
        for request in requests
        if request.spec.policy not in policies
    )


def _broken_policy(request: Document[CertificateRequestSpec]) -> Finding:
    name = request.spec.policy
    message = f"policy {name} cannot be used: its document or its CA's has findings"
    remedy = f"mend policies/{name}.yaml first"
    return flaw("request.policy.broken", message, request.at("spec", "policy"), remedy)


def revocation_findings(
    revocations: Iterable[Document[RevocationRequestSpec]], authorities: Collection[str]
) -> tuple[Finding, ...]:
    """Return `revocation.ca.unknown`; `authorities` are all names in `ca/`."""
    return tuple(
        _unknown("revocation.ca.unknown", revocation, ("spec", "ca"), authorities)
        for revocation in revocations
        if revocation.spec.ca is not None and revocation.spec.ca not in authorities
    )


def _unknown(
    rule: str, document: Document[Any], pointer: tuple[str, str], known: Collection[str]
) -> Finding:
    """Return the finding for a name that nothing bears."""
    key = pointer[1]
    name = str(getattr(document.spec, key))
    word = "policy" if key == "policy" else "CA"
    message = f"{word} {name} does not exist; there is {listed(sorted(known))}"
    meant = nearest(name, known)
    remedy = f"write {meant}" if meant else f"add {_folder(word)}/{name}.yaml or write another name"
    return flaw(rule, message, document.at(*pointer), remedy)


def _folder(word: str) -> str:
    return "policies" if word == "policy" else "ca"
