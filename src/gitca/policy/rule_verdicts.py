"""What each rule says of a case: the verdict of `evaluate`, taken apart rule by rule."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel
from pydantic.alias_generators import to_snake

from gitca.findings import Finding, has_errors
from gitca.policy.case import Case
from gitca.policy.evaluate import evaluate
from gitca.policy.propose import propose
from gitca.policy.rule_names import RuleName, field_paths, rule_names

Outcome = Literal["allowed", "denied", "not asked"]

# What is asked of a request that has nothing of the kind.
_OF_WHAT_IS_MISSING = frozenset({"required", "min"})


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """One rule's word on a case: the outcome, the reason, and the findings that it rests on."""

    rule: str
    outcome: Outcome
    reason: str
    findings: tuple[Finding, ...] = ()


def rule_verdicts(case: Case) -> tuple[RuleVerdict, ...]:
    """Return the word of every rule, in the order of the rule list, stars spelled out.

    A rule is not asked where the policy does not say it, or where the request has nothing that it
    judges. Findings of no rule (a name that is none, a pattern that means nothing) come last.
    """
    verdict = evaluate(case)
    found = [*verdict.findings, *([verdict.hold] if verdict.hold else [])]
    known = (*field_paths(case.policy), *(finding.rule for finding in found))
    rows = {name: said for said in rule_names() for name in _spelled(said, known)}
    of_row: dict[str, list[Finding]] = {}
    for finding in found:
        of_row.setdefault(_row_of(finding.rule, rows), []).append(finding)
    stated = _stated(case)
    words = [
        _judged(name, of_row.pop(name)) if name in of_row else _silent(said, name, case, stated)
        for name, said in rows.items()
    ]
    return (*words, *(_judged(rule, findings) for rule, findings in of_row.items()))


def _spelled(said: RuleName, known: Iterable[str]) -> Iterator[str]:
    """Yield a rule's name, or what its stars stand for among the known names."""
    spelled = dict.fromkeys(name for name in known if said.is_exactly(name))
    yield from spelled if "*" in said.pattern and spelled else [said.pattern]


def _row_of(rule: str, rows: Collection[str]) -> str:
    """Return the row that a finding belongs to: its rule's, or the nearest one that it refines."""
    parts = rule.split(".")
    above = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in above if name in rows), rule)


def _judged(rule: str, findings: list[Finding]) -> RuleVerdict:
    messages = dict.fromkeys(finding.message for finding in findings)
    outcome: Outcome = "denied" if has_errors(findings) else "allowed"
    return RuleVerdict(rule, outcome, "; ".join(messages), tuple(findings))


def _silent(said: RuleName, name: str, case: Case, stated: frozenset[str]) -> RuleVerdict:
    """Return the word of a rule that found nothing."""
    if "*" in name or _is_unsaid(case, name):
        return RuleVerdict(name, "not asked", f"policy {case.policy.name} does not say it")
    subject = _missing_subject(case, name, stated)
    if subject:
        return RuleVerdict(name, "not asked", f"the request has no {subject}")
    return RuleVerdict(name, "allowed", said.sentence)


def _is_unsaid(case: Case, name: str) -> bool:
    """Whether a rule's name leads to a field of the policy, and nothing is in that field."""
    value: object = case.policy.spec
    for part in name.split("."):
        if isinstance(value, BaseModel):
            fields = {field.alias or key: key for key, field in type(value).model_fields.items()}
            if part not in fields:
                return False
            value = getattr(value, fields[part])
    # An empty list of what is allowed says that nothing is, and false that no wildcard is.
    restricts = name.endswith((".allow", ".wildcards")) and value is not None
    return not value and not restricts and not (isinstance(value, int) and value is not False)


def _stated(case: Case) -> frozenset[str]:
    """Return what the certificate would have, as the fields of policies call it."""
    proposal = propose(case)
    subject = (f"subject.{part.type}" for part in proposal.subject)
    return frozenset((*subject, *(f"sans.{part.name.kind}" for part in proposal.sans)))


def _missing_subject(case: Case, name: str, stated: frozenset[str]) -> str:
    """Return what a rule judges and the request does not have, or nothing."""
    parts = name.split(".")
    if parts[-1] in _OF_WHAT_IS_MISSING:
        return ""
    if parts[0] in {"subject", "sans"} and len(parts) > 2:
        about = ".".join(parts[:2])
        return "" if about in stated else about
    if parts[-1] == "allow" or parts[0] == "ca":
        return "" if getattr(case.request.spec, to_snake(parts[0]), True) else parts[0]
    return ""
