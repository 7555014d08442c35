"""Key usages and extended key usages (RFC 5280 sections 4.2.1.3 and 4.2.1.12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gitca.documents.usages import extended_key_usage_oid
from gitca.findings import Finding
from gitca.policy.case import Case, objection
from gitca.policy.proposal import Proposal, StatedUsages
from gitca.policy.wording import allowed
from gitca.x509.key_usage import CA_KEY_USAGE, allowed_key_usage
from gitca.x509.refusal import quoted


def check_key_usage_allowed(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`keyUsage.allow`: a request asks for no usage but those listed, and for some."""
    rules = case.policy.spec.key_usage
    listed = rules.default if rules.allow is None else rules.allow
    yield from _allowed(case, "keyUsage", proposal.key_usage, (*listed, *rules.default))


def check_extended_key_usage_allowed(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`extendedKeyUsage.allow`: a request asks for no usage but those listed, and for some."""
    rules = case.policy.spec.extended_key_usage
    listed = rules.default if rules.allow is None else rules.allow
    stated = proposal.extended_key_usage
    yield from _allowed(case, "extendedKeyUsage", stated, (*listed, *rules.default))


def check_key_usage_required(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`keyUsage.required`: the certificate has the usages without which none is issued."""
    required = case.policy.spec.key_usage.required
    yield from _required(case, "keyUsage", proposal.key_usage, required)


def check_extended_key_usage_required(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`extendedKeyUsage.required`: the certificate has the usages without which none is issued."""
    required = case.policy.spec.extended_key_usage.required
    yield from _required(case, "extendedKeyUsage", proposal.extended_key_usage, required)


def check_usages_once(_: Case, proposal: Proposal) -> Iterator[Finding]:
    """`keyUsage.duplicate`, `extendedKeyUsage.duplicate`: each usage stands once."""
    yield from _duplicates("keyUsage", proposal.key_usage, str)
    yield from _duplicates("extendedKeyUsage", proposal.extended_key_usage, extended_key_usage_oid)


def check_key_type(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`keyUsage.key-type`: the key can do what the usages say; those of CAs nobody states."""
    possible = allowed_key_usage(case.csr.key) - frozenset(CA_KEY_USAGE)
    usages = proposal.key_usage
    for usage, at in zip(usages.values, usages.places, strict=True):
        if usage not in possible:
            whose = "" if usages.requested else f"default of policy {case.policy.name}, "
            yield objection(
                "keyUsage.key-type",
                f"keyUsage {usage} ({whose}key {case.csr.key}) is nothing for such a key in an"
                f" end-entity certificate; {allowed(sorted(possible), quote=False)}",
                at,
                remedy="state a keyUsage that goes with the key",
            )


def check_agreement_bits(_: Case, proposal: Proposal) -> Iterator[Finding]:
    """`keyUsage.key-agreement`: encipherOnly and decipherOnly mean nothing without keyAgreement."""
    usages = proposal.key_usage
    if "keyAgreement" in usages.values:
        return
    for usage, at in zip(usages.values, usages.places, strict=True):
        if usage in {"encipherOnly", "decipherOnly"}:
            message = f"keyUsage {usage} is stated without keyAgreement, which it qualifies"
            yield objection("keyUsage.key-agreement", message, at, remedy="state both or neither")


def _allowed(
    case: Case, field: str, stated: StatedUsages, listed: tuple[str, ...]
) -> Iterator[Finding]:
    oids = {extended_key_usage_oid(usage) for usage in listed}
    for usage, at in zip(stated.values, stated.places, strict=True):
        if stated.requested and extended_key_usage_oid(usage) not in oids:
            yield case.denial(
                f"{field}.allow",
                f"{field} {quoted(usage)} is not allowed;"
                f" {allowed(dict.fromkeys(listed), quote=False)}",
                at,
                remedy="remove it or change the policy",
            )
    # Without the extension a key may be used for everything: no usage asks for more, not less. The
    # key usage of a CA is never without keyCertSign.
    is_written = field == "keyUsage" and case.request.spec.ca is not None
    if listed and not stated.values and not (is_written and not stated.requested):
        seen = "is empty" if stated.requested else "is not stated and has no default"
        instead = f", or remove {field} for the policy's default" if stated.requested else ""
        yield case.denial(
            f"{field}.allow",
            f"{field} {seen}, and a certificate without it serves every purpose;"
            f" {allowed(dict.fromkeys(listed), quote=False)}",
            stated.at,
            remedy=f"list usages{instead}",
        )


def _required(
    case: Case, field: str, stated: StatedUsages, required: tuple[str, ...]
) -> Iterator[Finding]:
    oids = {extended_key_usage_oid(usage) for usage in stated.values}
    for usage in required:
        if extended_key_usage_oid(usage) not in oids:
            yield case.denial(
                f"{field}.required",
                f"{field} {usage} is missing and required; stated:"
                f" {', '.join(stated.values) or 'none'}",
                stated.at,
                remedy="add it, or change the policy",
            )


def _duplicates(
    field: str, stated: StatedUsages, canonical: Callable[[str], str]
) -> Iterator[Finding]:
    seen: set[str] = set()
    for usage, at in zip(stated.values, stated.places, strict=True):
        if canonical(usage) in seen:
            message = f"{field} {quoted(usage)} stands twice; allowed is once"
            yield objection(f"{field}.duplicate", message, at, remedy="remove one of them")
        seen.add(canonical(usage))
