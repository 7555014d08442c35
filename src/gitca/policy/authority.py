"""CA certificates: what one would say, and whether its issuer may let it say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from gitca.documents.fields import duration_text
from gitca.findings import Finding, in_order
from gitca.policy import authority_constraints
from gitca.policy.authority_case import Authority, AuthorityCase, ca_attributes
from gitca.policy.case import IssuerFacts, objection
from gitca.policy.name_constraints import stated_constraints
from gitca.x509.attributes import ATTRIBUTE_OIDS, check_attribute
from gitca.x509.key_usage import CA_KEY_USAGE
from gitca.x509.refusal import quoted
from gitca.x509.template import BasicConstraints, CertificateTemplate, PolicyInformation


def propose_authority(authority: Authority, spki_der: bytes) -> CertificateTemplate:
    """Return what a CA's document says of its certificate.

    Where the CRL and the certificate of its issuer lie is for the issuer's document to say, and
    whether it may be issued for `judge_authority`.
    """
    spec = authority.spec
    return CertificateTemplate(
        subject=tuple(attribute for attribute, _ in ca_attributes(authority)),
        spki_der=spki_der,
        # No more: the key of one of gitca's CAs signs certificates and CRLs alone.
        key_usage=CA_KEY_USAGE,
        basic_constraints=BasicConstraints(spec.path_length),
        name_constraints=stated_constraints(spec),
        certificate_policies=tuple(map(PolicyInformation, spec.certificate_policies)),
    )


def judge_authority(
    authority: Authority,
    parent: Authority | None,
    parent_issuer: IssuerFacts | None,
    now: datetime,
) -> tuple[Finding, ...]:
    """Return all that speaks against making a CA, in the order of places.

    Not checked: the key and the signature algorithm, which only a signer's public key can answer,
    and that no other CA has the subject (`load_governing`).
    """
    case = AuthorityCase(authority, parent, parent_issuer, now)
    return in_order(finding for rule in AUTHORITY_RULES for finding in rule(case))


def check_subject(case: AuthorityCase) -> Iterator[Finding]:
    """`subject.*`: attributes are well-formed, none stands twice, and there is one commonName."""
    authority = case.authority
    seen: set[tuple[str, str]] = set()
    for attribute, at in ca_attributes(authority):
        problem = check_attribute(attribute.oid, attribute.value)
        if problem:
            yield objection(problem.rule, problem.message, at, remedy=problem.remedy)
        single = attribute.oid == ATTRIBUTE_OIDS["commonName"]
        key = (attribute.oid, "" if single else attribute.value)
        if key in seen:
            message = f"subject value {quoted(attribute.value)} is one too many; allowed is one"
            yield objection("subject.duplicate", message, at, remedy="remove one of them")
        seen.add(key)


def check_parent_state(case: AuthorityCase) -> Iterator[Finding]:
    """`authority.state`: a parent that is crl-only or retired issues no CA."""
    if case.parent is not None and case.parent.spec.state != "active":
        yield objection(
            "authority.state",
            f"CA {case.parent.name} is {case.parent.spec.state}; allowed is an active issuer",
            case.authority.at("spec", "issuer"),
            remedy="name another issuer",
        )


def check_path_length(case: AuthorityCase) -> Iterator[Finding]:
    """`authority.pathLength`: less than the parent's, and stated where the parent has one."""
    longest, own = case.path_length, case.authority.spec.path_length
    if case.parent is None or longest is None:
        return
    if longest == 0:
        message = f"CA {case.parent.name} has pathLength 0; allowed below it is no CA"
        at = case.authority.at("spec", "issuer")
        yield objection("authority.pathLength", message, at, remedy="name another issuer")
    elif own is None or own >= longest:
        seen = "no pathLength, which is any," if own is None else f"pathLength {own}"
        yield objection(
            "authority.pathLength",
            f"{seen} is above {longest - 1}, what pathLength {longest} of CA {case.parent.name}"
            " leaves",
            case.authority.at("spec", "pathLength"),
            remedy=f"state pathLength: {longest - 1} or less",
        )


def check_validity(case: AuthorityCase) -> Iterator[Finding]:
    """`authority.validity`: within the parent's own life; a CA is never truncated."""
    if case.parent is None:
        return
    validity, at = case.authority.spec.validity, case.authority.at("spec", "validity")
    issuer, remedy = case.issuer, "shorten it, or name another issuer"
    if issuer is None:
        if validity > case.parent.spec.validity:
            longest = duration_text(case.parent.spec.validity)
            message = (
                f"validity {duration_text(validity)} is above the {longest} of its issuer, CA"
                f" {case.parent.name}"
            )
            yield objection("authority.validity", message, at, remedy=remedy)
        return
    if not issuer.not_before <= case.now <= issuer.not_after:
        message = (
            f"CA {issuer.name} is valid from {issuer.not_before:%Y-%m-%d} to"
            f" {issuer.not_after:%Y-%m-%d}; allowed is an issuer within its validity"
        )
        yield objection("issuer.validity", message, at, remedy="name another issuer")
    elif case.now.replace(microsecond=0) + validity - timedelta(seconds=1) > issuer.not_after:
        message = (
            f"validity {duration_text(validity)} reaches beyond the end of its issuer, CA"
            f" {issuer.name}, on {issuer.not_after:%Y-%m-%d}"
        )
        yield objection("authority.validity", message, at, remedy=remedy)


AuthorityRule = Callable[[AuthorityCase], Iterator[Finding]]

AUTHORITY_RULES: tuple[AuthorityRule, ...] = (
    check_subject,
    check_parent_state,
    check_path_length,
    check_validity,
    authority_constraints.check_subtrees,
    authority_constraints.check_permitted,
    authority_constraints.check_excluded,
    authority_constraints.check_subject_permitted,
)
