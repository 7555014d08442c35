"""May this be issued? The list of all rules, and the one function that every issuance goes through.

First issuance, renewal, rekey and re-issue are judged alike, under the policy of that moment. What
no rule speaks of is denied by the rules that say "mentioned" and "allowed".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from gitca.findings import Finding, in_order
from gitca.policy import (
    csr_agreement,
    expressions,
    extensions,
    key,
    key_history,
    name_constraints,
    renewal,
    requested_authority,
    sans,
    schema,
    selection,
    spiffe,
    subject,
    usages,
    validity,
    windows,
)
from gitca.policy.case import Case, Verdict
from gitca.policy.expressions import examine_expressions
from gitca.policy.pattern_lists import examine_patterns
from gitca.policy.proposal import Proposal
from gitca.policy.propose import propose, template_of
from gitca.policy.waivers import apply_waivers

Rule = Callable[[Case, Proposal], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    selection.check_selector,
    selection.check_labels,
    selection.check_requesters,
    selection.check_authority_named,
    selection.check_authority_state,
    subject.check_attributes_mentioned,
    subject.check_values_allowed,
    subject.check_values_denied,
    subject.check_values_counted,
    subject.check_values_fixed,
    subject.check_required,
    subject.check_values_in_sans,
    subject.check_duplicates,
    sans.check_types_mentioned,
    sans.check_names_allowed,
    sans.check_names_denied,
    spiffe.check_spiffe_ids,
    spiffe.check_single_uri,
    sans.check_wildcards,
    sans.check_special,
    sans.check_counts,
    sans.check_total,
    sans.check_duplicates,
    sans.check_any_name,
    csr_agreement.check_subject_agrees,
    csr_agreement.check_sans_agree,
    csr_agreement.check_other_names,
    key.check_algorithm,
    key.check_exponent,
    key.check_weak,
    key.check_refused,
    key.check_csr_hash,
    key_history.check_authority_key,
    key_history.check_reuse,
    key_history.check_max_age,
    validity.check_request_dates,
    validity.check_maximum,
    validity.check_minimum,
    validity.check_latest,
    validity.check_backdate,
    validity.check_issuer_alive,
    validity.check_within_issuer,
    renewal.check_before,
    usages.check_key_usage_allowed,
    usages.check_extended_key_usage_allowed,
    usages.check_key_usage_required,
    usages.check_extended_key_usage_required,
    usages.check_usages_once,
    usages.check_key_type,
    usages.check_agreement_bits,
    name_constraints.check_issuer_constraints,
    requested_authority.check_mentioned,
    requested_authority.check_path_length,
    requested_authority.check_issuer_path_length,
    requested_authority.check_constraints_required,
    requested_authority.check_subtrees,
    requested_authority.check_permitted,
    requested_authority.check_excluded,
    requested_authority.check_issuer_constraints,
    requested_authority.check_subject,
    requested_authority.check_name_is_not_issuers,
    extensions.check_allowed,
    extensions.check_csr_criticality,
    extensions.check_once,
    schema.check_request_schema,
    expressions.check_rules,
)


def evaluate(case: Case) -> Verdict:
    """Return the verdict on a case, with every finding of every rule in the order of places.

    Not checked here: that the CSR's signature verifies (`parse_csr`), that the policy and CA
    documents are sound by themselves (`load_governing`), that the bytes built say what the template
    says, and what the linter has against them. What a waiver covers is a warning.
    """
    proposal = propose(case)
    examined = (*examine_patterns(case.policy), *examine_expressions(case.policy))
    findings = [*examined, *proposal.findings]
    for rule in RULES:
        findings += rule(case, proposal)
    template = template_of(case, proposal)
    # What could not be written into a certificate at all, no waiver makes writable.
    waivers = case.waivers if template is not None else ()
    judged, needed = apply_waivers(findings, waivers, _beginning(case, proposal))
    return Verdict(
        template=template,
        period=proposal.period,
        hold=windows.hold(case, proposal),
        issuer_end=case.issuer.not_after if case.issuer else None,
        validity=validity.granted_validity(case, proposal),
        backdate=case.policy.spec.validity.backdate,
        findings=in_order(judged),
        waivers=needed,
    )


def _beginning(case: Case, proposal: Proposal) -> datetime:
    """Return when the certificate begins at the earliest: a waiver must reach beyond it."""
    return max(case.now, proposal.period.not_before or case.now)
