"""Request, CSR, policy and CA documents become the proposal of a certificate, and its template.

Nothing is repaired and nothing dropped in silence: what cannot be represented is a finding.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from gitca.documents.usages import extended_key_usage_oid
from gitca.findings import Finding
from gitca.policy.case import Case
from gitca.policy.extensions import certificate_policies, stated_extensions, unsound_values
from gitca.policy.issuer_urls import issuer_urls
from gitca.policy.name_constraints import constraints_of
from gitca.policy.names import (
    names_in_both,
    proposed_attributes,
    proposed_names,
    too_many_names,
)
from gitca.policy.period import period_of
from gitca.policy.proposal import Proposal, StatedAttribute, StatedName, StatedUsages
from gitca.x509.key_usage import CA_KEY_USAGE
from gitca.x509.template import NAME_KINDS, BasicConstraints, CertificateTemplate

KEY_USAGE_BITS = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
"""RFC 5280 section 4.2.1.3, in bit order."""

_PartT = TypeVar("_PartT", StatedAttribute, StatedName)


def propose(case: Case) -> Proposal:
    """Return what the certificate would say, and what of it cannot be said."""
    findings = list(too_many_names(case))
    subject: list[StatedAttribute] = []
    sans: list[StatedName] = []
    if not findings:
        findings += names_in_both(case)
        subject = _sound(proposed_attributes(case), findings)
        sans = _sound(proposed_names(case), findings)
    request, policy = case.request, case.policy.spec
    period = period_of(request.spec, policy.validity)
    issuer_begin = case.issuer.not_before if case.issuer else None
    not_before, not_after = period.dates(case.now, issuer_begin, None)
    return Proposal(
        subject=tuple(subject),
        sans=tuple(sorted(sans, key=lambda part: NAME_KINDS.index(part.name.kind))),
        key_usage=_usages(case, "keyUsage", request.spec.key_usage, policy.key_usage.default),
        extended_key_usage=_usages(
            case,
            "extendedKeyUsage",
            request.spec.extended_key_usage,
            policy.extended_key_usage.default,
        ),
        period=period,
        not_before=not_before,
        not_after=not_after,
        validity_at=request.at("spec", "notAfter" if request.spec.not_after else "validity"),
        findings=(*findings, *unsound_values(case)),
    )


def template_of(case: Case, proposal: Proposal) -> CertificateTemplate | None:
    """Return the template of a proposal, or None where a part of it could not be represented."""
    if proposal.findings:
        return None
    policy, asked = case.policy.spec, case.request.spec.ca
    urls = issuer_urls(case.authority, case.issuer.template.spki_der if case.issuer else b"")
    usages = proposal.extended_key_usage.values
    bits = (*proposal.key_usage.values, *(CA_KEY_USAGE if asked else ()))
    return CertificateTemplate(
        subject=tuple(part.attribute for part in proposal.subject),
        spki_der=case.csr.spki_der,
        sans=tuple(part.name for part in proposal.sans),
        key_usage=tuple(bit for bit in KEY_USAGE_BITS if bit in bits),
        extended_key_usage=tuple(extended_key_usage_oid(usage) for usage in usages),
        basic_constraints=BasicConstraints(asked.path_length) if asked else None,
        name_constraints=constraints_of(asked.name_constraints) if asked else None,
        certificate_policies=certificate_policies(case),
        crl_urls=urls.crl,
        ca_issuers_urls=urls.ca_issuers,
        extensions=tuple(stated.extension for stated in stated_extensions(case)),
        # RFC 5280 section 4.2.1.3 asks for it, and a CA is nothing to be lenient about. Of an
        # extension that is not there a certificate says nothing, and a template the usual.
        key_usage_critical=policy.key_usage.critical or asked is not None or not bits,
        extended_key_usage_critical=policy.extended_key_usage.critical and bool(usages),
    )


def _sound(parts: Iterable[_PartT | Finding], findings: list[Finding]) -> list[_PartT]:
    """Return the parts; the findings among them go to `findings`."""
    sound: list[_PartT] = []
    for part in parts:
        if isinstance(part, Finding):
            findings.append(part)
        else:
            sound.append(part)
    return sound


def _usages(
    case: Case, field: str, asked: tuple[str, ...] | None, default: tuple[str, ...]
) -> StatedUsages:
    values = default if asked is None else asked
    places = tuple(case.request.at("spec", field, index) for index in range(len(values)))
    return StatedUsages(values, places, case.request.at("spec", field), asked is not None)
