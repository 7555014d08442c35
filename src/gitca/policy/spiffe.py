"""SPIFFE IDs: the trust domain, the path, and that a certificate has one alone.

SPIFFE-ID section 2 says what one is (`x509.names.check_uri` holds every `spiffe:` URI to it),
X.509-SVID section 2 that it is the only URI of its certificate.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitca.documents.other_name_rules import SpiffeRules
from gitca.findings import Finding
from gitca.policy.case import Case
from gitca.policy.identity import allow_list
from gitca.policy.pattern_lists import spiffe_patterns
from gitca.policy.proposal import Proposal, StatedName
from gitca.policy.uri_patterns import uri_host, uri_scheme
from gitca.policy.wording import allowed, name_words
from gitca.x509.template import GeneralName


def is_judged_as_spiffe(case: Case, name: GeneralName) -> bool:
    """Whether a name is a SPIFFE ID and the policy speaks of those by themselves."""
    return name.kind == "uri" and uri_scheme(name.value) == "spiffe" and _rules(case) is not None


def check_spiffe_ids(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`sans.uri.spiffe.trustDomain` and `sans.uri.spiffe.paths`: a SPIFFE ID is in both."""
    for part, rules in _spiffe_ids(case, proposal):
        if uri_host(part.value) != rules.trust_domain:
            yield case.denial(
                "sans.uri.spiffe.trustDomain",
                f"{name_words(part.name)} is of another trust domain;"
                f" {allowed([rules.trust_domain])}",
                part.at,
                remedy="change the trust domain or the policy",
            )
        elif not allow_list("uri", spiffe_patterns(rules), case.request).admits(part.value):
            yield case.denial(
                "sans.uri.spiffe.paths",
                f"{name_words(part.name)} has a path that is not allowed; {allowed(rules.paths)}",
                part.at,
                remedy="change the path or the policy",
            )


def check_single_uri(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`sans.uri.spiffe`: a SPIFFE ID is the only URI of its certificate."""
    uris = [part for part in proposal.sans if part.name.kind == "uri"]
    if any(_spiffe_ids(case, proposal)) and len(uris) > 1:
        yield case.denial(
            "sans.uri.spiffe",
            f"{name_words(uris[1].name)} stands beside {name_words(uris[0].name)}; allowed with a"
            " SPIFFE ID is no other URI (X.509-SVID section 2)",
            uris[1].at,
            remedy="part them over several requests",
        )


def _spiffe_ids(case: Case, proposal: Proposal) -> Iterator[tuple[StatedName, SpiffeRules]]:
    rules = _rules(case)
    for part in proposal.sans:
        if rules is not None and is_judged_as_spiffe(case, part.name):
            yield part, rules


def _rules(case: Case) -> SpiffeRules | None:
    uri = case.policy.spec.sans.uri
    return uri.spiffe if uri else None
