"""A CSR that states names states the same as the request that a reviewer reads.

Subject and alternative names are each compared where the CSR states them: most tools write a
subject alone, and a CSR without any name is the usual case. Nothing of the CSR's names reaches the
certificate; a disagreement says that the reviewer and the holder of the key mean two things.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from gitca.findings import Finding
from gitca.policy.case import Case, objection
from gitca.policy.proposal import Proposal
from gitca.policy.wording import name_words
from gitca.x509.attributes import attribute_name
from gitca.x509.refusal import quoted
from gitca.x509.template import NameAttribute

_REMEDY = "state the same in both, or make the CSR without names"


def check_subject_agrees(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`csr.subject`: the CSR's subject, if it has one, has the attributes of the request."""
    if not _compares(case) or not case.csr.subject:
        return
    in_csr = Counter(case.csr.subject)
    stated = Counter(part.attribute for part in proposal.subject if not part.supplied)
    supplied = Counter(part.attribute for part in proposal.subject if part.supplied)
    for attribute in in_csr - stated - supplied:
        yield _only_in_csr(case, "csr.subject", _attribute_words(attribute))
    yield from _missing(case, "csr.subject", map(_attribute_words, stated - in_csr))


def check_sans_agree(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`csr.sans`: the CSR's alternative names, if it has some, are those of the request."""
    if not _compares(case) or not case.csr.sans:
        return
    in_csr = Counter(case.csr.sans)
    stated = Counter(part.name for part in proposal.sans)
    for name in in_csr - stated:
        yield _only_in_csr(case, "csr.sans", name_words(name))
    yield from _missing(case, "csr.sans", map(name_words, stated - in_csr))


def check_other_names(case: Case, _: Proposal) -> Iterator[Finding]:
    """`csr.names`: the CSR states no name in a form that no request can state."""
    if _compares(case):
        for name in case.csr.other_names:
            yield objection(
                "csr.names",
                f"the CSR states {quoted(name)}, which a request cannot state;"
                " allowed are the names of the request",
                case.csr_at,
                remedy="make the CSR again without it",
            )


def _compares(case: Case) -> bool:
    return case.policy.spec.names_from == "request"


def _only_in_csr(case: Case, rule: str, name: str) -> Finding:
    message = f"the CSR states {name} and the request does not (or less often)"
    return objection(rule, message, case.csr_at, remedy=_REMEDY)


def _missing(case: Case, rule: str, names: Iterable[str]) -> Iterator[Finding]:
    for name in names:
        message = f"the request states {name} and the CSR, which states others, does not"
        yield objection(rule, message, case.csr_at, remedy=_REMEDY)


def _attribute_words(attribute: NameAttribute) -> str:
    return f"subject {attribute_name(attribute.oid)} {quoted(attribute.value)}"
